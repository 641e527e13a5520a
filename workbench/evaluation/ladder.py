"""A ladder: models on the same samples, one rung above the other, each held against the one before and the first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pydantic import Field

from workbench.errors import DataError, Problem
from workbench.evaluation.arms import Finished
from workbench.evaluation.comparable import why_other_samples
from workbench.evaluation.compare import compare, held_together, mean_price
from workbench.evaluation.comparison import Comparison, MetricDifference
from workbench.evaluation.drift import length_drift, mean_length, refusal_drift, refusal_share
from workbench.nouns import Many, Noun
from workbench.runs import Interval, Latency, Metric


class Rung(Noun):
    """One model of a ladder and what its run measured."""

    name: str
    """What people call it, such as `SFT`."""
    model: str
    """The model's name, as `eval run --model` takes it."""
    run: str
    """The run's id."""
    metrics: Many[Metric]
    """Means over the whole set."""
    latency: Latency
    """How long answers took."""
    cost: float | None
    """Money an answer costs that is not taken from the cache; `None`: nobody knows."""
    length: float | None
    """Mean length of an answer, in characters."""
    refusals: float | None
    """Share of answers that decline or say that they do not know."""
    n_asked: int = Field(ge=0)
    """Answers asked for."""
    n_failed: int = Field(ge=0)
    """Of them, without an answer."""


class Step(Noun):
    """One rung held against an earlier one, sample by sample."""

    below: str
    """Name of the earlier rung."""
    rung: str
    """Name of the rung."""
    comparison: Comparison
    """Their differences; p-values are adjusted by Holm's rule over all steps of the ladder, metric by metric."""
    length: MetricDifference
    """By how much answers became longer, in characters."""
    refusals: MetricDifference
    """By how much more often answers decline."""
    longer_without_better: bool
    """The sign of a hacked reward: answers are longer, surely, and the ladder's metric is not surely better."""

    def difference(self, metric: str) -> MetricDifference | None:
        """Return a metric's difference over the whole set, or `None` where the two cannot be compared by it."""
        return next((m for m in self.comparison.metrics if m.scorer == metric and not m.slice), None)


class Kept(Noun):
    """What a rung still can of something else than was trained: one row of forgetting."""

    rung: str
    """Name of the rung."""
    model: str
    """The model without shown samples and passages: forgetting is of weights."""
    run: str
    """The run's id, or what measured it."""
    value: float | None
    """Mean."""
    n: int = Field(ge=0)
    """Samples scored."""
    n_failed: int = Field(ge=0)
    """Samples without a score."""
    delta: float | None = None
    """Difference to the first rung; `None` for the first."""
    interval: Interval | None = None
    """Its confidence interval."""
    p_adjusted: float | None = None
    """Its p-value, adjusted by Holm's rule over the rungs."""
    lost: bool = False
    """Whether the interval lies wholly on the worse side."""


class Ability(Noun):
    """Something that should be kept, measured on every rung."""

    evalset: str
    """What it is measured on."""
    metric: str
    """By which metric."""
    better: str = "higher"
    """Which direction is good."""
    rungs: Many[Kept]
    """One a rung whose weights differ from those of the rungs before."""


class Ladder(Noun):
    """Models on the same samples of one evalset."""

    evalset: str
    """Name of the evalset."""
    use: str
    """Side of the firewall."""
    dataset: str
    """The samples' fingerprint."""
    n: int = Field(ge=0)
    """Samples each rung was asked."""
    metric: str
    """The metric that says what is better."""
    rungs: Many[Rung]
    """From the first upwards."""
    steps: Many[Step]
    """Each rung against the one before."""
    from_first: Many[Step]
    """Each rung from the third on against the first."""
    kept: Many[Ability] = ()
    """What should not be lost on the way."""

    def against_first(self, at: int) -> Step:
        """Return the step from the first rung to the one at a place from 1."""
        return self.steps[0] if at == 1 else self.from_first[at - 2]


