"""Rows of a format as Parquet that `datasets`, TRL and pandas read: one schema, made from what the rows hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from workbench.curation.formats.format import Fields

BATCH = 1000
JSON = frozenset({"tools", "tags", "lineage", "shown", "labels", "resolved"})


def write_parquet(path: Path, rows: Iterable[Fields]) -> int:
    """Write rows; return how many. They wait in a file of JSON lines until their common schema is known.

    Tools, tags, lineage and what people said have no common one: they become JSON text, which TRL reads for tools too.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting, schema, n = path.with_name(f"{path.name}.rows"), None, 0
    try:
        with waiting.open("wb") as file:
            for batch in _batches(_plain(row) for row in rows):
                found = pa.Table.from_pylist(_whole(batch)).schema
                schema = found if schema is None else pa.unify_schemas([schema, found], promote_options="permissive")
                file.writelines(orjson.dumps(row) + b"\n" for row in batch)
                n += len(batch)
        with waiting.open("rb") as file, pq.ParquetWriter(path, schema or pa.schema([]), compression="zstd") as writer:
            for batch in _batches(orjson.loads(line) for line in file):
                writer.write_table(pa.Table.from_pylist(batch, schema=schema))
    finally:
        waiting.unlink(missing_ok=True)
    return n


def _plain(row: Fields) -> Fields:
    made = {k: orjson.dumps(v).decode() if k in JSON and not isinstance(v, str) else v for k, v in row.items()}
    if isinstance(made.get("reference"), str):
        made["reference"] = [made["reference"]]
    return made


def _whole(batch: list[Fields]) -> list[Fields]:
    """Return rows that all have every column: Arrow takes the columns from the first."""
    names = dict.fromkeys(name for row in batch for name in row)
    return [{name: row.get(name) for name in names} for row in batch]


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch
