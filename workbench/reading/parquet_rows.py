"""Rows of a Parquet file, in batches, nulls left out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from workbench.errors import DataError, Problem
from workbench.reading.rows import Columns, RawRow
from workbench.reading.source import Source
from workbench.reading.stored import batches
from workbench.store.files import sha256_of

BATCH = 256
"""Rows decoded at once."""


def parquet_rows(source: Source, columns: Columns | None = None) -> Iterator[RawRow]:
    """Yield the rows of a Parquet file; line is the 1-based row. Raises `DataError` where it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(source.path, pre_buffer=False) as file:
            names = _names(file.schema_arrow.names, columns, str(source))
            for batch in batches(file, BATCH, names):
                for row in plain_rows(batch.select(names), str(source), number):
                    number += 1
                    yield RawRow(number, row)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:
        reason = str(exc).splitlines()[0]
        fix = "write or download it again"
        raise DataError(Problem("PARQUET_CORRUPT", f"damaged Parquet: {reason}", str(source), fix=fix)) from exc
    source.unchanged(sha256_of(source.path))


def plain_rows(batch: Any, file: str, before: int) -> Iterator[dict[str, Any] | Problem]:
    """Yield the rows of an Arrow batch as plain data without nulls, or what is wrong; `before` rows stand above it."""
    for number, row in enumerate(_decoded(batch, file, before), before + 1):
        yield row if isinstance(row, Problem) else _row(row, file, number)


def _names(present: list[str], columns: Columns | None, file: str) -> list[str]:
    """Return the columns to read. Raises `DataError` where a needed one is missing or one stands twice."""
    names = [name for name in present if columns is None or name in columns.used]
    problems = [] if columns is None else columns.missing(present, file)
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        what = "two columns have this name"
        problems.append(Problem("DUPLICATE_KEY", what, file, None, name, None, "keep one of them"))
    if problems:
        raise DataError(problems)
    return names


def _decoded(batch: Any, file: str, before: int) -> Iterator[dict[str, Any] | Problem]:
    """Yield a batch's rows as plain data; where Arrow refuses to make one, row by row, what is wrong with it."""
    try:
        yield from batch.to_pylist(maps_as_pydicts="strict")
    except (KeyError, OverflowError):
        for at in range(batch.num_rows):
            yield _alone(batch, at, file, before + at + 1)


def _alone(batch: Any, at: int, file: str, line: int) -> dict[str, Any] | Problem:
    row: dict[str, Any] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            row[name] = column[at].as_py(maps_as_pydicts="strict")
        except KeyError:
            what, fix = "a key stands twice in one map", "keep one of them"
            return Problem("DUPLICATE_KEY", what, file, line, name, None, fix)
        except OverflowError as exc:
            return Problem("FIELD_VALUE", f"the value cannot be read: {exc}", file, line, name)
    return row


def _row(row: dict[str, Any], file: str, line: int) -> dict[str, Any] | Problem:
    for name, value in row.items():
        if not _finite(value):
            fix = "leave it out, or write a finite number"
            return Problem("NOT_FINITE", "NaN and infinities are no values", file, line, name, None, fix)
    kept: dict[str, Any] = _without_nulls(row)
    return kept


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_finite(v) for v in value.values())
    return all(_finite(v) for v in value) if isinstance(value, list) else True


def _without_nulls(value: Any) -> Any:
    """Drop null fields: Parquet writes every column for every row, and a null there means `not given`."""
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value
