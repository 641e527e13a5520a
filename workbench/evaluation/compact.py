"""Turn a complete journal into two tables, one row an answer and one row a score, in the dataset's order.

The tables hold the same bytes whether the run was interrupted or not, apart from what a clock or the cache decides
(`latency`, `attempts`, `cached`, `cost`). Batches stream through: memory does not grow with the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from workbench.datasets import Sample
from workbench.evaluation.engine import Placed, Work, chosen, decode_output, decode_score
from workbench.models import Output, OutputFailure, Usage
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.store.files import replacing, told_when_full
from workbench.store.home import RunFolder
from workbench.store.journal import Entries, Journal

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
ROW_GROUP = 4096


async def compact(work: Work, journal: Journal, folder: RunFolder) -> None:
    """Write `samples.parquet` and `scores.parquet`; each appears whole or not at all."""
    infos = [scorer.info() for scorer in work.scorers]
    with (
        told_when_full(folder.path),
        replacing(folder.samples) as samples_path,
        replacing(folder.scores) as scores_path,
        Table(str(samples_path), sample_schema()) as samples,
        Table(str(scores_path), score_schema()) as scores,
    ):
        for group in chosen(work.rows, work.spec.limit):
            entries = await journal.entries([sample.id for _, sample in group])
            for placed, repeat, output in _answers(group, work.spec.repeats, entries):
                samples.add(_sample_row(placed, repeat, output))
                for info in infos:
                    score = _score_of(placed[1], repeat, info, output, entries)
                    scores.add(_score_row(placed, repeat, info, score))


def _answers(
    group: Sequence[Placed], repeats: int, entries: Entries
) -> Iterator[tuple[Placed, int, Output | OutputFailure]]:
    for placed in group:
        for repeat in range(repeats):
            yield placed, repeat, decode_output(entries.outputs[placed[1].id, repeat])


def _score_of(
    sample: Sample, repeat: int, info: ScorerInfo, output: Output | OutputFailure, entries: Entries
) -> Score | ScoreFailure:
    if isinstance(output, OutputFailure):
        return ScoreFailure(kind="no_output", message=f"the model gave no answer: {output.kind}")
    return decode_score(entries.scores[sample.id, repeat, info.name])


def _sample_row(placed: Placed, repeat: int, output: Output | OutputFailure) -> Row:
    sample = placed[1]
    failed = isinstance(output, OutputFailure)
    return {
        **_key_row(placed, repeat),
        "messages": _json([m.model_dump() for m in sample.messages]),
        "question": sample.question(),
        "references": list(sample.references),
        "given_contexts": _json([c.model_dump() for c in sample.contexts]),
        "gold_contexts": list(sample.gold_contexts),
        "output": output.text if not failed else output.text or None,
        "failure": output.kind if isinstance(output, OutputFailure) else None,
        "failure_message": output.message if isinstance(output, OutputFailure) else None,
        "finish_reason": output.finish_reason if isinstance(output, Output) else None,
        "served_model": output.model if isinstance(output, Output) else None,
        "contexts": _json([c.model_dump() for c in output.contexts]) if isinstance(output, Output) else None,
        **_usage_row(output.usage),
    }


def _score_row(placed: Placed, repeat: int, info: ScorerInfo, score: Score | ScoreFailure) -> Row:
    failure = score if isinstance(score, ScoreFailure) else None
    return {
        **_key_row(placed, repeat),
        "scorer": info.name,
        "version": info.version,
        "value": score.value if isinstance(score, Score) else None,
        "label": score.label if isinstance(score, Score) else None,
        "reason": score.reason if isinstance(score, Score) else None,
        "evidence": score.evidence if isinstance(score, Score) else None,
        "failure": failure.kind if failure else None,
        "failure_message": failure.message if failure else None,
        "raw": failure.text if failure else None,
        **_usage_row(score.usage or Usage()),
    }


def _key_row(placed: Placed, repeat: int) -> Row:
    position, sample = placed
    return {
        "position": position,
        "sample_id": sample.id,
        "repeat": repeat,
        "family": sample.family(),
        "tags": [{"key": name, "value": value} for name, value in sample.tags.items()],
    }


def _usage_row(usage: Usage) -> Row:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost": usage.cost,
        "latency": usage.latency,
        "attempts": usage.attempts,
        "cached": usage.cached,
    }


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


# ---------------------------------------------------------------- Parquet


class Table:
    """A Parquet file that is written row by row and keeps one row group in memory."""

    def __init__(self, path: str, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self._schema = schema
        self._rows: list[Row] = []
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._write()
        finally:
            self._writer.close()

    def add(self, row: Row) -> None:
        """Append a row."""
        self._rows.append(row)
        if len(self._rows) >= ROW_GROUP:
            self._write()

    def _write(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._writer.write_table(_table(rows, self._schema))


def _table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Return rows as an Arrow table, by way of JSON: quicker than value by value, and it does not load pandas."""
    import pyarrow as pa
    import pyarrow.json as pj

    lines = b"\n".join(map(orjson.dumps, rows))
    # JSON has no maps: read as the list of entries that a map is stored as, then seen as a map without a copy.
    entries = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
    at = schema.get_field_index("tags")
    read_as = schema.set(at, pa.field("tags", entries))
    parse = pj.ParseOptions(explicit_schema=read_as, unexpected_field_behavior="error")
    table = pj.read_json(pa.BufferReader(lines), pj.ReadOptions(block_size=len(lines) + 1), parse)
    tags = table.column(at).combine_chunks().view(schema.field(at).type)
    return table.set_column(at, schema.field(at), tags).select(schema.names)


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
