"""Rows read by their format, named and hashed: a batch of them, column by column."""

from __future__ import annotations

import hashlib
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError

from workbench.curation.formats.format import Dropped, Fields, Unfit
from workbench.curation.formats.reading import Recipe, problems_of, understood
from workbench.curation.formats.stencils import Quick, Stencils, contest_texts
from workbench.errors import Problem
from workbench.nouns import canonical_bytes
from workbench.reading.faults import gravity
from workbench.reading.hashes import short_hash
from workbench.reading.json_rows import block_rows
from workbench.reading.rows import RawRow


@dataclass
class Batch:
    """Rows that were read, column by column, and what was found on the way."""

    names: list[str] = field(default_factory=list)
    """Id of each row."""
    groups: list[str] = field(default_factory=list)
    """Its family."""
    contents: list[bytes] = field(default_factory=list)
    """Its canonical JSON."""
    lines: array[int] = field(default_factory=lambda: array("Q"))
    """Line of each row."""
    contests: array[int] = field(default_factory=lambda: array("Q"))
    """For pairs a hash of prompt and both answers whichever is preferred; its last bit says which."""
    digests: bytes = b""
    """SHA-256 of each row's JSON."""
    ids: array[int] = field(default_factory=lambda: array("Q"))
    """64-bit hash of each id, normalised to NFC."""
    families: array[int] = field(default_factory=lambda: array("Q"))
    """64-bit hash of each family."""
    labels: list[tuple[str, Fields]] = field(default_factory=list)
    """What was said of records, by record."""
    problems: list[Problem] = field(default_factory=list)
    n_set_aside: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    size: int = 0
    """Bytes of the source that it holds; 0 where that is not known."""

    def add(self, row: Quick, line: int) -> None:
        """Append a row."""
        self.names.append(row.id)
        self.groups.append(row.family)
        self.contents.append(row.content)
        self.lines.append(line)
        if row.contest:
            self.contests.append(_contest(*row.contest))

    def close(self) -> None:
        """Hash what was added, and count what is unusual about it."""
        self.digests = b"".join([hashlib.sha256(content).digest() for content in self.contents])
        self.ids = array("Q", map(short_hash, map(_composed, self.names)))
        self.families = array("Q", map(short_hash, self.groups))
        if n := n_hidden(self.contents):
            self.notes["HIDDEN_CHARACTER"] += n

    def refuse(self, problems: list[Problem]) -> None:
        """Leave a row out and tell why, or count what is only to be noted."""
        if gravity(problems[0]) == "note":
            self.notes[problems[0].code] += 1
        else:
            self.n_set_aside += 1
            self.problems += problems


def read_block(block: bytes, file: str, before: int, recipe: Recipe, stencils: Stencils) -> Batch:
    """Return the rows of whole lines of JSONL, of which `before` stand above.

    Raises `DataError` where the file's first row shows that it is not JSONL.
    """
    batch = read_rows(block_rows(block, file, before, not before), recipe, stencils, file)
    batch.size = len(block)
    return batch


def read_rows(rows: Iterable[RawRow], recipe: Recipe, stencils: Stencils, file: str) -> Batch:
    """Return rows as their format understands them, and what is wrong with the others."""
    batch = Batch()
    for line, data, note in rows:
        if isinstance(data, Problem):
            batch.refuse([data])
            continue
        if note:
            batch.notes[note] += 1
        if recipe.tables:
            data = _without_empty(data)
        if (quick := stencils.read(data)) is not None:
            batch.add(quick, line)
        else:
            _read_row(batch, data, recipe, file, line)
    batch.close()
    return batch


def _read_row(batch: Batch, row: Fields, recipe: Recipe, file: str, line: int) -> None:
    """Read one row as any row can be read."""
    try:
        for fields, family, labels, _ in understood(row, recipe, batch.notes):
            batch.add(Quick(fields["id"], family, canonical_bytes(fields), contest_texts(fields)), line)
            batch.labels += [(fields["id"], label) for label in labels]
    except Dropped as exc:
        batch.dropped[str(exc)] += 1
    except (Unfit, ValidationError) as exc:
        batch.refuse(problems_of(exc, recipe.format.kind, file, line))


def _composed(id: str) -> str:
    return id if id.isascii() else unicodedata.normalize("NFC", id)


def _contest(asked: bytes, chosen: bytes, rejected: bytes) -> int:
    sides = sorted([chosen, rejected])
    key = int.from_bytes(hashlib.sha256(b"\0".join([asked, *sides])).digest()[:8], "big")
    return key & ~1 | (chosen < rejected)


def n_hidden(contents: list[bytes]) -> int:
    """Count the rows that hold zero-width or bidirectional control characters.

    These are U+00AD, U+200B–200F, U+202A–202E, U+2060–2064, U+2066–2069 and U+FEFF, looked for in UTF-8.
    """
    joined = b"".join(contents)
    if joined.isascii():
        return 0
    import numpy as np

    octets = np.frombuffer(joined + b"\0\0", np.uint8)
    places = []
    for lead, tails in HIDDEN.items():
        at = np.flatnonzero(octets == lead)
        places.append(at[np.isin((octets[at + 1].astype(np.uint16) << 8) | octets[at + 2], tails)])
    ends = np.cumsum([len(content) for content in contents])
    return len(np.unique(np.searchsorted(ends, np.concatenate(places), side="right")))


def _tails(*ranges: tuple[int, int]) -> list[int]:
    """Return the last two octets, as a number, of the UTF-8 of characters of these ranges."""
    return [int.from_bytes(chr(c).encode()[-2:], "big") for first, last in ranges for c in range(first, last + 1)]


HIDDEN = {
    0xE2: _tails((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064), (0x2066, 0x2069)),
    0xEF: _tails((0xFEFF, 0xFEFF)),
    0xC2: [0xAD00 | octet for octet in range(256)],
}
"""By the first octet of a character's UTF-8, what the next two are; a soft hyphen has only one."""


def _without_empty(row: Fields) -> Fields:
    return {name: cell for name, cell in row.items() if cell != ""}
