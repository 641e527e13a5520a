"""The mean of one run's scores with its standard error and interval: `mean_interval` chooses the method.

| scores | interval |
|---|---|
| 0/1, all of different families | Wilson |
| within a declared range | Wilson with the effective sample size and a t quantile |
| without a declared range | t |

Families with more than one member make either of the last two clustered. Why these: docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING

from workbench.runs import Interval
from workbench.statistics.intervals import Estimate, t_interval, wilson, wilson_effective

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Groups = Sequence[str] | NDArray[np.integer]
    """Families by name, or by any numbers."""

FEW_LAPSES = 10
"""With fewer scores away from the end where most are, their spread is a guess: each score counts as one 0/1 trial."""


def mean_interval(
    values: Sequence[float] | NDArray[np.float64],
    groups: Groups | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    binary: bool = False,
    level: float = 0.95,
) -> Estimate:
    """Return the mean of `values` with an interval by the method that suits them, named in `interval.method`.

    `values` holds one score a sample, repeats already averaged, all within [low, high]; `groups` the samples' families
    in the same order (`None`: every sample is its own). `binary` says that a single score is 0 or 1, so that the range
    is [0, 1]; averaged repeats of such scores may be passed. No value, one value, or one family: undefined, with why.
    Raises ValueError for a value that is not finite or outside the range.
    """
    import numpy as np

    low, high = (0.0, 1.0) if binary else (low, high)
    x = np.asarray(values, dtype=float)
    codes = group_codes(groups, len(x))
    _refuse_outside(x, low, high)
    n, n_groups = len(x), int(codes.max(initial=-1)) + 1
    if n == 0:
        return Estimate(value=None, n=0, undefined="nothing was scored")
    mean = float(x.mean())
    if n_groups < 2:
        why = "one sample has no spread" if n == 1 else f"all {n} samples are of one family; an interval needs two"
        return Estimate(value=mean, n=n, n_groups=n_groups, undefined=why)
    se = clustered_se(x, codes)
    interval = _chosen(x, codes, se, low, high, level)
    why = "" if interval else f"all {n} values are equal and have no declared range, so their spread is unknown"
    return Estimate(value=mean, n=n, n_groups=n_groups, se=se, interval=interval, undefined=why)


def clustered_se(values: NDArray[np.float64], codes: NDArray[np.int64]) -> float:
    """Return the standard error of the mean, given each value's family as 0 … C - 1, C >= 2.

    SE = sqrt(C/(C-1) · Σ_c (Σ_{i in c} (x_i - mean))²) / n (Miller, arXiv 2411.00640, with the small-sample factor);
    with one value a family it is the usual sqrt(Σ (x_i - mean)² / (n (n-1))). Rounding noise is 0.
    """
    import numpy as np

    sums = np.bincount(codes, weights=values - values.mean())
    c = len(sums)
    se = sqrt(c / (c - 1) * float(sums @ sums)) / len(values)
    return se if se > 1e-12 * float(np.abs(values).max()) else 0.0


def degrees_of_freedom(values: NDArray[np.float64], codes: NDArray[np.int64], se: float) -> float:
    """Return C - 1 for C families of equal size, less when a few large families carry the variance; at least 1.

    C is the effective number (Σ w)² / Σ w² with w = m (1 + (m - 1) ρ), a family's share of the variance; m is its size
    and ρ the correlation within families that the design effect implies, within [0, 1] (after Satterthwaite 1946).
    """
    import numpy as np

    sizes = np.bincount(codes).astype(float)
    n = len(values)
    if len(sizes) == n:
        return n - 1.0
    independent = float(np.square(values - values.mean()).sum()) / (n * (n - 1))
    typical = float(sizes @ sizes) / n
    deff = se**2 / independent if independent > 0 else typical
    rho = min(1.0, max(0.0, (deff - 1) / (typical - 1)))
    weights = sizes * (1 + (sizes - 1) * rho)
    return max(1.0, float(weights.sum() ** 2 / (weights @ weights)) - 1)


def design_certainty(codes: NDArray[np.int64]) -> float:
    """Return by how much degrees of freedom grow for 0/1 scores: 1 + 3 / typical family size.

    Their variance follows from their mean, and only the design effect is estimated. The smaller the families, the less
    there is to estimate; the 3 is found by simulation.
    """
    import numpy as np

    return 1 + 3 * len(codes) / float(np.square(np.bincount(codes), dtype=float).sum())


def group_codes(groups: Groups | None, n: int) -> NDArray[np.int64]:
    """Return each sample's family as a number: names 0 … C - 1 in order of appearance, an array's numbers by size."""
    import numpy as np

    if groups is None:
        return np.arange(n, dtype=np.int64)
    if len(groups) != n:
        raise ValueError(f"{n} values but {len(groups)} groups; give one group a value")
    if isinstance(groups, np.ndarray):
        return np.unique(groups, return_inverse=True)[1]
    numbers: dict[str, int] = {}
    return np.fromiter((numbers.setdefault(g, len(numbers)) for g in groups), dtype=np.int64, count=n)


def _chosen(
    x: NDArray[np.float64], codes: NDArray[np.int64], se: float, low: float | None, high: float | None, level: float
) -> Interval | None:
    """Return the interval by the rules in the module's docstring, or `None` where the spread cannot be known."""
    clustered = int(codes.max()) + 1 < len(x)
    df = degrees_of_freedom(x, codes, se)
    if low is None or high is None:
        plain = t_interval(float(x.mean()), se, df, level) if se > 0 else None
        return plain and _named(plain, clustered, low, high)
    shares = (x - low) / (high - low)
    mean = float(shares.mean())
    zero_one = bool(((shares == 0) | (shares == 1)).all())
    if zero_one and not clustered:
        score = wilson(float(shares.sum()), len(x), level)
    else:
        size = _effective_size(mean, se / (high - low), codes)
        if zero_one:
            df *= design_certainty(codes)
        elif _few_lapses(shares):
            size = min(size, float(len(x)))
        score = wilson_effective(mean, size, df, level)
    return _named(_scaled(score, low, high - low), clustered, low, high)


