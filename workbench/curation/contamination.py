"""Known benchmarks in what is learnt from or asked: by all words, 13 words in a row, or word triples, with examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field

from workbench.curation.firewall import ROWS_AT_ONCE, by_row, compared
from workbench.curation.guarded_texts import Learnt
from workbench.curation.known_marks import marked_texts
from workbench.curation.leaks import Guarded, How, Leak
from workbench.errors import DataError, Problem
from workbench.nouns import Many, Noun
from workbench.reading.rows import rows_of

FIELDS = ("question", "prompt", "instruction", "problem", "query", "input", "goal", "text")
"""Where a benchmark's rows have their question: the first of these that is there."""
EXAMPLES = 20
"""Examples that are kept of each benchmark."""


class Example(Noun):
    """A row in which a row of a benchmark is recognised."""

    id: str
    """The row."""
    text: str
    """What it says."""
    known: str
    """The benchmark's row."""
    known_text: str
    """What that says."""
    how: How
    """The strongest sign."""
    likeness: float
    """1, or for triples the share of the smaller text's in the other."""


class Contamination(Noun):
    """What of one benchmark a dataset holds."""

    benchmark: str
    """Its file's name."""
    n_benchmark: int = Field(ge=0)
    """Its rows."""
    n_rows: int = Field(ge=0)
    """Rows of the dataset in which one of them is recognised."""
    n_known: int = Field(ge=0)
    """Rows of the benchmark that are recognised at least once."""
    signs: dict[How, int] = {}
    """Rows by their strongest sign."""
    examples: Many[Example] = ()
    """Some of them, the most alike first."""


class Scan(Noun):
    """A dataset held against benchmarks."""

    dataset: str
    """What was scanned."""
    n: int = Field(ge=0)
    """Its rows."""
    found: Many[Contamination]
    """One a benchmark."""


def scan(dataset: str, rows: Iterable[Learnt], benchmarks: Mapping[str, Sequence[Guarded]]) -> Scan:
    """Hold rows, which are read once, against benchmarks by name."""
    known = {name: marked_texts(texts) for name, texts in benchmarks.items()}
    hits: dict[str, list[Leak]] = {name: [] for name in known}
    reading, n = iter(rows), 0
    while some := list(islice(reading, ROWS_AT_ONCE)):
        n += len(some)
        found = list(compared(some, known, {}))
        for name in known:
            hits[name] += [hit.leak for hit in by_row(name, (leak for of, leak in found if of == name))]
    return Scan(dataset=dataset, n=n, found=tuple(_told(name, len(benchmarks[name]), hits[name]) for name in known))


def read_benchmark(path: Path, field: str | None = None) -> list[Guarded]:
    """Return the questions of a benchmark's JSONL, CSV or Parquet file, without rows that cannot be read.

    `field` names where a row has its question; else it is the first of `FIELDS`, or the last message of `messages`.
    Raises `DataError` where no row has one.
    """
    found, first = [], None
    for row in rows_of(path):
        if isinstance(row.data, Problem):
            first = first or row.data
            continue
        text = _question(row.data, field)
        if text is None:
            names = ", ".join(list(row.data)[:10])
            fix = f"name it with --field; the row has: {names}"
            first = first or Problem("FIELD_MISSING", "no field holds a question", str(path), row.line, fix=fix)
            continue
        found.append(Guarded(str(row.data.get("id") or f"line {row.line}"), "", text))
    if not found:
        raise DataError(first or Problem("NO_RECORDS", "no row has a question", str(path), fix="name it with --field"))
    # Each row is a family of its own here, so that what many rows share counts as the benchmark's template.
    return [one._replace(group=f"{path.name}:{at}") for at, one in enumerate(found)]


def _question(row: Mapping[str, Any], field: str | None) -> str | None:
    names = (field,) if field else FIELDS
    text = next((row[name] for name in names if isinstance(row.get(name), str) and row[name].strip()), None)
    if text is None and not field and isinstance(turns := row.get("messages"), list):
        asked = [turn.get("content") for turn in turns if isinstance(turn, dict) and turn.get("role") == "user"]
        text = next((one for one in reversed(asked) if isinstance(one, str)), None)
    return text


def _told(name: str, n: int, hits: Sequence[Leak]) -> Contamination:
    best = sorted(hits, key=lambda leak: (-leak.likeness, leak.learnt.id))[:EXAMPLES]
    examples = [
        Example(id=one.id, text=one.text, known=other.id, known_text=other.text, how=how, likeness=likeness)
        for one, other, how, likeness in best
    ]
    return Contamination(
        benchmark=name,
        n_benchmark=n,
        n_rows=len(hits),
        n_known=len({leak.guarded.id for leak in hits}),
        signs=dict(Counter(leak.how for leak in hits)),
        examples=tuple(examples),
    )
