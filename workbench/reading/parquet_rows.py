"""Rows of a Parquet file, in batches, nulls left out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from workbench.errors import DataError, Problem
from workbench.reading.rows import RawRow
from workbench.reading.source import Source
from workbench.reading.stored import batches
from workbench.store.files import sha256_of

BATCH = 256
"""Rows decoded at once."""


def parquet_rows(source: Source) -> Iterator[RawRow]:
    """Yield the rows of a Parquet file; line is the 1-based row. Raises `DataError` where it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(source.path, pre_buffer=False) as file:
            for batch in batches(file, BATCH):
                for row in batch.to_pylist(maps_as_pydicts="strict"):
                    number += 1
                    yield RawRow(number, _row(row, str(source), number))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:
        reason = str(exc).splitlines()[0]
        fix = "write or download it again"
        raise DataError(Problem("PARQUET_CORRUPT", f"damaged Parquet: {reason}", str(source), fix=fix)) from exc
    source.unchanged(sha256_of(source.path))


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
