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
from workbench.store.memory import give_back
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
    give_back()
    answers = _Answers(folder.samples)
    give_back()
    scores = _Scores(folder.scores, answers)
    give_back()
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


class _Column:
    """Numbers of one kind that grow at their end. Many small arrays instead would lie scattered among what is freed
    between them, and keep it from going back to the system.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._bytes = bytearray()

    def add(self, values: NDArray[Any]) -> None:
        self._bytes += values.astype(self._kind).data

    def values(self) -> NDArray[Any]:
        """Return all of them. Nothing can be added any more."""
        import numpy as np

        return np.frombuffer(self._bytes, self._kind)


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
        self._tags: dict[str, dict[str, _Column]] = {}
        """Positions of the samples by tag and value."""
        taken = [_Column("i"), _Column("Q"), _Column("Q"), _Column("d")]
        columns = ["position", "sample_id", "family", "tags", "failure", "latency", *USAGE]
        for part in row_groups(path, columns, ["family", "failure", *TAGS]):
            for column, values in zip(taken, self._taken_in(part), strict=True):
                column.add(values)
        positions, ids, families, self._latencies = (column.values() for column in taken)
        del taken
        self._places, first = np.unique(positions, return_index=True)
        order = np.argsort(ids[first], kind="stable")
        del positions, ids
        self.families = _numbered(families[first[order]])
        """Each sample's family as a number."""
        del families, first
        self._numbers = np.empty(len(order), "i")
        self._numbers[order] = np.arange(len(order))

    def _taken_in(self, part: dict[str, Any]) -> tuple[Codes, NDArray[np.uint64], NDArray[np.uint64], Floats]:
        """Return positions, hashes of ids, hashes of families, and the latencies that are known."""
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
                    found.setdefault(values[item], _Column("i")).add(owners[mine & (items == item)])

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
                    inside[self.numbers(owners.values())] = True
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
    """The table of scores, added up by scorer and sample."""

    def __init__(self, path: Path, answers: _Answers) -> None:
        self.purse = _Purse()
        self._n = len(answers.families)
        self._tallies: dict[str, _Tally] = {}
        for part in row_groups(path, ["position", "scorer", "value", "failure", *USAGE], ["scorer", "failure"]):
            self.purse.add(part)
            samples, values = answers.numbers(as_numbers(part["position"]).astype("q")), as_numbers(part["value"])
            by, names = as_codes(part["scorer"])
            failures, kinds = as_codes(part["failure"])
            for code, _ in _counted(by):
                mine = by == code
                self._of(names[code]).add(samples[mine], values[mine], failures[mine], kinds)

    def _of(self, scorer: str) -> _Tally:
        if scorer not in self._tallies:
            self._tallies[scorer] = _Tally(self._n)
        return self._tallies[scorer]

    def of(self, scorer: str) -> PerSample:
        """Return a scorer's samples, and forget them."""
        import numpy as np

        tally = self._tallies.pop(scorer, None) or _Tally(self._n)
        tally.sums /= np.maximum(tally.scored, 1)
        kinds = [(kind, who.values()) for kind, who in sorted(tally.failures.items())]
        return PerSample(tally.asked, tally.scored, tally.apart, tally.sums, kinds)


class _Tally:
    """One scorer's scores by sample: how many there should be, there are, and do not apply; their sum."""

    def __init__(self, n: int) -> None:
        import numpy as np

        self.asked, self.scored, self.apart, self.sums = (np.zeros(n, kind) for kind in "iiid")
        self.failures: dict[str, _Column] = {}
        """The samples of missing scores, by kind."""

    def add(self, samples: Codes, values: Floats, failures: NDArray[np.int32], kinds: Sequence[str]) -> None:
        """Count some rows of the table; `failures` are indices into `kinds`."""
        import numpy as np

        there = ~np.isnan(values)
        np.add.at(self.asked, samples, 1)
        np.add.at(self.scored, samples[there], 1)
        np.add.at(self.sums, samples[there], values[there])
        for code, kind in enumerate(kinds):
            who = samples[failures == code]
            self.failures.setdefault(kind, _Column("i")).add(who)
            if kind == "not_applicable":
                np.add.at(self.apart, who, 1)


def _numbered(values: NDArray[Any]) -> NDArray[np.int32]:
    """Return the place of each value among the different ones, by size; in half the memory that `np.unique` takes."""
    import numpy as np

    order = np.argsort(values, kind="stable")
    values = values[order]
    found = np.empty(len(values), "i")
    found[order] = np.cumsum(np.append(False, values[1:] != values[:-1])[: len(values)], dtype="i")
    return found


def _counted(codes: NDArray[np.int32]) -> list[tuple[int, int]]:
    """Return each code and how often it occurs."""
    import numpy as np

    found, n = np.unique(codes, return_counts=True)
    return list(zip(found.tolist(), n.tolist(), strict=True))


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
