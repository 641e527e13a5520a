"""The answers of a finished run, each with the sample as a scorer saw it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import TypeAdapter

from workbench.datasets import Sample
from workbench.models import Output
from workbench.records import Passage
from workbench.store.home import RunFolder

PASSAGES: TypeAdapter[tuple[Passage, ...]] = TypeAdapter(tuple[Passage, ...])


@dataclass(frozen=True)
class RunAnswer:
    """One answer."""

    id: str
    """The record id that labelling gives it: the sample's, with `#1` for its second answer."""
    sample: Sample
    output: Output

    @property
    def group(self) -> str:
        """Its prompt family."""
        return self.sample.group


def run_answers(folder: RunFolder) -> Iterator[RunAnswer]:
    """Yield what a finished run answered, in its order; answers that failed are left out."""
    import pyarrow.parquet as pq

    for row in pq.read_table(folder.samples, use_threads=False).to_pylist():
        if row["output"] is not None and not row["failure"]:
            yield _answer(row)


def _answer(row: dict[str, Any]) -> RunAnswer:
    sample = Sample.model_validate(
        {
            "id": row["sample_id"],
            "group": row["family"],
            "messages": orjson.loads(row["messages"]),
            "references": row["references"] or [],
            "contexts": orjson.loads(row["given_contexts"] or "[]"),
            "tags": dict(row["tags"]),
        }
    )
    output = Output(text=row["output"], contexts=PASSAGES.validate_json(row["contexts"] or "[]"))
    id = row["sample_id"] if row["repeat"] == 0 else f"{row['sample_id']}#{row['repeat']}"
    return RunAnswer(id, sample, output)