def climb(rungs: Sequence[tuple[str, Finished]], metric: str = "") -> Ladder:
    """Compare finished runs, named and in order. Raises `DataError` where they did not run on the same samples.

    `metric` is by default the first scorer's.
    """
    first = rungs[0][1]
    _refuse_others(rungs)
    metric = _metric(first, metric)
    pairs = [*pairwise(rungs), *((rungs[0], rung) for rung in rungs[2:])]
    found = held_together([compare([a], [b], shown=0) for (_, a), (_, b) in pairs])
    steps = [_step(*a, *b, comparison, metric) for (a, b), comparison in zip(pairs, found, strict=True)]
    run = first.run
    return Ladder(
        evalset=run.spec.evalset, use=run.spec.use, dataset=run.dataset.fingerprint, metric=metric,
        n=run.n_attempted // run.spec.repeats, rungs=tuple(_rung(*rung) for rung in rungs),
        steps=tuple(steps[: len(rungs) - 1]), from_first=tuple(steps[len(rungs) - 1 :]),
    )  # fmt: skip


def ability(rungs: Sequence[tuple[str, Finished]], metric: str = "") -> Ability:
    """Return what rungs still can on another evalset, each against the first. Raises `DataError`."""
    first = rungs[0][1]
    _refuse_others(rungs)
    metric = _metric(first, metric)
    info = first.info(metric)
    compared = [compare([first], [other], shown=0) for _, other in rungs[1:]]
    found = [None, *(held_together(compared) if compared else [])]
    better = "higher" if info is None else info.better
    rows = [_kept(*rung, c, metric) for rung, c in zip(rungs, found, strict=True)]
    return Ability(evalset=first.run.spec.evalset, metric=metric, better=better, rungs=tuple(rows))


def surely(m: MetricDifference | None) -> int:
    """Return 1 where a metric is surely better, -1 where surely worse, 0 where that cannot be told."""
    if m is None or m.interval is None:
        return 0
    sign = 1 if m.interval.low > 0 else -1 if m.interval.high < 0 else 0
    return sign if m.better == "higher" else -sign


def _refuse_others(rungs: Sequence[tuple[str, Finished]]) -> None:
    first = rungs[0][1]
    problems = [
        Problem("OTHER_SAMPLES", f"rung '{name}' cannot be compared: {why}", file=str(other.folder.path))
        for name, other in rungs[1:]
        if (why := why_other_samples([first], [other]))
    ]
    if problems:
        raise DataError(problems)


def _metric(first: Finished, wanted: str) -> str:
    names = [info.name for info in first.run.scorers]
    if not wanted or wanted in names:
        return wanted or names[0]
    fix = f"it has: {', '.join(names)}"
    raise DataError(Problem("UNKNOWN_METRIC", "the evalset has no such metric", field="metric", got=wanted, fix=fix))


def _rung(name: str, finished: Finished) -> Rung:
    run = finished.run
    return Rung(
        name=name, model=run.spec.model_name, run=run.id, metrics=tuple(m for m in run.metrics if not m.slice),
        latency=run.latency, cost=mean_price([finished]), length=mean_length(finished),
        refusals=refusal_share(finished), n_asked=run.n_attempted, n_failed=run.n_output_failed,
    )  # fmt: skip


def _step(below: str, a: Finished, name: str, b: Finished, comparison: Comparison, metric: str) -> Step:
    longer = length_drift(a, b)
    main = next((m for m in comparison.metrics if m.scorer == metric and not m.slice), None)
    grew = longer.interval is not None and longer.interval.low > 0
    return Step(
        below=below, rung=name, comparison=comparison, length=longer, refusals=refusal_drift(a, b),
        longer_without_better=grew and surely(main) <= 0,
    )  # fmt: skip


def _kept(name: str, finished: Finished, comparison: Comparison | None, metric: str) -> Kept:
    run = finished.run
    mean = next((m for m in run.metrics if m.scorer == metric and not m.slice), None)
    found = () if comparison is None else comparison.metrics
    m = next((m for m in found if m.scorer == metric and not m.slice), None)
    return Kept(
        rung=name, model=run.spec.model_name, run=run.id, value=None if mean is None else mean.value,
        n=0 if mean is None else mean.n, n_failed=0 if mean is None else mean.n_failed,
        delta=None if m is None else m.delta, interval=None if m is None else m.interval,
        p_adjusted=None if m is None else m.p_adjusted or m.p, lost=surely(m) < 0,
    )  # fmt: skip
