"""Sum a run's tables up into metrics: a mean never stands without n, failures and an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.runs import Interval, Latency, Metric, ScorerInfo, Spending
from workbench.statistics.means import mean_interval
from workbench.store.home import RunFolder
from workbench.tables import Row, connection, rows

if TYPE_CHECKING:
    import duckdb

MAX_SLICE_VALUES = 50
"""A tag with more values than this is a name, not a slice."""


@dataclass(frozen=True)
class Counts:
    """How many answers a run has."""

    attempted: int
    answered: int
    failures: dict[str, int]


@dataclass(frozen=True)
class Sums:
    """Everything that is computed from the two tables of a run."""

    counts: Counts
    metrics: tuple[Metric, ...]
    candidate: Spending
    judging: Spending
    latency: Latency


def sum_up(folder: RunFolder, scorers: Sequence[ScorerInfo]) -> Sums:
    """Read `samples.parquet` and `scores.parquet`; return counts, metrics, spending and latency."""
    with connection(samples=folder.samples, scores=folder.scores) as db:
        slices = _slices(db)
        metrics = [_metric(db, info, "", ()) for info in scorers]
        metrics += [_metric(db, info, f"{name}={value}", (name, value)) for info in scorers for name, value in slices]
        return Sums(
            counts=_counts(db),
            metrics=tuple(metrics),
            candidate=_spending(db, "samples"),
            judging=_spending(db, "scores"),
            latency=_latency(db),
        )


def _slices(db: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Return the (tag, value) pairs worth a row: tags that divide the run and are no mere names of samples."""
    found = rows(
        db,
        """WITH entries AS (SELECT unnest(map_entries(tags)) AS e FROM samples),
                pairs AS (SELECT DISTINCT e.key AS name, e.value AS value FROM entries)
           SELECT name, value FROM pairs
           QUALIFY count(*) OVER (PARTITION BY name) BETWEEN 2 AND ? ORDER BY name, value""",
        [MAX_SLICE_VALUES],
    )
    return [(row["name"], row["value"]) for row in found]


def _metric(db: duckdb.DuckDBPyConnection, info: ScorerInfo, label: str, tag: Sequence[str]) -> Metric:
    """Return the metric of one scorer over the whole run, or over one slice."""
    where = "scorer = ?" + (" AND tags[?] = ?" if tag else "")
    per_sample = db.execute(
        f"""SELECT any_value(family) AS family, avg(value) AS value, count(*) AS rows,
                   count(value) AS scored, count(*) FILTER (failure = 'not_applicable') AS apart
            FROM scores WHERE {where} GROUP BY sample_id ORDER BY sample_id""",
        [info.name, *tag],
    ).fetchall()
    applicable = [row for row in per_sample if row[4] < row[2]]
    scored = [row for row in applicable if row[3]]
    estimate = mean_interval(
        [row[1] for row in scored], [row[0] for row in scored], low=info.low, high=info.high, binary=info.binary
    )
    return Metric(
        scorer=info.name,
        slice=label,
        value=estimate.value,
        n=estimate.n,
        n_groups=estimate.n_groups,
        n_failed=sum(1 for row in applicable if row[3] + row[4] < row[2]),
        n_not_applicable=len(per_sample) - len(applicable),
        interval=estimate.interval,
        undefined=estimate.undefined,
        worst_case=_worst_case(applicable, info),
        failures=_failures(db, where, [info.name, *tag]),
    )


def _worst_case(per_sample: Sequence[tuple[object, float | None, int, int, int]], info: ScorerInfo) -> Interval | None:
    """Return the bounds of the mean over all samples when each missing score is the lowest, or highest, possible."""
    if info.low is None or info.high is None or not per_sample:
        return None
    known = sum((value or 0.0) * scored / (n - apart) for _, value, n, scored, apart in per_sample)
    missing = sum((n - apart - scored) / (n - apart) for _, _, n, scored, apart in per_sample)
    low, high = (known + missing * bound for bound in (info.low, info.high))
    return Interval(
        low=low / len(per_sample), high=high / len(per_sample), level=0.95, method="all missing lowest, highest"
    )


def _failures(db: duckdb.DuckDBPyConnection, where: str, values: Sequence[object]) -> dict[str, int]:
    kinds = f"SELECT failure, count(*) AS n FROM scores WHERE failure IS NOT NULL AND {where}"
    query = f"{kinds} GROUP BY failure ORDER BY failure"
    return {row["failure"]: row["n"] for row in rows(db, query, values)}


def _counts(db: duckdb.DuckDBPyConnection) -> Counts:
    found = rows(db, "SELECT failure, count(*) AS n FROM samples GROUP BY failure ORDER BY failure")
    by_kind = {row["failure"]: row["n"] for row in found}
    answered = by_kind.pop(None, 0)
    return Counts(attempted=answered + sum(by_kind.values()), answered=answered, failures=by_kind)


def _spending(db: duckdb.DuckDBPyConnection, view: str) -> Spending:
    row = rows(
        db,
        f"""SELECT coalesce(sum(attempts), 0)::BIGINT AS calls, count(*) FILTER (cached) AS cached,
                   coalesce(sum(input_tokens) FILTER (attempts > 0), 0)::BIGINT AS input_tokens,
                   coalesce(sum(output_tokens) FILTER (attempts > 0), 0)::BIGINT AS output_tokens,
                   sum(cost)::DOUBLE AS cost, coalesce(sum(attempts) FILTER (cost IS NULL), 0)::BIGINT AS unpriced_calls
            FROM "{view}" """,
    )[0]
    if row["unpriced_calls"]:
        row["cost"] = None
    return Spending(**row)


def _latency(db: duckdb.DuckDBPyConnection) -> Latency:
    row: Row = rows(
        db,
        """SELECT count(latency) AS n, quantile_cont(latency, 0.50) AS p50, quantile_cont(latency, 0.95) AS p95,
                  quantile_cont(latency, 0.99) AS p99 FROM samples WHERE failure IS NULL""",
    )[0]
    return Latency(**row)


def worst_samples(folder: RunFolder, info: ScorerInfo, size: int = 5) -> list[Row]:
    """Return the samples with the lowest scores (highest, where lower is better), then by id: what to look at first.

    Samples with the best possible score are left out.
    """
    order, best = ("s.value DESC", info.low) if info.better == "lower" else ("s.value", info.high)
    with connection(samples=folder.samples, scores=folder.scores) as db:
        return rows(
            db,
            f"""SELECT s.sample_id, s.repeat, s.value, s.label, s.reason, a.question, a."references", a.output
                FROM scores s JOIN samples a USING (sample_id, repeat)
                WHERE s.scorer = ? AND s.value IS NOT NULL AND s.value IS DISTINCT FROM ?
                ORDER BY {order}, s.sample_id, s.repeat LIMIT ?""",
            [info.name, best, size],
        )
