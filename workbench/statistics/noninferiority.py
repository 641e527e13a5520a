"""From bounds to a verdict: never on the point.

Pass when both bounds are on the good side of the limit, fail when they are on the bad side, else inconclusive. With
`GATE_LEVEL` each is one-sided 95 %: a model exactly at the limit passes once in twenty at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import model_validator

from workbench.nouns import Noun
from workbench.statistics.intervals import Estimate
from workbench.statistics.missing import filled, widened, worst_case_differences
from workbench.statistics.one_sided import difference_bounds, mean_bounds
from workbench.statistics.paired import Better

Verdict = Literal["pass", "fail", "inconclusive"]

GATE_LEVEL = 0.90
"""Two-sided level whose bounds are one-sided 95 %."""


WIDEST = 1e100
"""Furthest end of a declared range: squares of what lies beyond are no floats."""


class Decision(Noun):
    """A verdict with what it rests on."""

    verdict: Verdict
    """`inconclusive`: more evidence is needed, and nothing is shipped on it."""
    estimate: Estimate
    """The number that was judged, with the interval that decided."""
    limit: float
    """The value that the estimate is held against."""
    reason: str
    """Why, in one sentence."""


class Scale(Noun):
    """What the scores of a metric can be."""

    low: float | None = None
    """Lowest possible score; `None`: unbounded."""
    high: float | None = None
    """Highest possible score; `None`: unbounded."""
    better: Better = "higher"
    """Which direction is good."""

    @model_validator(mode="after")
    def _bounds_something(self) -> Scale:
        ends = [end for end in (self.low, self.high) if end is not None]
        if max(map(abs, ends), default=0.0) > WIDEST:
            raise ValueError(f"a range of {self.low} … {self.high} bounds nothing; leave open what has no end")
        return self


def decide(estimate: Estimate, limit: float, better: Better = "higher") -> Decision:
    """Return the verdict on an estimate that should lie above `limit` (below it, where lower is better)."""
    interval = estimate.interval
    if interval is None:
        return Decision(verdict="inconclusive", estimate=estimate, limit=limit, reason=estimate.undefined)
    above, below = interval.low > limit, interval.high < limit
    good, bad = (above, below) if better == "higher" else (below, above)
    verdict: Verdict = "pass" if good else "fail" if bad else "inconclusive"
    side = (1 + interval.level) / 2
    if above:
        reason = f"the lower {side:.3g} bound {interval.low:.4g} is above the limit {limit:.4g}"
    elif below:
        reason = f"the upper {side:.3g} bound {interval.high:.4g} is below the limit {limit:.4g}"
    else:
        reason = f"the limit {limit:.4g} lies within {interval.low:.4g} … {interval.high:.4g}"
    return Decision(verdict=verdict, estimate=estimate, limit=limit, reason=reason)


def non_inferior(delta: Estimate, margin: float, better: Better = "higher") -> Decision:
    """Return the verdict on A minus B, where A may be worse than B by less than `margin`, in the score's unit, >= 0."""
    if margin < 0:
        raise ValueError(f"a margin is how much worse is still good enough: at least 0, not {margin}")
    return decide(delta, -margin if better == "higher" else margin, better)


def decide_mean(
    scores: Sequence[float | None],
    groups: Sequence[str] | None,
    scale: Scale,
    *,
    limit: float,
    allowed_missing: float,
    level: float = GATE_LEVEL,
) -> Decision:
    """Return the verdict on the mean of one run's scores, `None` where a score is missing.

    A missing score may have been anything in the range: the interval covers both ends. More than the share
    `allowed_missing` of them, or any without a declared range, is inconclusive.
    """
    have = [v is not None for v in scores]
    kept = None if groups is None else [g for g, there in zip(groups, have, strict=True) if there]
    estimate = _mean([v for v in scores if v is not None], kept, scale, level)
    why = too_much_missing(have.count(False), len(scores), allowed_missing, scale)
    if not why and not all(have) and scale.low is not None and scale.high is not None:
        low, high = (_mean(filled(scores, end), groups, scale, level) for end in (scale.low, scale.high))
        estimate = widened(estimate, low, high)
    if why:
        return Decision(verdict="inconclusive", estimate=estimate, limit=limit, reason=why)
    return decide(estimate, limit, scale.better)


def decide_difference(
    a: Sequence[float | None],
    b: Sequence[float | None],
    groups: Sequence[str] | None,
    scale: Scale,
    *,
    margin: float,
    allowed_missing: float,
    level: float = GATE_LEVEL,
) -> Decision:
    """Return the verdict on candidate A minus baseline B, same samples, repeats averaged; `None` if missing."""
    have = [x is not None and y is not None for x, y in zip(a, b, strict=True)]
    width = None if scale.low is None or scale.high is None else scale.high - scale.low
    kept = None if groups is None else [g for g, there in zip(groups, have, strict=True) if there]
    both = [x - y for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    delta = difference_bounds(both, kept, width=width, better=scale.better, level=level)
    why = too_much_missing(have.count(False), len(have), allowed_missing, scale)
    if not why and not all(have) and scale.low is not None and scale.high is not None:
        ends = worst_case_differences(a, b, scale.low, scale.high)
        low, high = (difference_bounds(d, groups, width=width, better=scale.better, level=level) for d in ends)
        delta = widened(delta, low, high)
    if why:
        limit = -margin if scale.better == "higher" else margin
        return Decision(verdict="inconclusive", estimate=delta, limit=limit, reason=why)
    return non_inferior(delta, margin, scale.better)


def shortfall(attempted: int, scored: int, failed: int, not_applicable: int = 0) -> str:
    """Return why an arm's counts do not add up, or an empty string: attempted = scored + failed + not applicable."""
    counted = scored + failed + not_applicable
    if counted == attempted:
        return ""
    parts = f"{scored} scored + {failed} failed" + (f" + {not_applicable} not applicable" if not_applicable else "")
    return f"{attempted} attempted, but {parts} = {counted}: {abs(attempted - counted)} unaccounted for"


def _mean(values: Sequence[float], groups: Sequence[str] | None, scale: Scale, level: float) -> Estimate:
    return mean_bounds(values, groups, low=scale.low, high=scale.high, level=level)


def too_much_missing(missing: int, n: int, allowed: float, scale: Scale) -> str:
    """Return why the missing scores forbid a verdict, or an empty string."""
    if missing == 0:
        return ""
    if missing > allowed * n:
        return f"{missing} of {n} scores are missing ({missing / n:.1%}); the policy allows {allowed:.1%}"
    if scale.low is None or scale.high is None:
        return f"{missing} of {n} scores are missing and could be anything, for the scorer declares no range"
    return ""
