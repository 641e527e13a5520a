"""Stencils: how a row of a shape that came before is read, without doing everything again that its shape decides.

The first row of a shape is read as every row is (`reading.py`), with marks in the places of its texts. Where the marks
turn up in the canonical JSON, the texts of later rows of that shape are put. What is unusual in any way, in the row or
in what came of the marks, is not read here. A test holds that whatever is read comes out as `reading.py` reads it.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import orjson
from pydantic import ValidationError

from workbench.curation.formats.format import Dropped, Fields, Unfit
from workbench.curation.formats.reading import (
    LONG_TAG,
    NAMES,
    Recipe,
    content_name,
    prompts_of,
    spelled,
    understood,
)
from workbench.datasets import family_of_texts
from workbench.nouns import canonical_bytes

MOST, LONGEST = 1000, 100
"""Shapes that are kept, and texts that a row of one may have; other rows are read as every row is."""


class Quick(NamedTuple):
    """A row that was read by a stencil."""

    id: str
    family: str
    content: bytes
    """Canonical JSON."""
    contest: tuple[bytes, ...]
    """Of a pair, prompt, chosen and rejected side as canonical JSON."""


class Stencil(NamedTuple):
    """JSON with gaps."""

    parts: tuple[bytes, ...]
    """What stands around the gaps: every other one is a gap, and empty."""
    places: tuple[int, ...]
    """Which text goes into each gap."""

    def filled(self, texts: Sequence[bytes]) -> bytes:
        """Return the JSON with these texts, each given as JSON."""
        parts = list(self.parts)
        parts[1::2] = [texts[at] for at in self.places]
        return b"".join(parts)


def contest_texts(fields: Fields) -> tuple[bytes, ...]:
    """Return prompt, chosen and rejected side of a pair, each as JSON of who says what; of other rows nothing."""
    if "chosen" not in fields:
        return ()
    sides = (fields["prompt"], fields["chosen"]["messages"], fields["rejected"]["messages"])
    return tuple(canonical_bytes([(one["role"], one["content"]) for one in turns]) for turns in sides)


class Shape(NamedTuple):
    """What rows of one shape become."""

    whole: Stencil
    id: int
    """Which text is the id; past the last text where the row is named by its content."""
    named: Stencil | None
    """What the name is made from, where the row is named by its content."""
    asked: tuple[int, ...]
    """The texts that the family is made from."""
    contest: tuple[Stencil, ...]


class Stencils:
    """The stencils of one recipe, made as shapes turn up."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe, self._usual = recipe, recipe.format.usual
        self._columns: dict[tuple[str, ...], tuple[str, ...] | None] = {}
        self._shapes: dict[Hashable, Shape | None] = {}
        self._nonce = secrets.token_hex(8)

    def read(self, row: Fields) -> Quick | None:
        """Return what a row says; `None` where it is to be read as every row is."""
        if self._usual is None or (taken := self._usual.taken(row)) is None:
            return None
        if (besides := self._besides(tuple(row))) is None:
            return None
        looks, texts = taken
        if len(texts) > LONGEST:
            return None
        for name in besides:
            if (text := _short(row[name], name)) is None:
                return None
            texts.append(text)
        key = (besides, looks)
        if key not in self._shapes:
            self._shapes[key] = self._shape(row, besides, len(texts)) if len(self._shapes) < MOST else None
        shape = self._shapes[key]
        return None if shape is None else _read(shape, texts)

    def _besides(self, names: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return the columns beside the format's own: the id and what becomes tags; `None` for unusual ones."""
        if names not in self._columns:
            if len(self._columns) >= MOST:
                return None
            self._columns[names] = self._found(names)
        return self._columns[names]

    def _found(self, names: tuple[str, ...]) -> tuple[str, ...] | None:
        assert self._usual is not None
        besides = tuple(name for name in names if name not in self._usual.columns)
        odd = {*besides} & (self._recipe.format.columns | NAMES) - {"id"}
        return None if odd else besides

    def _shape(self, row: Fields, besides: tuple[str, ...], n: int) -> Shape | None:
        """Return the shape of a row; `None` where the marks do not come out as they went in."""
        assert self._usual is not None
        marks = [f"{self._nonce} {at}." for at in range(n)]
        feed = iter(marks)
        marked = self._usual.marked(row, feed) | dict(zip(besides, feed, strict=True))
        notes: Counter[str] = Counter()
        try:
            (found,) = understood(marked, self._recipe, notes)
        except (Unfit, Dropped, ValidationError):
            return None
        fields, kind = found.fields, self._recipe.format.kind
        asked = [*prompts_of(kind, fields)]
        if notes or fields["group"] or not {*asked} <= {*marks}:
            return None
        places = tuple(marks.index(text) for text in asked)
        if found.named:
            marks.append(f"{self._nonce} {n}.")
            fields = {**fields, "id": marks[n]}
        cuts = [_cut(text, marks) for text in (canonical_bytes(fields), found.named, *contest_texts(fields))]
        sure = [cut for cut in cuts if cut is not None]
        if len(sure) < len(cuts):
            return None
        return Shape(sure[0], marks.index(fields["id"]), sure[1] if found.named else None, places, tuple(sure[2:]))


def _cut(content: bytes, marks: Sequence[str]) -> Stencil | None:
    """Return JSON as a stencil; `None` where a mark stands within a longer text, or stands twice."""
    parts, places = [content], []
    for text, at in sorted((content.find(orjson.dumps(mark)), at) for at, mark in enumerate(marks)):
        if text < 0:
            continue
        before, _, after = parts.pop().partition(orjson.dumps(marks[at]))
        parts += [before, b"", after]
        places.append(at)
    left = b"".join(parts)
    return None if any(mark.encode() in left for mark in marks) else Stencil(tuple(parts), tuple(places))


def _short(value: object, name: str) -> str | None:
    """Return the text of a column beside the format's: an id, or a tag."""
    if name == "id":
        return value if type(value) is str and value else None
    return text if isinstance(value, str | int | float) and len(text := spelled(value)) <= LONG_TAG else None


def _read(shape: Shape, texts: list[str]) -> Quick | None:
    try:
        written = [*map(orjson.dumps, texts)]
    except TypeError:  # half of a surrogate pair
        return None
    if shape.named is None:
        id = texts[shape.id]
    else:
        id = content_name(shape.named.filled(written))
        written.append(orjson.dumps(id))
    family = family_of_texts([texts[at] for at in shape.asked])
    return Quick(id, family, shape.whole.filled(written), tuple([one.filled(written) for one in shape.contest]))
