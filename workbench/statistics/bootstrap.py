"""Bootstrap over families, for statistics that have no formula: percentiles, medians, agreement, ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from workbench.runs import Interval
from workbench.statistics.intervals import Estimate, t_quantile
from workbench.statistics.means import group_codes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    Statistic = Callable[[Rows], float]

Method = Literal["percentile", "bca"]
ROWS_AT_ONCE = 300_000
"""Row numbers held in memory while resampling."""


def bootstrap(
    statistic: Statistic,
    groups: Sequence[str],
    *,
    seed: int,
    draws: int = 2000,
    level: float = 0.95,
    method: Method = "percentile",
) -> Estimate:
    """Return a statistic with an interval from resampling whole families with replacement.

    `statistic` maps row numbers (repeats allowed) to a finite number; `groups` gives each row's family. The same seed
    gives the same interval. The quantiles are expanded by sqrt(C/(C-1)) and Student's t, because C resampled families
    vary less than C new ones (Hesterberg 2015; C = n²/Σm² for sizes m); `bca` corrects bias and skew besides (Efron
    1987). Fewer than two families: undefined.
    """
    import numpy as np

    codes = group_codes(groups, len(groups))
    n, n_groups = len(codes), int(codes.max(initial=-1)) + 1
    if n == 0:
        return Estimate(value=None, n=0, undefined="there are no rows")
    value = float(statistic(np.arange(n)))
    if n_groups < 2:
        why = f"all {n} rows are of one family; an interval needs two"
        return Estimate(value=value, n=n, n_groups=n_groups, undefined=why)
    resampled = _resampled(statistic, codes, np.random.default_rng(seed), draws)
    se = float(resampled.std(ddof=1))
    if se <= 1e-12 * abs(value):
        why = f"all {draws} resamples give the same value, so its spread is unknown"
        return Estimate(value=value, n=n, n_groups=n_groups, undefined=why)
    shares = _expanded_shares(codes, level)
    if method == "bca":
        shares = _corrected_shares(shares, value, resampled, _jackknife(statistic, codes))
    low, high = (float(q) for q in np.quantile(resampled, shares))
    name = f"bootstrap over {'families' if n_groups < n else 'samples'}, {method}, {draws} draws"
    interval = Interval(low=low, high=high, level=level, method=name)
    return Estimate(value=value, n=n, n_groups=n_groups, se=se, interval=interval)


def _resampled(statistic: Statistic, codes: Rows, rng: np.random.Generator, draws: int) -> NDArray[np.float64]:
    """Return the statistic of `draws` samples made of C whole families drawn with replacement."""
    import numpy as np

    return np.array([statistic(rows) for rows in _drawn_rows(codes, rng, draws)])


def _drawn_rows(codes: Rows, rng: np.random.Generator, draws: int) -> Iterator[Rows]:
    """Yield the row numbers of each resample; a block of resamples is drawn at once, for speed."""
    import numpy as np

    by_family = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    block = max(1, ROWS_AT_ONCE // len(codes))
    for first in range(0, draws, block):
        chosen = rng.integers(len(sizes), size=(min(block, draws - first), len(sizes)))
        lengths = sizes[chosen].ravel()
        ends = np.cumsum(lengths)
        offsets = starts[chosen].ravel() - ends + lengths
        rows = by_family[np.arange(ends[-1]) + np.repeat(offsets, lengths)]
        stops = ends[len(sizes) - 1 :: len(sizes)].tolist()
        yield from (rows[start:stop] for start, stop in zip([0, *stops], stops, strict=False))


def _expanded_shares(codes: Rows, level: float) -> tuple[float, float]:
    """Return the two quantiles to read, moved outwards for few families, or few large ones among many small."""
    import numpy as np
    from scipy.special import ndtr

    sizes = np.bincount(codes).astype(float)
    effective = max(2.0, len(codes) ** 2 / float(sizes @ sizes))
    tail = float(ndtr(-((effective / (effective - 1)) ** 0.5) * t_quantile(effective - 1, level)))
    return tail, 1 - tail


def _corrected_shares(
    shares: tuple[float, float], value: float, resampled: NDArray[np.float64], left_out: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the quantiles moved for bias (the resamples' share below the value) and skew (acceleration)."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    below = float((resampled < value).mean() + (resampled == value).mean() / 2)
    bias = float(ndtri(np.clip(below, 0.5 / len(resampled), 1 - 0.5 / len(resampled))))
    deviations = left_out.mean() - left_out
    spread = float(np.square(deviations).sum()) ** 1.5
    acceleration = float((deviations**3).sum()) / (6 * spread) if spread > 0 else 0.0
    z = bias + np.clip(ndtri(np.asarray(shares)), -8, 8)
    # Past 1 / acceleration the correction turns round; the quantile is then the outermost on its side.
    low, high = ndtr(bias + z / np.maximum(1 - acceleration * z, 1e-3))
    return float(low), float(high)


def _jackknife(statistic: Statistic, codes: Rows) -> NDArray[np.float64]:
    """Return the statistic without each family in turn."""
    import numpy as np

    rows = np.arange(len(codes))
    return np.array([statistic(rows[codes != family]) for family in range(int(codes.max()) + 1)])
