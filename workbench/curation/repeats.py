"""Which rows repeat an earlier one, which ids stand for two rows, and which pairs contradict each other."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.datasets import Use
from workbench.errors import Problem
from workbench.reading.stored import batches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_PROBLEMS = 10_000
"""Clashes after which no more are told."""


class Columns(NamedTuple):
    """What is kept of the rows of one dataset, in their order."""

    rows: Path
    """The table they were written to."""
    ids: array[int]
    """64-bit hash of each id, normalised to NFC."""
    lines: array[int]
    digests: bytearray
    """SHA-256 of each row."""
    contests: array[int]
    """Of pairs: what is compared, and in the last bit which side won."""


@dataclass
class Found:
    """Rows by their place, from 0, in each dataset."""

    repeated: dict[Use, set[int]]
    """The same row stands earlier."""
    contradicting: dict[Use, set[int]]
    """Another pair prefers the other answer."""
    problems: list[Problem] = field(default_factory=list)


def repeats(given: Mapping[Use, Columns], file: str) -> Found:
    """Look through rows that lie in one or several datasets; the same id may be in two of them."""
    import numpy as np

    found = Found({use: set() for use in given}, {use: set() for use in given})
    uses = list(given)
    ids = np.concatenate([np.array(given[use].ids, np.uint64) for use in uses])
    ends = np.cumsum([0, *(len(given[use].ids) for use in uses)])
    kept = bytearray().join(given[use].digests for use in uses)
    digests = np.frombuffer(kept, np.uint64).reshape(-1, 4) if kept else np.empty((0, 4), np.uint64)
    clashing: list[tuple[int, int]] = []
    for first, later in _twins(ids):
        if (digests[first] == digests[later]).all():
            use, at = _place(later, ends, uses)
            found.repeated[use].add(at)
        elif len(clashing) < MAX_PROBLEMS:
            clashing.append((first, later))
    if clashing:
        found.problems += _clashes(clashing, given, ends, uses, file)
    for use in uses:
        _contradictions(given[use], use, found, file)
    return found


def _twins(keys: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """Yield the place of the first row with a key, and of each later one."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    first = -1
    for at in np.flatnonzero(same):
        if first < 0 or not (at and same[at - 1]):
            first = int(order[at])
        yield first, int(order[at + 1])


def _place(at: int, ends: Any, uses: list[Use]) -> tuple[Use, int]:
    import numpy as np

    shelf = int(np.searchsorted(ends, at, side="right")) - 1
    return uses[shelf], at - int(ends[shelf])


def _clashes(
    clashing: list[tuple[int, int]], given: Mapping[Use, Columns], ends: Any, uses: list[Use], file: str
) -> list[Problem]:
    """Return what is wrong with ids that stand for two different rows."""
    wanted = {at for pair in clashing for at in pair}
    names: dict[int, str] = {}
    for number, use in enumerate(uses):
        start = int(ends[number])
        mine = {at - start for at in wanted if start <= at < int(ends[number + 1])}
        names |= {at + start: name for at, name in _ids(given[use].rows, mine)}
    lines = [line for use in uses for line in given[use].lines] if wanted else []
    found = []
    for first, later in clashing:
        one, other = names[first], names[later]
        if one == other:
            what = f"this id already stands on line {lines[first]} with other content"
            fix = "give each row its own id, or name them by their content with --new-ids"
            found.append(Problem("DUPLICATE_ID", what, file, lines[later], "id", repr(other), fix))
        elif unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other):
            what = f"two ids differ only in how Unicode composes a letter; the other is on line {lines[first]}"
            found.append(Problem("ID_LOOKALIKE", what, file, lines[later], "id", ascii(other), "normalise ids to NFC"))
    return found


def _ids(rows: Path, wanted: set[int]) -> Iterator[tuple[int, str]]:
    import pyarrow.parquet as pq

    number = 0
    with pq.ParquetFile(rows, pre_buffer=False) as file:
        for part in batches(file, 1000, ["id"]):
            names = part.column(0)
            for at in range(len(names)):
                if number + at in wanted:
                    yield number + at, names[at].as_py()
            number += len(names)


def _contradictions(columns: Columns, use: Use, found: Found, file: str) -> None:
    """Set pairs aside of which another one prefers the other answer: A over B, and B over A."""
    import numpy as np

    if not columns.contests:
        return
    contests = np.frombuffer(columns.contests, np.uint64)
    keys, ways = contests >> np.uint64(1), contests & np.uint64(1)
    order = np.argsort(keys, kind="stable")
    keys, ways = keys[order], ways[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    both = np.minimum.reduceat(ways, starts) != np.maximum.reduceat(ways, starts)
    lengths = np.diff([*starts, len(keys)])
    for start, length in zip(starts[both].tolist(), lengths[both].tolist(), strict=True):
        places = sorted(order[start : start + length].tolist())
        found.contradicting[use].update(places)
        line, others = columns.lines[places[0]], ", ".join(str(columns.lines[at]) for at in places[1:6])
        what = f"another pair prefers the other answer to the same prompt; line {others}"
        fix = "keep the right one, or let `pairs build` resolve them from labels"
        found.problems.append(Problem("CONTRADICTION", what, file, line, fix=fix))
