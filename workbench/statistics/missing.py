"""What missing scores could have been: bounds that hold however they went missing (Manski 1989).

A mean over the scores that happen to exist is only as good as the luck of the missing ones. Here every missing score is
the lowest, then the highest, that the scorer can give; a decision that survives both needs no assumption.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.runs import Interval
from workbench.statistics.intervals import Estimate


def worst_case(values: Sequence[float], n_missing: int, low: float, high: float) -> Interval | None:
    """Return the lowest and highest possible mean of `values` and `n_missing` more scores within [low, high].

    `None` when there is neither a value nor a missing score.
    """
    if n_missing < 0:
        raise ValueError(f"n_missing must not be negative, but is {n_missing}")
    n = len(values) + n_missing
    if n == 0:
        return None
    total = float(sum(values))
    return Interval(
        low=(total + n_missing * low) / n, high=(total + n_missing * high) / n, level=0.95, method="worst case"
    )


def filled(values: Sequence[float | None], with_value: float) -> list[float]:
    """Return the scores with every missing one (`None`) replaced."""
    return [with_value if v is None else v for v in values]


def worst_case_differences(
    a: Sequence[float | None], b: Sequence[float | None], low: float, high: float
) -> tuple[list[float], list[float]]:
    """Return the paired differences a - b, once with missing scores at A's worst and once at A's best.

    `low` and `high` bound both scores; the order of the samples is kept.
    """
    pairs = list(zip(a, b, strict=True))
    worst = [(low if x is None else x) - (high if y is None else y) for x, y in pairs]
    best = [(high if x is None else x) - (low if y is None else y) for x, y in pairs]
    return worst, best


def widened(scored: Estimate, lowest: Estimate, highest: Estimate) -> Estimate:
    """Return the estimate over what was scored with the interval that holds whatever the missing scores were.

    `lowest` and `highest` are the same estimate with the missing scores filled in at either end. The interval reaches
    from the lower bound of the one to the upper bound of the other.
    """
    if scored.value is None or lowest.interval is None or highest.interval is None:
        why = scored.undefined or lowest.undefined or highest.undefined
        return scored.model_copy(update={"interval": None, "undefined": why})
    interval = Interval(
        low=lowest.interval.low,
        high=highest.interval.high,
        level=lowest.interval.level,
        method=f"{lowest.interval.method}; missing scores at their worst and best",
    )
    return scored.model_copy(update={"interval": interval, "undefined": ""})
