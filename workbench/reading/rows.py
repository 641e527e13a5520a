"""One way in: rows of JSONL, CSV or Parquet, each with its line, each either data or a problem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workbench.errors import DataError, Problem
from workbench.reading.source import Source, open_source


class RawRow(NamedTuple):
    """One row as it was read."""

    line: int
    """1-based line where it begins; for Parquet the 1-based row."""
    data: dict[str, Any] | Problem
    """The row, or what is wrong with it."""
    note: str = ""
    """Code of what is unusual about it but accepted."""


class Columns(NamedTuple):
    """The columns that a reader of a wide log uses; whatever stands in the others is neither decoded nor judged."""

    used: frozenset[str]
    """Names of the columns to read."""
    needed: Mapping[str, str]
    """Columns without which no row makes sense, each with what to do when it is not there."""

    def missing(self, present: Sequence[str], file: str) -> list[Problem]:
        """Return a problem for each needed column that a table does not have."""
        there = f"its columns: {', '.join(present) or 'none'}"
        return [
            Problem("FIELD_MISSING", "the file has no such column", file, None, name, None, f"{fix}; {there}")
            for name, fix in self.needed.items()
            if name not in present
        ]


def rows_of(path: Path) -> Iterator[RawRow]:
    """Yield a file's rows in order. Raises `DataError` for what makes the whole file unusable."""
    yield from rows_in(open_source(path))


def rows_in(source: Source, columns: Columns | None = None) -> Iterator[RawRow]:
    """Yield an opened file's rows in order, chosen by its kind. Raises `DataError` if there are none.

    With `columns`, only those are read of a table. A line of JSONL is read whole: broken anywhere, it has no fields.
    """
    from workbench.reading.csv_rows import csv_rows
    from workbench.reading.json_rows import json_rows
    from workbench.reading.parquet_rows import parquet_rows

    if source.kind == "jsonl":
        rows = json_rows(source)
    elif source.kind == "parquet":
        rows = parquet_rows(source, columns)
    else:
        rows = csv_rows(source, "," if source.kind == "csv" else "\t", columns)
    empty = True
    for row in rows:
        if empty and not (isinstance(row.data, Problem) and row.data.code == "BLANK_LINE"):
            empty = False
        yield row
    if empty:
        raise DataError(Problem("NO_RECORDS", "no records in the file", str(source), fix="write rows into it"))
