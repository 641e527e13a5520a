"""Records and labels as Parquet tables that anybody can read: `value` is JSON; words and numbers stand plainly too."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from workbench.labelling.resolving import Resolved
from workbench.labelling.tasks import Task
from workbench.records import Label
from workbench.store.files import replacing, told_when_full
from workbench.store.parquet import Row, Table

if TYPE_CHECKING:
    import pyarrow as pa

RECORDS = "records.parquet"
LABELS = "labels.parquet"
RESOLVED = "resolved.parquet"
JSON_COLUMNS = frozenset({"messages", "contexts", "shown", "suggestions", "value"})


def write_rows(path: Path, nouns: Iterable[Task] | Iterable[Label] | Iterable[Resolved]) -> None:
    """Write records, labels or resolved answers as one table, whole or not at all."""
    schema = {RECORDS: _records, LABELS: _labels, RESOLVED: _resolved}[path.name]()
    with told_when_full(path), replacing(path) as temporary, Table(str(temporary), schema) as table:
        for noun in nouns:
            table.add(_row(noun))


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a table as the nouns take them."""
    import pyarrow.parquet as pq

    rows: list[Row] = pq.read_table(path, use_threads=False).to_pylist()
    for row in rows:
        for name in JSON_COLUMNS & row.keys():
            row[name] = orjson.loads(row[name])
        if "tags" in row:
            row["tags"] = dict(row["tags"])
    return rows


def _row(noun: Task | Label | Resolved) -> Row:
    row: Row = noun.model_dump(mode="json")
    if isinstance(noun, Label):
        row["word"] = noun.value if isinstance(noun.value, str) else None
        row["number"] = noun.value if isinstance(noun.value, int | float) else None
    elif isinstance(noun, Task):
        row["tags"] = [{"key": key, "value": value} for key, value in noun.tags.items()]
    return {name: _json(value) if name in JSON_COLUMNS else value for name, value in row.items()}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _records() -> pa.Schema:
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    columns = [("id", text), ("group", text), ("origin", text), ("tags", pa.map_(text, text)), ("messages", text)]
    more = [("outputs", texts), ("contexts", text), ("reference", text), ("shown", text), ("suggestions", text)]
    return pa.schema([*columns, *more])


def _labels() -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    columns = [("record_id", text), ("question", text), ("value", text), ("word", text), ("number", pa.float64())]
    return pa.schema([*columns, ("annotator", text), ("guideline", text), ("at", text)])


def _resolved() -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    columns = [("record_id", text), ("question", text), ("value", text), ("by", text), ("annotators", pa.list_(text))]
    return pa.schema([*columns, ("decided_by", text), ("reason", text), ("guideline", text)])
