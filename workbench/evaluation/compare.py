"""Compare finished runs, sample by sample: candidate minus baseline, per metric and per slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from workbench.errors import DataError, Problem
from workbench.evaluation.arms import Finished, Pool, SampleScores, answers, arm, sample_ids, sample_scores
from workbench.evaluation.changes import Pair, changes
from workbench.evaluation.comparable import why_other_rule, why_other_samples, why_uneven
from workbench.evaluation.comparison import Bin, Change, Comparison, Comparisons, MetricDifference, Refusal
from workbench.evaluation.summary import MAX_SLICE_VALUES
from workbench.runs import Interval, ScorerInfo
from workbench.statistics.missing import worst_case_differences
from workbench.statistics.multiple import benjamini_hochberg, holm
from workbench.statistics.paired import compare_paired

CHANGES = 20
"""Regressions and fixes that are listed for each metric; all are counted."""
BINS = 21
"""Bars of a histogram: an odd number, so that ties have a bar of their own in the middle."""


def compare_all(runs: Sequence[Finished], shown: int = CHANGES) -> Comparisons:
    """Compare every run with the first one; with more than two, p-values are adjusted by Holm's rule.

    Raises `DataError` naming each run that did not run on the same samples.
    """
    baseline, others = [runs[0]], runs[1:]
    problems = [
        Problem("OTHER_SAMPLES", f"the runs cannot be compared: {why}", file=str(other.folder.path))
        for other in others
        if (why := why_other_samples(baseline, [other]))
    ]
    if problems:
        raise DataError(problems)
    found = [compare(baseline, [other], shown) for other in others]
    return Comparisons(against=tuple(held_together(found) if len(found) > 1 else found))


def compare(baseline: Pool, candidate: Pool, shown: int = CHANGES) -> Comparison:
    """Compare two arms that ran on the same samples; a metric whose rule or judge differs is refused, with why."""
    old, new = baseline[0].run, candidate[0].run
    metrics: list[MetricDifference] = []
    refused: list[Refusal] = []
    changed: list[Change] = []
    counts: dict[str, dict[str, int]] = {"regression": {}, "fix": {}}
    for info in _union(old.scorers, new.scorers):
        if why := _why_not(baseline, candidate, info.name):
            refused.append(Refusal(scorer=info.name, reason=why))
            continue
        pairs = paired(baseline, candidate, info.name)
        metrics.append(difference(pairs, info))
        metrics += [difference(members, info, name) for name, members in _sliced(pairs).items()]
        found = changes(baseline[0], candidate[0], info, pairs, shown)
        changed += found.shown
        counts["regression"][info.name], counts["fix"][info.name] = found.n_regressions, found.n_fixes
    sides = arm(baseline), arm(candidate)
    latencies = [(side.latency.p50, side.latency.p95) for side in sides]
    return Comparison(
        evalset=new.spec.evalset,
        use=new.spec.use,
        dataset=new.dataset.fingerprint,
        n=len(sample_ids(candidate)),
        baseline=sides[0],
        candidate=sides[1],
        metrics=tuple(_explored(sorted(metrics, key=lambda m: m.slice != ""))),
        refused=tuple(refused),
        n_regressions=counts["regression"],
        n_fixes=counts["fix"],
        changes=tuple(sorted(changed, key=lambda c: c.kind != "regression")),
        latency_p50=_minus(latencies[1][0], latencies[0][0]),
        latency_p95=_minus(latencies[1][1], latencies[0][1]),
        cost_per_answer=_minus(mean_price(candidate), mean_price(baseline)),
    )


def _why_not(baseline: Pool, candidate: Pool, scorer: str) -> str:
    """Return why a metric cannot be compared, or an empty string: between the arms, and within each."""
    between = why_other_rule(baseline[0].run, candidate[0].run, scorer)
    return between or why_uneven(baseline, scorer) or why_uneven(candidate, scorer)


def paired(baseline: Pool, candidate: Pool, scorer: str) -> dict[str, Pair]:
    """Return both arms' scores by sample id, in the ids' order."""
    old, new = sample_scores(baseline, scorer), sample_scores(candidate, scorer)
    return {name: (old[name], scores) for name, scores in new.items()}


def difference(pairs: Mapping[str, Pair], info: ScorerInfo, label: str = "") -> MetricDifference:
    """Return one metric's paired difference over the samples that both sides scored."""
    applies = [(a, b) for a, b in pairs.values() if a.applies or b.applies]
    both = [(a, b, a.scores, b.scores) for a, b in applies]
    scored = [(a.family, x, y) for a, _, x, y in both if x is not None and y is not None]
    found = compare_paired(
        [y for _, _, y in scored],
        [x for _, x, _ in scored],
        [family for family, _, _ in scored],
        low=info.low,
        high=info.high,
        better=info.better,
    )
    n = len(scored)
    return MetricDifference(
        scorer=info.name,
        slice=label,
        better=info.better,
        n=n,
        n_groups=found.delta.n_groups,
        n_missing_baseline=sum(x is None for _, _, x, _ in both),
        n_missing_candidate=sum(y is None for _, _, _, y in both),
        n_not_applicable=len(pairs) - len(applies),
        baseline=sum(sum(x) / len(x) for _, x, _ in scored) / n if n else None,
        candidate=sum(sum(y) / len(y) for _, _, y in scored) / n if n else None,
        delta=found.delta.value,
        interval=found.delta.interval,
        worst_case=_worst_case(applies, info),
        p=found.p,
        p_method=found.p_method,
        detectable=found.detectable,
        wins=found.wins,
        losses=found.losses,
        ties=found.ties,
        flips_baseline=found.flips_b,
        flips_candidate=found.flips_a,
        histogram=() if label else histogram([sum(y) / len(y) - sum(x) / len(x) for _, x, y in scored], info),
        undefined=found.delta.undefined,
    )


