"""Read a finished run's tables back into a journal, so that its answers can be scored anew without asking again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import orjson

from workbench.errors import DataError, Problem
from workbench.evaluation.engine import encode
from workbench.models import Output, OutputFailure, Usage
from workbench.records import Passage
from workbench.runs import Score, ScoreFailure
from workbench.store.home import RunFolder
from workbench.store.journal import Journal

Row = dict[str, Any]


async def restore(old: RunFolder, journal: Journal, keep: Collection[str], retry_failed: bool) -> None:
    """Copy answers, and the scores of the scorers to `keep`; leave out failures that are to be tried again."""
    for row in _rows(old.samples):
        answer = _answer(row)
        if not (retry_failed and isinstance(answer, OutputFailure)):
            journal.add_output(row["sample_id"], row["repeat"], encode(answer))
    for row in _rows(old.scores):
        if row["scorer"] not in keep or row["failure"] == "no_output":
            continue
        score = _score(row)
        if not (retry_failed and isinstance(score, ScoreFailure) and score.kind != "not_applicable"):
            journal.add_score(row["sample_id"], row["repeat"], row["scorer"], encode(score))
    await journal.flush()


def _rows(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(1024):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as exc:
        what = f"a table of this run cannot be read: {str(exc).splitlines()[0]}"
        raise DataError(Problem("DAMAGED_TABLE", what, str(path), fix="restore the run's folder")) from exc


def _answer(row: Row) -> Output | OutputFailure:
    usage = _usage(row)
    if row["failure"] is not None:
        return OutputFailure(kind=row["failure"], message=row["failure_message"], text=row["output"] or "", usage=usage)
    contexts = tuple(Passage.model_validate(c) for c in orjson.loads(row["contexts"] or "[]"))
    return Output(
        text=row["output"],
        contexts=contexts,
        finish_reason=row["finish_reason"],
        model=row["served_model"],
        usage=usage,
    )


def _score(row: Row) -> Score | ScoreFailure:
    if row["failure"] is not None:
        return ScoreFailure(
            kind=row["failure"], message=row["failure_message"], text=row["raw"] or "", usage=_usage(row)
        )
    return Score(
        value=row["value"], label=row["label"], reason=row["reason"], evidence=row["evidence"], usage=_usage(row)
    )


def _usage(row: Row) -> Usage:
    """Return what the old run measured. No attempts: the new run asked nobody, and must not count the money again."""
    return Usage(
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        cost=row["cost"],
        latency=row["latency"],
        attempts=0,
        cached=row["cached"],
    )
