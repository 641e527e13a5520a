"""An annotator who asks for one record sees own answers only.

Argilla 2.8 gives `GET /api/v1/records/{id}` with everybody's answers to every member of the workspace, though each of
its other routes keeps them apart. This stands in front of that route and leaves others' answers out for annotators.
"""

from __future__ import annotations

import json
import re
from typing import Any

from argilla_embedded.asgi import App, Message, Receive, Send, collect

ONE_RECORD = re.compile(r"/api/v1/records/[^/]+/?")
SEES_ALL = ("owner", "admin")


def keeping_answers_private(app: App) -> App:
    """Return `app` whose single records hold, for annotators, their own answers only."""

    async def keep(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not ONE_RECORD.fullmatch(scope["path"]):
            await app(scope, receive, send)
            return
        plain = {**scope, "headers": [each for each in scope["headers"] if each[0] != b"accept-encoding"]}
        start, body = await collect(app, plain)
        if start["status"] == 200:
            body = await _without_others(app, plain, body)
            kept = [each for each in start["headers"] if each[0].lower() != b"content-length"]
            start["headers"] = [*kept, (b"content-length", b"%d" % len(body))]
        await send(start)
        await send({"type": "http.response.body", "body": body})

    return keep


async def _without_others(app: App, scope: Message, body: bytes) -> bytes:
    me = {**scope, "path": "/api/v1/me", "raw_path": b"/api/v1/me", "query_string": b""}
    start, said = await collect(app, me)
    if start["status"] != 200:
        raise RuntimeError(f"Argilla let a user read a record, but answers /me with {start['status']}")
    user = json.loads(said)
    record: dict[str, Any] = json.loads(body)
    if user["role"] in SEES_ALL or not record.get("responses"):
        return body
    record["responses"] = [each for each in record["responses"] if each["user_id"] == user["id"]]
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
