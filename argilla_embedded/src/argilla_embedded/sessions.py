"""A new password ends the sessions that began under the old one.

Argilla's session tokens name a user and when they end, a day after they began, and nothing else; so whoever had one
kept it after a reset. This stands in front and refuses tokens that began before the user's last reset. API keys are not
sessions; `users reset --api-key` changes them.
"""

from __future__ import annotations

import base64
import json
import time
from typing import NamedTuple

from argilla_embedded.asgi import App, Message, Receive, Send
from argilla_embedded.home import Ended, Home

LASTS_S = 24 * 60 * 60
"""Seconds that Argilla's sessions last, by its own default."""
REFUSAL = json.dumps({"detail": {"code": "argilla.api.errors::UnauthorizedError", "params": {"detail": "signed out"}}})


class Session(NamedTuple):
    """What a token says of itself."""

    username: str
    began: int
    """Seconds since the epoch."""


def end_sessions(home: Home, username: str) -> None:
    """End every session of a user; return when new ones may begin, which is within a second: tokens know no less."""
    now = int(time.time()) + 1
    before = home.ended()
    kept = {} if before is None else {name: at for name, at in before.sessions.items() if at > now - LASTS_S}
    home.keep(Ended(sessions={**kept, username: now}))
    time.sleep(max(0.0, now - time.time()))


def ending_sessions(app: App, home: Home) -> App:
    """Return `app` that refuses the tokens of ended sessions."""
    file, seen, ended = home.path / "ended.json", 0, Ended(sessions={})

    def latest() -> Ended:
        nonlocal seen, ended
        changed = file.stat().st_mtime_ns if file.exists() else 0
        if changed != seen:
            ended, seen = home.ended() or Ended(sessions={}), changed
        return ended

    async def take(scope: Message, receive: Receive, send: Send) -> None:
        session = _session(scope) if scope["type"] == "http" else None
        if session is None or session.began >= latest().sessions.get(session.username, 0):
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(REFUSAL))]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": REFUSAL.encode()})

    return take


def _session(scope: Message) -> Session | None:
    """Return whose session a request belongs to; a token that is none is Argilla's to refuse."""
    for name, value in scope["headers"]:
        if name.lower() == b"authorization" and value[:7].lower() == b"bearer ":
            parts = value[7:].strip().split(b".")
            try:
                said = json.loads(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
                return Session(str(said["username"]), int(said["exp"]) - LASTS_S)
            except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
                return None
    return None
