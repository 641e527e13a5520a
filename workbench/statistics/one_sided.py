"""The bounds that decide: an estimate whose interval has two one-sided bounds for ends, each with error (1 - level)/2.

| what is bounded | bound |
|---|---|
| 0/1 scores, all of different families | Clopper and Pearson's, exact |
| other scores within a declared range | Gaffke's |
| a difference, on the side that a pass rests on | Gaffke's |
| a difference, on the side that a fail rests on | as `difference_interval` |

Towards an end that the scorer leaves open, the largest value seen is taken for the largest possible one, and the bound
lies no nearer than Student's t. That misses losses larger than any seen; the method says so. See docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.runs import Interval
from workbench.statistics.gaffke import lower_bound
from workbench.statistics.intervals import Estimate, clopper_pearson
from workbench.statistics.means import group_codes, mean_interval
from workbench.statistics.paired import Better, difference_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OPEN = ", the range seen taken for the range"
"""Added to the method where the scorer declares no end."""


def mean_bounds(
    values: Sequence[float],
    groups: Sequence[str] | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    level: float,
) -> Estimate:
    """Return the mean of scores within [low, high], either of which may be open, with the bounds that decide.

    Undefined, with why, as `mean_interval` is, and where all values are equal and an end is open.
    """
    import numpy as np

    shown = mean_interval(values, groups, low=low, high=high, level=level)
    if shown.interval is None:
        return shown
    x, codes = np.asarray(values, dtype=float), group_codes(groups, shown.n)
    clustered = shown.n_groups < shown.n
    if low is not None and high is not None and not clustered and bool(((x == low) | (x == high)).all()):
        exact = clopper_pearson(int((x == high).sum()), shown.n, level)
        return _with_bounds(shown, low + (high - low) * exact.low, low + (high - low) * exact.high, exact.method)
    method = "gaffke" + (", clustered by group" if clustered else "") + (OPEN if low is None or high is None else "")
    below = _lower(x, codes, low, shown.interval.low, level)
    above = -_lower(-x, codes, None if high is None else -high, -shown.interval.high, level)
    return _with_bounds(shown, below, above, method)


def difference_bounds(
    differences: Sequence[float],
    groups: Sequence[str] | None = None,
    *,
    width: float | None = None,
    better: Better,
    level: float,
) -> Estimate:
    """Return the mean of paired differences with the bounds that decide; `width` as in `difference_interval`.

    The bound that a pass rests on is the lower one where higher is better, else the upper one.
    """
    import numpy as np

    shown = difference_interval(differences, groups, width=width, level=level)
    if shown.interval is None:
        return shown
    d, codes, low, high = np.asarray(differences, dtype=float), group_codes(groups, shown.n), *_ends(shown.interval)
    if better == "higher":
        low = _lower(d, codes, None if width is None else -width, low, level)
    else:
        high = -_lower(-d, codes, None if width is None else -width, -high, level)
    open_ended = OPEN if width is None else ""
    return _with_bounds(shown, low, high, f"gaffke for a pass{open_ended}, {shown.interval.method} for a fail")


def _lower(x: NDArray[np.float64], codes: NDArray[np.int64], lowest: float | None, by_t: float, level: float) -> float:
    """Return the lower bound of the mean; `by_t` is Student's, which counts where `lowest` is not known."""
    tail = (1 - level) / 2
    if lowest is not None:
        return lower_bound(x, codes, lowest, tail)
    return min(by_t, lower_bound(x, codes, float(x.min()), tail))


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def _with_bounds(estimate: Estimate, low: float, high: float, method: str) -> Estimate:
    assert estimate.interval is not None
    interval = estimate.interval.model_copy(update={"low": low, "high": high, "method": method})
    return estimate.model_copy(update={"interval": interval})