def _effective_size(mean: float, se: float, codes: NDArray[np.int64]) -> float:
    """Return how many independent 0/1 trials would know the mean as well, for a mean and error in [0, 1].

    A sample without spread is no proof of a population without spread. If the families agree in the mean only, each
    value counts as one trial; if all values are at one end, each family does, weighted when their sizes differ.
    """
    import numpy as np

    if se > 0:
        return mean * (1 - mean) / se**2
    n = len(codes)
    if 0 < mean < 1:
        return float(n)
    return n * n / float(np.square(np.bincount(codes), dtype=float).sum())


def _few_lapses(shares: NDArray[np.float64]) -> bool:
    """Return whether most scores lie at one end of the range and hardly any elsewhere."""
    away = len(shares) - max(int((shares == 0).sum()), int((shares == 1).sum()))
    return away < min(FEW_LAPSES, len(shares) / 2)


def _scaled(interval: Interval, low: float, width: float) -> Interval:
    return interval.model_copy(update={"low": low + width * interval.low, "high": low + width * interval.high})


def _named(interval: Interval, clustered: bool, low: float | None, high: float | None) -> Interval:
    """Return the interval cut to the range that scores can have, and its method with a word on clustering."""
    method = interval.method + (", clustered by group" if clustered else "")
    bottom = interval.low if low is None else max(low, interval.low)
    top = interval.high if high is None else min(high, interval.high)
    return Interval(low=bottom, high=top, level=interval.level, method=method)


def _refuse_outside(x: NDArray[np.float64], low: float | None, high: float | None) -> None:
    """Raise for a value that is not a finite number within the declared range."""
    import numpy as np

    bad = ~np.isfinite(x)
    if low is not None:
        bad |= x < low
    if high is not None:
        bad |= x > high
    if bad.any():
        at = int(bad.argmax())
        raise ValueError(f"value {x[at]} at position {at} is not a finite number within [{low}, {high}]")
