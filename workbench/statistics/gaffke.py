"""Gaffke's one-sided bounds of a mean, which hold however rare and large the lapses are.

A sample without a lapse shows a small spread, and no formula of mean and standard error sees what did not happen. These
bounds add one family at the worst end of the range to what was seen. Why these: docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Callable
from math import copysign, exp, log, pi, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STEPS = 100
"""Most steps to a root; about ten are usual."""
PRECISION = 1e-9
"""How near to its error rate a bound is brought, in standard deviations of a normal variable."""


def lower_bound(values: NDArray[np.float64], codes: NDArray[np.int64], lowest: float, alpha: float) -> float:
    """Return the lower bound, with one-sided error rate `alpha` < 1/2, of the mean of values that are all >= `lowest`.

    Gaffke's bound (2005; Phan, Thomas and Learned-Miller 2021): the alpha quantile of Σ E·total / Σ E·size over all
    families and one more that lies wholly at `lowest`, with independent exponential weights E. For 0/1 values without
    families it is Clopper and Pearson's; where n values are equal it lies about 3/n of the way to `lowest` below them,
    at 5 %. `codes` are the families, 0 … C - 1; `lapsing_size` says how large the added one is.
    """
    import numpy as np

    mean, clustered = float(values.mean()), int(codes.max()) + 1 < len(codes)
    totals, sizes, counts = _families(values, codes)
    added = lapsing_size(sizes, alpha) if clustered else 1.0
    totals, sizes, counts = np.append(totals, added * lowest), np.append(sizes, added), np.append(counts, 1.0)

    def height(at: float) -> float:
        return _normal(chance_below(totals - at * sizes, counts)) - _normal(alpha)

    return _crossing(height, lowest, mean)


def chance_below(y: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """Return P[Σ y_i · G_i <= 0] where G_i is the sum of `counts[i]` independent exponential variables of mean 1.

    Lugannani and Rice's saddlepoint formula (1980). It was within 4 % of the exact chance in the tail, and above it
    where few terms are negative, which is the safe side for a bound.
    """
    import numpy as np

    y = y / (float(np.abs(y).max()) or 1.0)
    y = np.where(np.abs(y) <= 1e-12, 0.0, y)  # rounding noise
    if not float(y.min()) < 0 < float(y.max()):
        return float(y.max() <= 0)
    s = _saddlepoint(y, counts)
    share = 1 - s * y
    w = copysign(sqrt(max(0.0, 2 * float(counts @ np.log(share)))), s)
    u = s * sqrt(float(counts @ np.square(y / share)))
    if abs(w) < 1e-3:  # the formula is 0/0 at the mean, where the chance is near 1/2
        return 0.5
    return NormalDist().cdf(w) + exp(-w * w / 2) / sqrt(2 * pi) * (1 / w - 1 / u)


def _normal(chance: float) -> float:
    """Return the chance as a quantile, in which it is nearly straight; far tails are cut off."""
    return NormalDist().inv_cdf(min(max(chance, 1e-300), 0.9))


def _families(
    values: NDArray[np.float64], codes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return total and size of each family and how often it occurs; equal values that are their own family are one."""
    import numpy as np

    sizes = np.bincount(codes).astype(float)
    if len(sizes) < len(values):
        return np.bincount(codes, weights=values).astype(float), sizes, np.ones(len(sizes))
    totals, counts = np.unique(values, return_counts=True)
    return totals, np.ones(len(totals)), counts.astype(float)


def lapsing_size(sizes: NDArray[np.float64], alpha: float) -> float:
    """Return how large a family that lapses unseen must be thought, from the sizes of those that were seen.

    At least as large as those that carry the variance if all families lapse alike, Σm³/Σm². Nor so small that large
    ones which alone lapse could hide more: with chances q none shows with Π(1 - q) >= alpha, and Σ q·m samples are lost
    at most where 1 - q = λ/m for all m > λ. An added family of size a takes away a share x with
    Σ log(1 + m·x/(1 - x)/a) = log(1/alpha), where no lapse is seen.
    """
    import numpy as np

    alike = float((sizes**3).sum() / (sizes**2).sum())
    largest = np.sort(sizes)[::-1]
    k, together = np.arange(1, len(sizes) + 1), np.cumsum(largest)
    below = np.exp((np.cumsum(np.log(largest)) + log(alpha)) / k)  # λ if the k largest lapse
    hidden = float(np.where(below <= largest, together - k * below, 0.0).max())
    by_size = _crossing(lambda u: float(np.log1p(u * sizes).sum()) + log(alpha), 0.0, 1 / alpha / float(largest[0]))
    return max(alike, hidden / (float(together[-1]) - hidden) / by_size)


def _saddlepoint(y: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """Return the s with Σ counts · y / (1 - s y) = 0, between 1 / min y and 1 / max y, by Newton's rule kept inside."""
    import numpy as np

    low, high, s = 1 / float(y.min()), 1 / float(y.max()), 0.0
    for _ in range(STEPS):
        ratio = y / (1 - s * y)
        slope, curve = float(counts @ ratio), float(counts @ np.square(ratio))
        low, high = (s, high) if slope < 0 else (low, s)
        step = s - slope / curve
        following = step if low < step < high else (low + high) / 2
        if abs(following - s) <= 1e-10 * abs(following):
            return following
        s = following
    return s


def _crossing(f: Callable[[float], float], low: float, high: float) -> float:
    """Return where a growing `f` crosses 0 between `low` and `high`: false position, Illinois rule (Dowell 1971)."""
    ends, heights, at, before = [low, high], [f(low), f(high)], low, -1
    for _ in range(STEPS):
        if heights[0] >= 0 or heights[1] <= 0:
            return ends[0]
        at = (ends[0] * heights[1] - ends[1] * heights[0]) / (heights[1] - heights[0])
        height = f(at)
        if abs(height) < PRECISION:
            break
        side = int(height > 0)
        ends[side], heights[side] = at, height
        if side == before:  # the other end would stay where it is
            heights[1 - side] /= 2
        before = side
    return at
