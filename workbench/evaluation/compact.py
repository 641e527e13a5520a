"""Turn a complete journal into two tables, one row an answer and one row a score, in the dataset's order.

The tables hold the same values whether the run was interrupted or not, apart from what a clock or the cache decides
(`latency`, `attempts`, `cached`, `cost`). What the journal and the stored dataset hold was checked when it was written,
so rows are copied as plain data. Batches stream through: memory does not grow with the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from workbench.evaluation.engine import Work, chosen, with_entries
from workbench.reading.stored import StoredRow
from workbench.runs import ScorerInfo
from workbench.store.files import replacing, told_when_full
from workbench.store.home import RunFolder
from workbench.store.journal import Entries, Journal
from workbench.store.memory import give_back
from workbench.store.parquet import Row, Table

if TYPE_CHECKING:
    import pyarrow as pa


async def compact(work: Work, journal: Journal, folder: RunFolder) -> None:
    """Write `samples.parquet` and `scores.parquet`; each appears whole or not at all."""
    give_back()
    infos = [scorer.info() for scorer in work.scorers]
    with (
        told_when_full(folder.path),
        replacing(folder.samples) as samples_path,
        replacing(folder.scores) as scores_path,
        Table(str(samples_path), sample_schema()) as samples,
        Table(str(scores_path), score_schema()) as scores,
    ):
        async for group, entries in with_entries(chosen(work.rows, work.spec.limit), journal):
            for row in group:
                sample = orjson.loads(row.text)
                for repeat in range(work.spec.repeats):
                    key = _key(row, sample, repeat)
                    answer = orjson.loads(entries.outputs[row.id, repeat])
                    samples.add(key | _sample_row(sample, answer))
                    for score in _score_rows(row.id, repeat, answer, infos, entries):
                        scores.add(key | score)


def _key(row: StoredRow, sample: Row, repeat: int) -> Row:
    return {
        "position": row.position,
        "sample_id": row.id,
        "repeat": repeat,
        "family": row.family,
        "tags": [{"key": name, "value": value} for name, value in sample["tags"].items()],
    }


def _sample_row(sample: Row, answer: Row) -> Row:
    """Return what was asked and what came back; `answer` is the journal's payload."""
    ok, failed = answer.get("ok"), answer.get("failed")
    back = ok or failed or {}
    return {
        "messages": _json(sample["messages"]),
        "question": next(m["content"] for m in reversed(sample["messages"]) if m["role"] == "user"),
        "references": sample["references"],
        "given_contexts": _json(sample["contexts"]),
        "gold_contexts": sample["gold_contexts"],
        "output": back["text"] if ok else back["text"] or None,
        "failure": back.get("kind"),
        "failure_message": back.get("message"),
        "finish_reason": back.get("finish_reason"),
        "served_model": back.get("model"),
        "contexts": _json(back["contexts"]) if ok else None,
        **_measured(back["usage"]),
    }


def _score_rows(
    sample_id: str, repeat: int, answer: Row, infos: Sequence[ScorerInfo], entries: Entries
) -> Iterator[Row]:
    for info in infos:
        if "failed" in answer:
            message = f"the model gave no answer: {answer['failed']['kind']}"
            score: Row = {"failed": {"kind": "no_output", "message": message, "text": "", "usage": None}}
        else:
            score = orjson.loads(entries.scores[sample_id, repeat, info.name])
        yield {"scorer": info.name, "version": info.version} | _score_row(score)


def _score_row(score: Row) -> Row:
    ok, failed = score.get("ok") or {}, score.get("failed") or {}
    return {
        "value": ok.get("value"),
        "label": ok.get("label"),
        "reason": ok.get("reason"),
        "evidence": ok.get("evidence"),
        "failure": failed.get("kind"),
        "failure_message": failed.get("message"),
        "raw": failed.get("text"),
        **_measured((ok or failed)["usage"] or UNUSED),
    }


def _measured(usage: Row) -> Row:
    """Return a usage without what the budget was charged, which matters only until the run is finished."""
    usage.pop("charged", None)
    return usage


UNUSED: Row = {
    "input_tokens": None,
    "output_tokens": None,
    "cost": None,
    "latency": None,
    "attempts": 0,
    "cached": False,
}
"""Usage of a scorer that calls nobody."""


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


# ---------------------------------------------------------------- columns


def sample_schema() -> pa.Schema:
    """Return the columns of `samples.parquet`."""
    import pyarrow as pa

    return pa.schema(
        [
            *_key_columns(pa),
            ("messages", pa.string()),
            ("question", pa.string()),
            ("references", pa.list_(pa.string())),
            ("given_contexts", pa.string()),
            ("gold_contexts", pa.list_(pa.string())),
            ("output", pa.string()),
            ("failure", pa.string()),
            ("failure_message", pa.string()),
            ("finish_reason", pa.string()),
            ("served_model", pa.string()),
            ("contexts", pa.string()),
            *_usage_columns(pa),
        ]
    )


def score_schema() -> pa.Schema:
    """Return the columns of `scores.parquet`."""
    import pyarrow as pa

    return pa.schema(
        [
            *_key_columns(pa),
            ("scorer", pa.string()),
            ("version", pa.string()),
            ("value", pa.float64()),
            ("label", pa.string()),
            ("reason", pa.string()),
            ("evidence", pa.string()),
            ("failure", pa.string()),
            ("failure_message", pa.string()),
            ("raw", pa.string()),
            *_usage_columns(pa),
        ]
    )


def _key_columns(pa: Any) -> list[tuple[str, Any]]:
    return [
        ("position", pa.int64()),
        ("sample_id", pa.string()),
        ("repeat", pa.int32()),
        ("family", pa.string()),
        ("tags", pa.map_(pa.string(), pa.string())),
    ]


def _usage_columns(pa: Any) -> list[tuple[str, Any]]:
    return [
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("cost", pa.float64()),
        ("latency", pa.float64()),
        ("attempts", pa.int32()),
        ("cached", pa.bool_()),
    ]
