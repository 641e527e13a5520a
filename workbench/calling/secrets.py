"""Keeping a key out of everything that is shown or kept, also when a server echoes it.

Our messages are edited. What a model said never is: an answer that gives the key away is not kept at all.
"""

from __future__ import annotations

import base64
from urllib.parse import quote

SHORTEST = 4
"""Characters below which a key is a dummy: hiding it would only garble messages."""
BEGINNING = 12
"""A cut echo still gives a key away: this many of its first characters count as the key."""
LONGEST = 2000
"""Characters of a server's words that are looked at for a message."""
HIDDEN = "[secret]"


def redact(text: str, key: str) -> str:
    """Return a message of at most `LONGEST` characters without `key`, however written and wherever cut.

    An empty key, which is none, hides nothing.
    """
    text = text[:LONGEST]
    if len(key) < SHORTEST:
        return text
    for whole, beginning in zip(_written(key), _written(key[:BEGINNING]), strict=True):
        # The longest first, so that nothing is left over behind the part that was hidden.
        for length in range(len(whole), len(beginning) - 1, -1):
            text = text.replace(whole[:length], HIDDEN)
    return text


def repeats(text: str, key: str) -> bool:
    """Whether a text gives a key away; a key shorter than `BEGINNING` is a word like any other and no secret."""
    return len(key) >= BEGINNING and any(form in text for form in _written(key[:BEGINNING]))


def _written(key: str) -> list[str]:
    """Return how a server may write a key; what it writes for the beginning of a key begins what it writes for it."""
    forms = [key, quote(key, safe=""), key.replace("/", "\\/")]
    # In base64 the letters depend on how many bytes stand before, as in `user:key`; those of a neighbour are left out.
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        raw = b" " * before + key.encode()
        form = base64.b64encode(raw)[shared : len(raw) * 8 // 6].decode()
        forms += [form, form.replace("+", "-").replace("/", "_")]
    return forms


def one_line(text: str, limit: int = 300) -> str:
    """Return a server's words fit for a message: one line of at most `limit` printable characters."""
    line = " ".join(text.split())
    line = line if len(line) <= limit else line[: limit - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
