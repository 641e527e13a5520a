"""Sum a run's tables up into metrics: a mean never stands without n, failures and an interval.

One pass over each table, a few numbers a row in NumPy: neither DuckDB nor any row as an object is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.reading.hashes import short_hash
from workbench.runs import Interval, Latency, Metric, ScorerInfo, Spending
from workbench.statistics.means import mean_interval
from workbench.store.home import RunFolder
from workbench.store.parquet import as_codes, as_numbers, row_groups
from workbench.tables import Row, rows

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

MAX_SLICE_VALUES = 50
"""A tag with more values than this is a name, not a slice."""
TAGS = ("tags.key_value.key", "tags.key_value.value")
USAGE = ("attempts", "cached", "input_tokens", "output_tokens", "cost")


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
    answers = _Answers(folder.samples)
    scores = _Scores(folder.scores, answers)
    slices = answers.slices()
    whole, sliced = list[Metric](), list[Metric]()
    for info in scorers:
        per_sample = scores.of(info.name)
        whole.append(_metric(per_sample, info, "", None, answers))
        sliced += [_metric(per_sample, info, label, inside, answers) for label, inside in slices]
    return Sums(
        counts=answers.counts(),
        metrics=(*whole, *sliced),
        candidate=answers.purse.total(),
        judging=scores.purse.total(),
        latency=answers.latency(),
    )


# ---------------------------------------------------------------- reading


@dataclass
class _Purse:
    """Sums over the calls of a table."""

    sums: Counter[str] = field(default_factory=Counter)
    costs: list[float] = field(default_factory=list)

    def add(self, part: dict[str, Any]) -> None:
        """Count the rows of a row group."""
        import numpy as np

        attempts, cached, tokens_in, tokens_out, cost = (as_numbers(part[name]) for name in USAGE)
        called, unknown = attempts > 0, np.isnan(cost)
        self.sums["calls"] += int(np.nansum(attempts))
        self.sums["cached"] += int(np.nansum(cached))
        self.sums["input_tokens"] += int(np.nansum(tokens_in[called]))
        self.sums["output_tokens"] += int(np.nansum(tokens_out[called]))
        self.sums["unpriced_calls"] += int(np.nansum(attempts[unknown]))
        if (known := called & ~unknown).any():
            self.costs.append(float(cost[known].sum()))

    def total(self) -> Spending:
        """Return the sums; where nothing was called, the cost is known to be 0."""
        cost = sum(self.costs) if self.costs or not self.sums["calls"] else None
        return Spending(**self.sums, cost=cost)


class _Answers:
    """The table of answers. Samples are numbered in the order of a hash of their ids, so that no sum depends on the
    order of the rows.
    """

    def __init__(self, path: Path) -> None:
        import numpy as np

        self.purse = _Purse()
        self._failures: Counter[str | None] = Counter()
        self._tags: dict[str, dict[str, list[Codes]]] = {}
        """Positions of the samples by tag and value."""
        parts = [(np.empty(0, "q"), np.empty(0, "Q"), np.empty(0, "Q"), np.empty(0))]
        columns = ["position", "sample_id", "family", "tags", "failure", "latency", *USAGE]
        for part in row_groups(path, columns, ["family", "failure", *TAGS]):
            parts.append(self._taken_in(part))
        positions, ids, families, self._latencies = _joined(parts)
        self._places, first = np.unique(positions, return_index=True)
        order = np.argsort(ids[first], kind="stable")
        self.families = np.unique(families[first][order], return_inverse=True)[1].astype("i")
        """Each sample's family as a number."""
        self._numbers = np.empty(len(order), "i")
        self._numbers[order] = np.arange(len(order))

    def _taken_in(self, part: dict[str, Any]) -> tuple[Codes, NDArray[np.uint64], NDArray[np.uint64], Floats]:
        import numpy as np

        self.purse.add(part)
        positions = as_numbers(part["position"]).astype("q")
        ids = np.array([short_hash(name) for name in part["sample_id"].to_pylist()], "Q")
        families, names = as_codes(part["family"])
        hashes = np.array([short_hash(name) for name in names], "Q")
        failures, kinds = as_codes(part["failure"])
        self._failures.update({kinds[code] if code >= 0 else None: n for code, n in _counted(failures)})
        self._tag(part["tags"], positions)
        latencies = as_numbers(part["latency"])
        return positions, ids, hashes[families], latencies[(failures < 0) & ~np.isnan(latencies)]

    def _tag(self, column: Any, positions: Codes) -> None:
        """Note which samples have which tags. A tag of many values names samples: its values are forgotten."""
        import numpy as np

        keys, names = as_codes(column.keys)
        items, values = as_codes(column.items)
        ends = np.frombuffer(column.offsets.buffers()[1], "i")[: len(column) + 1]
        owners = np.repeat(positions, np.diff(ends))
        for key, name in enumerate(names):
            found = self._tags.setdefault(name, {})
            mine = keys == key
            for item, _ in _counted(items[mine])[: MAX_SLICE_VALUES + 1]:
                if len(found) <= MAX_SLICE_VALUES:
                    found.setdefault(values[item], []).append(owners[mine & (items == item)])

    def numbers(self, positions: Codes) -> Codes:
        """Return the samples' numbers, 0 … n - 1, for their positions in the dataset."""
        import numpy as np

        return self._numbers[np.searchsorted(self._places, positions)]

    def slices(self) -> list[tuple[str, NDArray[np.bool_]]]:
        """Return `name=value` and which samples have it, for tags that divide the run and are no mere names."""
        import numpy as np

        found = []
        for name, values in sorted(self._tags.items()):
            if 2 <= len(values) <= MAX_SLICE_VALUES:
                for value, owners in sorted(values.items()):
                    inside = np.zeros(len(self.families), bool)
                    inside[self.numbers(np.concatenate(owners))] = True
                    found.append((f"{name}={value}", inside))
        return found

    def counts(self) -> Counts:
        """Return how many were asked and answered, and why the others were not."""
        answered = self._failures[None]
        failures = dict(sorted((k, n) for k, n in self._failures.items() if k is not None))
        return Counts(attempted=self._failures.total(), answered=answered, failures=failures)

    def latency(self) -> Latency:
        """Return the latency of the answers for which it is known."""
        import numpy as np

        if not len(self._latencies):
            return Latency(n=0)
        p50, p95, p99 = np.quantile(self._latencies, [0.50, 0.95, 0.99]).tolist()
        return Latency(n=len(self._latencies), p50=p50, p95=p95, p99=p99)


