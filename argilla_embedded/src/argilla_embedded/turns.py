"""People go first: nobody who submits an answer waits long behind a push of records.

SQLite takes one writer at a time, and Argilla holds that turn for a whole batch: for the 256 records that its SDK sends
at once, seconds on a small machine; an answer needs the turn twice. So a batch is handed to Argilla in small parts,
one after the other, and a part waits a moment while an answer is under way. When a record of a later part is invalid,
the earlier parts are kept, as the earlier batches of the SDK's own push are; pushing again changes nothing in them.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from argilla_embedded.asgi import App, Message, Receive, Send, collect, collected_body

PUSH = re.compile(r"/api/v1/datasets/[^/]+/records/bulk")
ANSWER = re.compile(r"/api/v1/(me/responses/bulk|responses/[^/]+|records/[^/]+/responses)")
POSITION = re.compile(r'(at position |"body","items",)(\d+)')
PART = 32
"""Records of one part: about a quarter of a second of SQLite's turn on a small machine."""
PATIENCE_S = 1.0
"""Longest time that a part waits for answers under way, so that a push ends however busy people are."""


class Turns:
    """Who is writing: people, any number at a time; pushes, one part at a time, when no person is."""

    def __init__(self) -> None:
        """Begin with nobody writing."""
        self._people = 0
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._pushing = asyncio.Lock()

    @asynccontextmanager
    async def person(self) -> AsyncIterator[None]:
        """Write now."""
        self._people += 1
        self._nobody.clear()
        try:
            yield
        finally:
            self._people -= 1
            if not self._people:
                self._nobody.set()

    @asynccontextmanager
    async def push(self) -> AsyncIterator[None]:
        """Write when no person and no other push does; after a moment, write in any case."""
        async with self._pushing:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nobody.wait(), PATIENCE_S)
            yield


def people_first(app: App) -> App:
    """Return `app` that takes pushes in small parts, between answers."""
    turns = Turns()

    async def take(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "DELETE"):
            await app(scope, receive, send)
        elif ANSWER.fullmatch(scope["path"]):
            async with turns.person():
                await app(scope, receive, send)
        elif PUSH.fullmatch(scope["path"]):
            await _push(app, turns, scope, receive, send)
        else:
            await app(scope, receive, send)

    return take


async def _push(app: App, turns: Turns, scope: Message, receive: Receive, send: Send) -> None:
    body = await collected_body(receive)
    items = _items(body) if scope["method"] == "PUT" else None
    if items is None:
        async with turns.push():
            start, answer = await collect(app, scope, body)
    else:
        start, answer = await _in_parts(app, turns, scope, items)
    await send(start)
    await send({"type": "http.response.body", "body": answer})


def _items(body: bytes) -> list[Any] | None:
    """Return the records of a push that is worth dividing."""
    try:
        sent = json.loads(body)
    except ValueError:
        return None
    items = sent.get("items") if isinstance(sent, dict) and set(sent) == {"items"} else None
    # More than 500 in a batch, and one name twice in it, are Argilla's to refuse.
    if not isinstance(items, list) or not PART < len(items) <= 500:
        return None
    names = [item.get("external_id") for item in items if isinstance(item, dict)]
    named = [json.dumps(name) for name in names if name is not None]
    return items if len(named) == len(set(named)) else None


async def _in_parts(app: App, turns: Turns, scope: Message, items: list[Any]) -> tuple[Message, bytes]:
    plain = {**scope, "headers": [each for each in scope["headers"] if each[0] != b"accept-encoding"]}
    merged: list[Any] = []
    start: Message = {}
    for first in range(0, len(items), PART):
        part = json.dumps({"items": items[first : first + PART]}).encode()
        async with turns.push():
            start, answer = await collect(app, plain, part)
        if start["status"] != 200:
            refused = _moved(answer, first)
            return _with_length(start, refused), refused
        merged.extend(json.loads(answer)["items"])
    whole = json.dumps({"items": merged}, ensure_ascii=False, separators=(",", ":")).encode()
    return _with_length(start, whole), whole


def _moved(answer: bytes, first: int) -> bytes:
    """Return a refusal of a part whose first record is record `first` of the push, with positions in the push."""
    return POSITION.sub(lambda found: f"{found[1]}{int(found[2]) + first}", answer.decode()).encode()


def _with_length(start: Message, body: bytes) -> Message:
    kept = [each for each in start["headers"] if each[0].lower() != b"content-length"]
    return {**start, "headers": [*kept, (b"content-length", b"%d" % len(body))]}
