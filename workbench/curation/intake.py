"""Rows of a source, a batch at a time: read by their format, named, hashed; in this process, or a file's lines in two.

Parsing and checking 1 GB takes some 20 seconds of one processor. Blocks of lines are independent of each other, so two
processes read them while this one hashes the file and writes; they come back in order.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import signal
import unicodedata
from array import array
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from pydantic import ValidationError

from workbench.curation.formats.format import Dropped, Fields, Unfit
from workbench.curation.formats.reading import Recipe, problems_of, understood
from workbench.curation.formats.table import BY_NAME
from workbench.errors import Problem
from workbench.nouns import canonical_bytes
from workbench.reading.folders import Given
from workbench.reading.hashes import short_hash
from workbench.reading.json_rows import block_rows, lines_in
from workbench.reading.rows import RawRow

AT_ONCE = 512
"""Rows of a batch that is read in this process."""
LARGE = 16 * 2**20
"""Bytes of a JSONL file from which on two processes read it; starting them takes half a second."""
WORKERS = 2
HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""Zero-width and bidirectional control characters."""


@dataclass
class Batch:
    """Rows that were read, column by column, and what was found on the way."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    """Id, family and canonical JSON."""
    lines: array[int] = field(default_factory=lambda: array("Q"))
    """Line of each row."""
    digests: bytearray = field(default_factory=bytearray)
    """SHA-256 of each row's JSON."""
    ids: array[int] = field(default_factory=lambda: array("Q"))
    """64-bit hash of each id, normalised to NFC."""
    families: array[int] = field(default_factory=lambda: array("Q"))
    """64-bit hash of each family."""
    contests: array[int] = field(default_factory=lambda: array("Q"))
    """For pairs a hash of prompt and both answers whichever is preferred; its last bit says which."""
    labels: list[tuple[str, Fields]] = field(default_factory=list)
    """What was said of records, by record."""
    problems: list[Problem] = field(default_factory=list)
    n_set_aside: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    size: int = 0
    """Bytes of the source that it holds; 0 where that is not known."""


def batches(given: Given, recipe: Recipe) -> Iterator[Batch]:
    """Yield a source's rows in order. Raises `DataError` for what makes it unusable as a whole."""
    source = given.source
    if source is not None and source.kind == "jsonl" and source.size >= LARGE and recipe.corpus is None:
        yield from _in_parallel(given, recipe)
        return
    rows = given.rows()
    while some := list(itertools.islice(rows, AT_ONCE)):
        yield read_rows(some, recipe, str(given.path))


def read_rows(rows: Iterable[RawRow], recipe: Recipe, file: str) -> Batch:
    """Return rows as their format understands them, and what is wrong with the others."""
    batch = Batch()
    for row in rows:
        if isinstance(row.data, Problem):
            _refuse(batch, [row.data])
            continue
        if row.note:
            batch.notes[row.note] += 1
        try:
            data = _without_empty(row.data) if recipe.tables else row.data
            for one in understood(data, recipe, batch.notes):
                _add(batch, one.fields, one.family, row.line)
                batch.labels += [(one.fields["id"], label) for label in one.labels]
        except Dropped as exc:
            batch.dropped[str(exc)] += 1
        except (Unfit, ValidationError) as exc:
            _refuse(batch, problems_of(exc, recipe.format.kind, file, row.line))
    return batch


def _add(batch: Batch, fields: Fields, family: str, line: int) -> None:
    content = canonical_bytes(fields)
    text, id = content.decode(), fields["id"]
    if not content.isascii() and HIDDEN.search(text):
        batch.notes["HIDDEN_CHARACTER"] += 1
    batch.rows.append((id, family, text))
    batch.lines.append(line)
    batch.digests += hashlib.sha256(content).digest()
    batch.ids.append(short_hash(id if id.isascii() else unicodedata.normalize("NFC", id)))
    batch.families.append(short_hash(family))
    if "chosen" in fields:
        batch.contests.append(_contest(fields))


def _contest(fields: Fields) -> int:
    sides = [
        canonical_bytes([(m["role"], m["content"]) for m in fields[s]["messages"]]) for s in ("chosen", "rejected")
    ]
    asked = canonical_bytes([(m["role"], m["content"]) for m in fields["prompt"]])
    key = int.from_bytes(hashlib.sha256(b"\0".join([asked, *sorted(sides)])).digest()[:8], "big")
    return key & ~1 | (sides[0] < sides[1])


def _refuse(batch: Batch, problems: list[Problem]) -> None:
    from workbench.reading.faults import gravity

    if gravity(problems[0]) == "note":
        batch.notes[problems[0].code] += 1
    else:
        batch.n_set_aside += 1
        batch.problems += problems


def _without_empty(row: Fields) -> Fields:
    return {name: cell for name, cell in row.items() if cell != ""}


# ---------------------------------------------------------------- in two processes


def _in_parallel(given: Given, recipe: Recipe) -> Iterator[Batch]:
    assert given.source is not None
    file, number = str(given.path), 0
    plain = (recipe.format.name, recipe.new_ids, recipe.synthetic)
    workers = min(WORKERS, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, get_context("spawn"), _quiet) as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            for block in given.source.blocks():
                if number == 0:  # here, because its first row may show that the file is no JSONL
                    yield _sized(read_rows(block_rows(block, file, 0, True), recipe, file), block)
                else:
                    waiting.append(pool.submit(_block, block, file, number, plain))
                number += lines_in(block)
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _quiet() -> None:
    """Leave Ctrl-C to the process that asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _block(block: bytes, file: str, before: int, plain: tuple[str, bool, bool]) -> Batch:
    recipe = Recipe(BY_NAME[plain[0]], plain[1], plain[2])
    return _sized(read_rows(block_rows(block, file, before), recipe, file), block)


def _sized(batch: Batch, block: bytes) -> Batch:
    batch.size = len(block)
    return batch
