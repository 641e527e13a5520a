"""Keeping a key out of every message, also when a server echoes it."""

from __future__ import annotations

import base64
from urllib.parse import quote

SHORTEST = 4
"""Characters below which a key is a dummy: hiding it would only garble messages."""
BEGINNING = 12
"""A cut echo still gives a key away: its first characters are hidden too."""
HIDDEN = "[secret]"


def redact(text: str, key: str) -> str:
    """Return `text` without `key`, whether raw, URL-encoded, in base64, or cut after its beginning."""
    if len(key) < SHORTEST:
        return text
    encoded = base64.b64encode(key.encode()).decode()
    # The longest forms first: the beginning of a key is in the key.
    for form in (key, quote(key, safe=""), encoded, encoded.rstrip("="), key[:BEGINNING]):
        text = text.replace(form, HIDDEN)
    return text


def one_line(text: str, limit: int = 300) -> str:
    """Return a server's words fit for a message: one line of at most `limit` printable characters."""
    line = " ".join(text.split())
    line = line if len(line) <= limit else line[: limit - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
