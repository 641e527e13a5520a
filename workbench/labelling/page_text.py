"""Texts on Argilla's page: shown literally, and marked where the annotator marked.

Argilla 2.8 puts the text of *every* field into its page as HTML, Markdown or not, so a script in a model's answer would
run in the annotator's browser. Texts are therefore pushed escaped. The page's selection counts what the reader sees, in
UTF-16 units as browsers do, while the server checks a span against the length of what it was given; labels here count
code points. Characters beyond the basic plane count twice there, so a marked text is padded with a blank for each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;", "\0": "\N{REPLACEMENT CHARACTER}"}
"""A carriage return would be lost when the page is made, and everything behind it would move; no database takes NUL."""
TABLE = str.maketrans(ESCAPES)


def escaped(text: str) -> str:
    """Return a text that the page shows as it is."""
    return text.translate(TABLE)


def unescaped(text: str) -> str:
    """Return what `escaped` was given, apart from NUL."""
    for character, entity in reversed(ESCAPES.items()):
        if character != "\0":
            text = text.replace(entity, character)
    return text


def clipped(text: str, most: int) -> str:
    """Return as much of a text as takes at most `most` characters when it is escaped, and say how much is missing."""
    if len(text) <= most and len(escaped(text)) <= most:
        return text
    sizes = list(accumulate(len(ESCAPES.get(c, c)) for c in text))
    kept = bisect_right(sizes, most - 100)
    return f"{text[:kept]}\n\n[cut here: {len(text) - kept} more characters]"


def padded(text: str) -> str:
    """Return a text to be marked, with a blank for each character that UTF-16 counts twice."""
    return text + " " * _doubled(text)


def unpadded(text: str) -> str:
    """Return what `padded` was given."""
    return text[: len(text) - _doubled(text)]


def utf16_places(text: str) -> Sequence[int]:
    """Return where each code point, and the end, lies in UTF-16 units."""
    if text.isascii():
        return range(len(text) + 1)
    return list(accumulate((2 if ord(c) > 0xFFFF else 1 for c in text), initial=0))


def _doubled(text: str) -> int:
    return 0 if text.isascii() else sum(ord(c) > 0xFFFF for c in text)
