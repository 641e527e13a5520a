"""The one route of Argilla that tells annotators what others answered, shut; nothing else is touched."""

from __future__ import annotations

import json

import pytest

from argilla_embedded.asgi import App, Message, Receive, Send
from argilla_embedded.private_answers import keeping_answers_private

RECORD = {
    "id": "r",
    "fields": {"text": "é"},
    "responses": [{"user_id": "me", "values": 1}, {"user_id": "other", "values": 2}],
}


def argilla(role: str, status: int = 200) -> App:
    """Return an app that answers as Argilla does to a user `me`."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        said = {"id": "me", "role": role} if scope["path"] == "/api/v1/me" else RECORD
        scope["path"] = "written by routing"
        body = json.dumps(said).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body[:5], "more_body": True})
        await send({"type": "http.response.body", "body": body[5:]})

    return app


async def ask(app: App, method: str, path: str) -> tuple[Message, bytes]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    headers = [(b"x-argilla-api-key", b"k"), (b"accept-encoding", b"br")]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
    await keeping_answers_private(app)(scope, receive, send)
    return sent[0], b"".join(each["body"] for each in sent[1:])


async def test_an_annotator_gets_own_answers_with_the_right_length() -> None:
    start, body = await ask(argilla("annotator"), "GET", "/api/v1/records/r")
    assert [each["user_id"] for each in json.loads(body)["responses"]] == ["me"]
    assert json.loads(body)["fields"] == {"text": "é"}
    assert dict(start["headers"])[b"content-length"] == b"%d" % len(body)


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_owner_and_admin_get_all(role: str) -> None:
    _, body = await ask(argilla(role), "GET", "/api/v1/records/r")
    assert len(json.loads(body)["responses"]) == 2


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/api/v1/records/r"), ("GET", "/api/v1/records/r/suggestions"), ("GET", "/")]
)
async def test_other_routes_pass_untouched(method: str, path: str) -> None:
    _, body = await ask(argilla("annotator"), method, path)
    assert json.loads(body) == RECORD


async def test_a_refusal_passes_untouched() -> None:
    start, body = await ask(argilla("annotator", 403), "GET", "/api/v1/records/r")
    assert start["status"] == 403 and json.loads(body) == RECORD