class _Scores:
    """The table of scores: sample, scorer, value and failure of each row as numbers."""

    def __init__(self, path: Path, answers: _Answers) -> None:
        import numpy as np

        self.purse = _Purse()
        self._n = len(answers.families)
        self._scorers: dict[str, int] = {}
        self._kinds: dict[str, int] = {}
        parts = [(np.empty(0, "i"), np.empty(0, "i"), np.empty(0), np.empty(0, "i"))]
        for part in row_groups(path, ["position", "scorer", "value", "failure", *USAGE], ["scorer", "failure"]):
            self.purse.add(part)
            samples = answers.numbers(as_numbers(part["position"]).astype("q"))
            scorers, kinds = (_renumbered(part[n], k) for n, k in (("scorer", self._scorers), ("failure", self._kinds)))
            parts.append((samples, scorers, as_numbers(part["value"]), kinds))
        self._samples, self._by, self._values, self._failures = _joined(parts)

    def of(self, scorer: str) -> PerSample:
        """Return a scorer's samples."""
        import numpy as np

        mine = self._by == self._scorers.get(scorer, -1)
        samples, values, failures = self._samples[mine], self._values[mine], self._failures[mine]
        scored = ~np.isnan(values)
        apart = failures == self._kinds.get("not_applicable", -2)
        sums = np.bincount(samples[scored], values[scored], self._n)
        kinds = [(kind, samples[failures == code]) for kind, code in sorted(self._kinds.items())]
        asked, n_scored, n_apart = (
            np.bincount(who, minlength=self._n).astype("i") for who in (samples, samples[scored], samples[apart])
        )
        return PerSample(asked, n_scored, n_apart, sums / np.maximum(n_scored, 1), kinds)