def _worst_case(applies: Sequence[Pair], info: ScorerInfo) -> Interval | None:
    if info.low is None or info.high is None or not applies:
        return None
    ends = worst_case_differences([b.mean for _, b in applies], [a.mean for a, _ in applies], info.low, info.high)
    low, high = (sum(end) / len(end) for end in ends)
    return Interval(low=low, high=high, level=0.95, method="worst case")


def histogram(differences: Sequence[float], info: ScorerInfo) -> tuple[Bin, ...]:
    """Return how the differences are distributed, over the whole range they can have and symmetric about 0."""
    if not differences:
        return ()
    import numpy as np

    widest = max(abs(d) for d in differences) or 1.0
    width = widest if info.low is None or info.high is None else info.high - info.low
    counts, edges = np.histogram(np.clip(differences, -width, width), bins=BINS, range=(-width, width))
    bars = zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return tuple(Bin(low=low, high=high, n=n) for n, low, high in bars)


def slices(pairs: Mapping[str, Pair]) -> list[str]:
    """Return `name=value` of the tags that divide the samples and are no mere names of them."""
    tags = sorted({tag for _, scores in pairs.values() for tag in scores.tags.items()})
    found: list[str] = []
    for _, group in groupby(tags, key=lambda tag: tag[0]):
        values = list(group)
        if 2 <= len(values) <= MAX_SLICE_VALUES:
            found += [f"{name}={value}" for name, value in values]
    return found


def _sliced(pairs: Mapping[str, Pair]) -> dict[str, dict[str, Pair]]:
    """Return the pairs of each slice, in one walk over all of them."""
    found: dict[str, dict[str, Pair]] = {name: {} for name in slices(pairs)}
    for sample_id, pair in pairs.items():
        for name, value in pair[1].tags.items():
            if (members := found.get(f"{name}={value}")) is not None:
                members[sample_id] = pair
    return found


def in_slice(scores: SampleScores, label: str) -> bool:
    """Return whether a sample belongs to the slice `name=value`; the whole set is ''."""
    name, _, value = label.partition("=")
    return not label or scores.tags.get(name) == value


def mean_price(pool: Pool) -> float | None:
    """Return what an answer costs that is not taken from the cache; `None` when nobody knows."""
    prices = [answer.cost for answer in answers(pool) if not answer.cached]
    known = [price for price in prices if price is not None]
    return sum(known) / len(known) if known and len(known) == len(prices) else None


def _explored(metrics: Sequence[MetricDifference]) -> list[MetricDifference]:
    """Adjust the slices' p-values together: they are looked through for something, not asked one question."""
    at = [i for i, m in enumerate(metrics) if m.slice and m.p is not None]
    adjusted = dict(
        zip(at, benjamini_hochberg([p for m in metrics if m.slice and (p := m.p) is not None]), strict=True)
    )
    return [
        m.model_copy(update={"p_adjusted": adjusted[i], "adjustment": "benjamini-hochberg"}) if i in adjusted else m
        for i, m in enumerate(metrics)
    ]


def held_together(found: Sequence[Comparison]) -> list[Comparison]:
    """Adjust each metric's p-values over several candidates against one baseline."""
    whole = [(c, i, m) for c, one in enumerate(found) for i, m in enumerate(one.metrics) if not m.slice]
    adjusted: dict[tuple[int, int], float] = {}
    for name in {m.scorer for _, _, m in whole}:
        asked = [(c, i, m.p) for c, i, m in whole if m.scorer == name and m.p is not None]
        for (c, i, _), p in zip(asked, holm([p for _, _, p in asked]), strict=True):
            adjusted[c, i] = p
    return [
        one.model_copy(
            update={
                "metrics": tuple(
                    m.model_copy(update={"p_adjusted": adjusted[c, i], "adjustment": "holm"})
                    if (c, i) in adjusted
                    else m
                    for i, m in enumerate(one.metrics)
                )
            }
        )
        for c, one in enumerate(found)
    ]


def _union(old: Sequence[ScorerInfo], new: Sequence[ScorerInfo]) -> list[ScorerInfo]:
    names = {info.name for info in new}
    return [*new, *(info for info in old if info.name not in names)]


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
