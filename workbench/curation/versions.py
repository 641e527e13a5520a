"""Two versions of a dataset, row by row: what was added, removed and changed, in which field and in which words."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field

from workbench.nouns import Many, Noun, plain_of
from workbench.reading.stored import StoredDataset

MOST_WORDS = 4000
"""Words of a text beyond which it is told as a whole: comparing takes time by their square."""
WORD = re.compile(r"\s+|[^\s]+")


class Piece(Noun):
    """A stretch of a text that is the same, was taken out, or was put in."""

    kind: Literal["same", "out", "in"]
    """Which of them."""
    text: str
    """The stretch, spaces included."""


class FieldChange(Noun):
    """A field that differs; what is not there is `null`."""

    field: str
    """Its path, such as `messages[1].content`."""
    before: str | int | float | bool | None = None
    """What stood there."""
    after: str | int | float | bool | None = None
    """What stands there now."""
    words: Many[Piece] = ()
    """For texts: word by word."""


class Changed(Noun):
    """A row with one id that differs."""

    id: str
    """The row's id."""
    fields: Many[FieldChange]
    """Every field that differs."""


class Move(Noun):
    """A row that now belongs elsewhere."""

    id: str
    """The row's id."""
    what: Literal["group", "side"]
    """Its prompt family, or its side of the firewall."""
    before: str
    """Where it was."""
    after: str
    """Where it is now."""


class Diff(Noun):
    """What is different between two versions; rows are told apart by their ids."""

    before: Many[str]
    """The older stored datasets, as `<name>-<use>@<fingerprint>`."""
    after: Many[str]
    """The newer ones."""
    n_before: int = Field(ge=0)
    """Rows of the older version."""
    n_after: int = Field(ge=0)
    """Rows of the newer one."""
    n_same: int = Field(ge=0)
    """Rows that are equal."""
    added: Many[str] = ()
    """Ids that are new."""
    removed: Many[str] = ()
    """Ids that are gone."""
    changed: Many[Changed] = ()
    """Rows that differ."""
    moved: Many[Move] = ()
    """Rows that changed their family or their side."""


class _Place(NamedTuple):
    digest: bytes
    family: str
    side: str


def diff(before: Sequence[StoredDataset], after: Sequence[StoredDataset]) -> Diff:
    """Return what differs between two versions, each given as its sides; memory holds a line for each row of both."""
    old, new = _places(before), _places(after)
    changed = {name for name in old.keys() & new.keys() if old[name].digest != new[name].digest}
    was, now = _rows(before, changed), _rows(after, changed)
    return Diff(
        before=tuple(map(_named, before)),
        after=tuple(map(_named, after)),
        n_before=len(old),
        n_after=len(new),
        n_same=len((old.keys() & new.keys()) - changed),
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed=tuple(
            Changed(id=name, fields=tuple(field_changes(was[name], now[name]))) for name in new if name in changed
        ),
        moved=tuple(move for name in new if name in old for move in _moves(name, old[name], new[name])),
    )


def word_diff(before: str, after: str) -> tuple[Piece, ...]:
    """Return how one text becomes another, by words and the spaces between them."""
    a, b = WORD.findall(before), WORD.findall(after)
    if max(len(a), len(b)) > MOST_WORDS:
        return Piece(kind="out", text=before), Piece(kind="in", text=after)
    found: list[Piece] = []
    for how, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if how == "equal":
            found.append(Piece(kind="same", text="".join(a[i:j])))
            continue
        if j > i:
            found.append(Piece(kind="out", text="".join(a[i:j])))
        if m > k:
            found.append(Piece(kind="in", text="".join(b[k:m])))
    return tuple(found)


def _places(sides: Iterable[StoredDataset]) -> dict[str, _Place]:
    return {
        row.id: _Place(hashlib.sha256(row.text.encode()).digest(), row.family, stored.manifest.use)
        for stored in sides
        for rows in stored.iter_rows()
        for row in rows
    }


def _rows(sides: Iterable[StoredDataset], wanted: set[str]) -> dict[str, dict[str, Any]]:
    found = (row for stored in sides for rows in stored.iter_rows() for row in rows if row.id in wanted)
    return {row.id: plain_of(row.text) for row in found}


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    """Yield every field in which two rows, as plain data, differ."""
    was, now = dict(_flat("", before)), dict(_flat("", after))
    for path in [*was, *(path for path in now if path not in was)]:
        old, new = was.get(path), now.get(path)
        if old != new:
            words = word_diff(old, new) if isinstance(old, str) and isinstance(new, str) else ()
            yield FieldChange(field=path, before=old, after=new, words=words)


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the plain values of nested data with their paths."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _flat(f"{path}[{at}]", inner)
    else:
        yield path, value


def _moves(name: str, before: _Place, after: _Place) -> Iterator[Move]:
    if before.family != after.family:
        yield Move(id=name, what="group", before=before.family, after=after.family)
    if before.side != after.side:
        yield Move(id=name, what="side", before=before.side, after=after.side)


def _named(stored: StoredDataset) -> str:
    return f"{stored.path.parent.name}@{stored.manifest.fingerprint[:12]}"