def _joined(parts: list[tuple[Any, ...]]) -> list[Any]:
    """Return columns made of parts, and empty the list of parts."""
    import numpy as np

    columns = list(zip(*parts, strict=True))
    parts.clear()
    return [np.concatenate(columns.pop(0)) for _ in range(len(columns))]


def _counted(codes: NDArray[np.int32]) -> list[tuple[int, int]]:
    """Return each code and how often it occurs."""
    import numpy as np

    found, n = np.unique(codes, return_counts=True)
    return list(zip(found.tolist(), n.tolist(), strict=True))


def _renumbered(column: Any, known: dict[str, int]) -> NDArray[np.int32]:
    """Return a column of coded texts in one numbering for all row groups, -1 where there is none."""
    import numpy as np

    codes, names = as_codes(column)
    return np.array([*(known.setdefault(name, len(known)) for name in names), -1], "i")[codes]


# ---------------------------------------------------------------- metrics


@dataclass(frozen=True)
class PerSample:
    """A scorer's samples by number, repeats averaged."""

    asked: Codes
    """Scores that should be there."""
    scored: Codes
    """Scores that are there."""
    apart: Codes
    """Scores that do not apply."""
    mean: Floats
    """Mean of the scores that are there."""
    failures: list[tuple[str, NDArray[np.int32]]]
    """Kinds of missing scores, each with the sample of every one."""


def _metric(
    found: PerSample, info: ScorerInfo, label: str, inside: NDArray[np.bool_] | None, answers: _Answers
) -> Metric:
    """Return the metric of one scorer over the whole run, or over the samples inside one slice."""
    here = found.asked > 0 if inside is None else (found.asked > 0) & inside
    counted = here & (found.scored > 0)
    estimate = mean_interval(
        found.mean[counted], answers.families[counted], low=info.low, high=info.high, binary=info.binary
    )
    applicable = here & (found.apart < found.asked)
    failures = {kind: int(len(who) if inside is None else inside[who].sum()) for kind, who in found.failures}
    return Metric(
        scorer=info.name,
        slice=label,
        value=estimate.value,
        n=estimate.n,
        n_groups=estimate.n_groups,
        n_failed=int((applicable & (found.scored == 0)).sum()),
        n_partial=int((applicable & (found.scored > 0) & (found.scored < found.asked - found.apart)).sum()),
        n_not_applicable=int((here & (found.apart == found.asked)).sum()),
        interval=estimate.interval,
        undefined=estimate.undefined,
        worst_case=_worst_case(found, applicable, info),
        failures={kind: n for kind, n in failures.items() if n},
    )


def _worst_case(found: PerSample, applicable: NDArray[np.bool_], info: ScorerInfo) -> Interval | None:
    """Return the bounds of the mean over all samples when each missing score is the lowest, or highest, possible."""
    if info.low is None or info.high is None or not applicable.any():
        return None
    known = found.scored[applicable] / (found.asked - found.apart)[applicable]
    sure, missing = float((found.mean[applicable] * known).mean()), float((1 - known).mean())
    low, high = (sure + missing * bound for bound in (info.low, info.high))
    return Interval(low=low, high=high, level=0.95, method="all missing lowest, highest")


def measured_latency(db: duckdb.DuckDBPyConnection) -> Latency:
    """Return the latency over the answers of the view `samples`."""
    row: Row = rows(
        db,
        """SELECT count(latency) AS n, quantile_cont(latency, 0.50) AS p50, quantile_cont(latency, 0.95) AS p95,
                  quantile_cont(latency, 0.99) AS p99 FROM samples WHERE failure IS NULL""",
    )[0]
    return Latency(**row)
