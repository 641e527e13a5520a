"""Texts on Argilla's page: shown literally, and marked where the annotator marked.

Argilla 2.8 puts the text of *every* field into its page as HTML, Markdown or not, so a script in a model's answer would
run in the annotator's browser. HTML takes `<` for a tag only before a letter, `/`, `!` or `?`, and `&` for an entity
only before a letter, a digit or `#`; so an invisible character is put in between. Written as entities, texts would be
as safe, but previews would show `&lt;` and a search for `lt` would find every bracket.

The page's selection counts what is in the page, in UTF-16 units as browsers do, while the server checks a span against
the length of what it was given; labels here count code points of the text itself. Characters beyond the basic plane
count twice there, so a marked text is padded with a blank for each.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

JOINER = "\N{WORD JOINER}"
"""Has no width and is part of no word, tag or entity."""
MARKUP = re.compile(rf"<(?={JOINER}*[A-Za-z/!?])|&(?={JOINER}*[A-Za-z0-9#])")
"""What HTML would take for the beginning of a tag or an entity, also where joiners of the text itself lie between."""
JOINED = re.compile(rf"(<){JOINER}(?={JOINER}*[A-Za-z/!?])|(&){JOINER}(?={JOINER}*[A-Za-z0-9#])")
ENTITIES = {"\r": "&#13;", "\0": "\N{REPLACEMENT CHARACTER}"}
"""A carriage return would be lost when the page is made, and everything behind it would move; no database takes NUL."""


def escaped(text: str) -> str:
    """Return a text that the page shows as it is."""
    text = MARKUP.sub(rf"\g<0>{JOINER}", text)
    for character, entity in ENTITIES.items():
        text = text.replace(character, entity)
    return text


def unescaped(text: str) -> str:
    """Return what `escaped` was given, apart from NUL; also of what somebody copied from the page."""
    return JOINED.sub(r"\1\2", text.replace(ENTITIES["\r"], "\r"))


def clipped(text: str, most: int) -> str:
    """Return as much of a text as takes at most `most` characters when it is escaped, and say how much is missing."""
    if len(text) <= most and len(escaped(text)) <= most:
        return text
    sizes = list(accumulate(2 if c in "<&" else len(ENTITIES.get(c, c)) for c in text))
    kept = bisect_right(sizes, most - 100)
    return f"{text[:kept]}\n\n[cut here: {len(text) - kept} more characters]"


def padded(text: str) -> str:
    """Return a text to be marked, with a blank for each character that UTF-16 counts twice."""
    return text + " " * _doubled(text)


def unpadded(text: str) -> str:
    """Return what `padded` was given."""
    return text[: len(text) - _doubled(text)]


def page_places(text: str) -> Sequence[int]:
    """Return where each code point, and the end, of a text lies on the page, in UTF-16 units."""
    joined = {found.start() for found in MARKUP.finditer(text)}
    if text.isascii() and not joined:
        return range(len(text) + 1)
    widths = ((2 if ord(c) > 0xFFFF else 1) + (at in joined) for at, c in enumerate(text))
    return list(accumulate(widths, initial=0))


def _doubled(text: str) -> int:
    return 0 if text.isascii() else sum(ord(c) > 0xFFFF for c in text)
