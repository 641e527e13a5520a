"""Pushes are taken in small parts between answers, and tell the same as if they had been taken whole."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from argilla_embedded.asgi import App, Message, Receive, Send, collect, collected_body
from argilla_embedded.turns import PART, people_first

PUSH, ANSWER = "/api/v1/datasets/d/records/bulk", "/api/v1/me/responses/bulk"


class Argilla:
    """Takes pushes and answers, remembers their order, and refuses the record called `bad`."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.slow = asyncio.Event()
        self.slow.set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await collected_body(receive)
        if scope["path"] == ANSWER:
            self.seen.append("answer begins")
            await self.slow.wait()
            self.seen.append("answer ends")
            status, said = 200, b"{}"
        else:
            status, said = self._push(json.loads(body)["items"])
        length = (b"content-length", b"%d" % len(said))
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": said})

    def _push(self, items: list[dict[str, Any]]) -> tuple[int, bytes]:
        self.seen.append(len(items))
        for number, item in enumerate(items):
            if item.get("external_id") == "bad":
                place = json.dumps(["body", "items", number], separators=(",", ":"))
                return 422, f'{{"detail":"Record at position {number} is not valid","loc":{place}}}'.encode()
        return 200, json.dumps({"items": [{"id": item["external_id"]} for item in items]}).encode()


async def ask(app: App, method: str, path: str, said: object) -> tuple[int, bytes, dict[bytes, bytes]]:
    scope = {"type": "http", "method": method, "path": path, "headers": [(b"accept-encoding", b"br")]}
    start, body = await collect(app, scope, json.dumps(said).encode())
    return start["status"], body, dict(start["headers"])


def records(count: int) -> dict[str, Any]:
    return {"items": [{"external_id": str(number)} for number in range(count)]}


async def test_a_long_push_is_taken_in_parts_and_told_as_one() -> None:
    argilla = Argilla()
    status, body, headers = await ask(people_first(argilla), "PUT", PUSH, records(3 * PART + 1))
    assert status == 200 and argilla.seen == [PART, PART, PART, 1]
    assert json.loads(body) == {"items": [{"id": str(number)} for number in range(3 * PART + 1)]}
    assert headers[b"content-length"] == b"%d" % len(body)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("POST", records(PART + 1)),
        ("PUT", records(PART)),
        ("PUT", records(501)),
        ("PUT", {"items": [{"external_id": "twice"}] * (PART + 1)}),
    ],
    ids=["new records", "a short one", "too many", "a name twice"],
)
async def test_what_must_be_judged_whole_is_passed_on_whole(method: str, said: dict[str, Any]) -> None:
    argilla = Argilla()
    await ask(people_first(argilla), method, PUSH, said)
    assert argilla.seen == [len(said["items"])]


async def test_an_invalid_record_is_told_by_its_place_in_the_whole_push() -> None:
    argilla, sent = Argilla(), records(2 * PART)
    sent["items"][PART + 3]["external_id"] = "bad"
    status, body, _ = await ask(people_first(argilla), "PUT", PUSH, sent)
    told = json.loads(body)
    assert status == 422 and told["detail"] == f"Record at position {PART + 3} is not valid"
    assert told["loc"] == ["body", "items", PART + 3]


async def test_a_part_waits_for_an_answer_that_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argilla_embedded.turns.PATIENCE_S", 60)
    argilla = Argilla()
    app = people_first(argilla)
    argilla.slow.clear()
    answering = asyncio.create_task(ask(app, "POST", ANSWER, {}))
    await asyncio.sleep(0)
    pushing = asyncio.create_task(ask(app, "PUT", PUSH, records(PART + 1)))
    for _ in range(20):
        await asyncio.sleep(0)
    assert argilla.seen == ["answer begins"]
    argilla.slow.set()
    await asyncio.gather(answering, pushing)
    assert argilla.seen == ["answer begins", "answer ends", PART, 1]


async def test_a_push_ends_though_somebody_always_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argilla_embedded.turns.PATIENCE_S", 0.01)
    argilla = Argilla()
    app = people_first(argilla)
    argilla.slow.clear()
    answering = asyncio.create_task(ask(app, "POST", ANSWER, {}))
    await asyncio.sleep(0)
    status, _, _ = await ask(app, "PUT", PUSH, records(PART + 1))
    assert status == 200 and argilla.seen == ["answer begins", PART, 1]
    argilla.slow.set()
    await answering
