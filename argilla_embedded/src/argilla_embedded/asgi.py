"""The words of ASGI, the interface between a server and an application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


async def collected_body(receive: Receive) -> bytes:
    """Return the whole body of a request."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def collect(app: App, scope: Message, body: bytes = b"") -> tuple[Message, bytes]:
    """Have `app` answer a request with this body; return the start and the whole body of its answer."""
    starts: list[Message] = []
    parts: list[bytes] = []
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:  # a client that waits for its answer says nothing more
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            starts.append(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    length = (b"content-length", b"%d" % len(body))
    headers = [*(each for each in scope["headers"] if each[0] != b"content-length"), length]
    await app({**scope, "headers": headers}, receive, take)  # a copy: routing writes into it
    return starts[0], b"".join(parts)
