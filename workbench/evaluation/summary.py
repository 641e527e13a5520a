"""Sum a run's tables up into metrics: a mean never stands without n, failures and an interval."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.runs import Interval, Latency, Metric, ScorerInfo, Spending
from workbench.statistics.means import mean_interval
from workbench.store.home import RunFolder
from workbench.tables import Row, connection, rows

if TYPE_CHECKING:
    import duckdb

MAX_SLICE_VALUES = 50
"""A tag with more values than this is a name, not a slice."""
FETCHED = 1024
"""Rows turned into Python objects at once."""


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
            latency=measured_latency(db),
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
    found = _per_sample(db, where, [info.name, *tag])
    estimate = mean_interval(found.values, found.families, low=info.low, high=info.high, binary=info.binary)
    return Metric(
        scorer=info.name,
        slice=label,
        value=estimate.value,
        n=estimate.n,
        n_groups=estimate.n_groups,
        n_failed=found.failed,
        n_partial=found.partial,
        n_not_applicable=found.apart,
        interval=estimate.interval,
        undefined=estimate.undefined,
        worst_case=_worst_case(found, info),
        failures=_failures(db, where, [info.name, *tag]),
    )


@dataclass
class PerSample:
    """A scorer's samples, repeats averaged. A hundred thousand samples leave a few MB: no row is kept as an object."""

    values: array[float] = field(default_factory=lambda: array("d"))
    """Of each scored sample."""
    families: list[str] = field(default_factory=list)
    """Of each scored sample; equal families are one object."""
    failed: int = 0
    """Samples that should have a score and have none."""
    partial: int = 0
    """Samples that lack a score for some repeat only."""
    apart: int = 0
    """Samples to which the scorer does not apply."""
    applicable: int = 0
    known: float = 0.0
    """Sum over applicable samples of their scores' share of the mean."""
    missing: float = 0.0
    """Sum over applicable samples of the share of scores that are missing."""

    def add(self, family: str, value: float | None, n: int, scored: int, apart: int) -> None:
        """Count one sample with n scores asked for."""
        if apart == n:
            self.apart += 1
            return
        self.applicable += 1
        self.failed += scored == 0
        self.partial += 0 < scored < n - apart
        self.known += (value or 0.0) * scored / (n - apart)
        self.missing += (n - apart - scored) / (n - apart)
        if value is not None:
            self.values.append(value)
            self.families.append(family)


def _per_sample(db: duckdb.DuckDBPyConnection, where: str, values: Sequence[object]) -> PerSample:
    result = db.execute(
        f"""SELECT any_value(family) AS family, avg(value) AS value, count(*) AS rows,
                   count(value) AS scored, count(*) FILTER (failure = 'not_applicable') AS apart
            FROM scores WHERE {where} GROUP BY sample_id ORDER BY sample_id""",
        list(values),
    )
    found, families = PerSample(), dict[str, str]()
    while rows_read := result.fetchmany(FETCHED):
        for family, *numbers in rows_read:
            found.add(families.setdefault(family, family), *numbers)
    return found


def _worst_case(found: PerSample, info: ScorerInfo) -> Interval | None:
    """Return the bounds of the mean over all samples when each missing score is the lowest, or highest, possible."""
    if info.low is None or info.high is None or not found.applicable:
        return None
    low, high = ((found.known + found.missing * bound) / found.applicable for bound in (info.low, info.high))
    return Interval(low=low, high=high, level=0.95, method="all missing lowest, highest")


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
                   (sum(cost) FILTER (attempts > 0))::DOUBLE AS cost,
                   coalesce(sum(attempts) FILTER (cost IS NULL), 0)::BIGINT AS unpriced_calls
            FROM "{view}" """,
    )[0]
    if not row["calls"]:
        row["cost"] = 0.0  # nothing was called: that is known
    return Spending(**row)


def measured_latency(db: duckdb.DuckDBPyConnection) -> Latency:
    """Return the latency over the answers of the view `samples`."""
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
    order, best = ("value DESC", info.low) if info.better == "lower" else ("value", info.high)
    with connection(samples=folder.samples, scores=folder.scores) as db:
        # The few rows first, then their texts: joined the other way round, the texts of all samples are held in memory.
        return rows(
            db,
            f"""WITH worst AS MATERIALIZED (
                    SELECT sample_id, repeat, value, label, reason FROM scores
                    WHERE scorer = ? AND value IS NOT NULL AND value IS DISTINCT FROM ?
                    ORDER BY {order}, sample_id, repeat LIMIT ?)
                SELECT w.*, a.question, a."references", a.output FROM worst w JOIN samples a USING (sample_id, repeat)
                ORDER BY {order}, sample_id, repeat""",
            [info.name, best, size],
        )
