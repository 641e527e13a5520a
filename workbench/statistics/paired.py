"""Two runs on the same samples, always compared sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from workbench.nouns import Noun
from workbench.runs import Interval
from workbench.statistics.intervals import Estimate, t_quantile
from workbench.statistics.means import clustered_se, degrees_of_freedom, design_certainty, group_codes
from workbench.statistics.power import detectable_from_se
from workbench.statistics.student import t_cdf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Better = Literal["higher", "lower"]


class PairedComparison(Noun):
    """What two runs on the same samples say of each other: A minus B."""

    delta: Estimate
    """Mean of A's score minus B's, repeats averaged within a sample first."""
    wins: int = Field(ge=0)
    """Samples on which A is better."""
    losses: int = Field(ge=0)
    """Samples on which B is better."""
    ties: int = Field(ge=0)
    """Samples on which both score the same."""
    p: float | None
    """Two-sided p-value of no difference; `None` when it cannot be had, with the reason in `delta.undefined`."""
    p_method: str = ""
    """`exact McNemar`, `t`, `t, clustered by group` or `exact sign test over families`."""
    flips_a: float | None = None
    """Chance that two of A's answers to one sample score differently; `None` without repeats."""
    flips_b: float | None = None
    """The same of B."""
    detectable: float | None = None
    """Minimum detectable effect: the true difference this comparison would show in 80 % of repetitions at alpha .05."""


def compare_paired(
    a: Sequence[Sequence[float]],
    b: Sequence[Sequence[float]],
    groups: Sequence[str] | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    better: Better = "higher",
    level: float = 0.95,
) -> PairedComparison:
    """Return the paired comparison of A and B; entry i of both holds the scores of sample i, one a repeat.

    `groups` are the samples' families; `low` and `high` the scores' declared range. Raises ValueError when A and B
    differ in length or a sample has no score.
    """
    import numpy as np

    if len(a) != len(b):
        raise ValueError(f"{len(a)} samples of A but {len(b)} of B; compare the same samples")
    d = np.array([_average(x) - _average(y) for x, y in zip(a, b, strict=True)], dtype=float)
    d[np.abs(d) < 1e-12] = 0.0
    width = None if low is None or high is None else high - low
    delta = difference_interval(d, groups, width=width, level=level)
    p, method = _p_value(d, group_codes(groups, len(d)), width)
    up, down = int((d > 0).sum()), int((d < 0).sum())
    return PairedComparison(
        delta=delta,
        wins=up if better == "higher" else down,
        losses=down if better == "higher" else up,
        ties=len(d) - up - down,
        p=p,
        p_method=method,
        flips_a=flip_rate(a),
        flips_b=flip_rate(b),
        detectable=detectable_from_se(delta.se) if delta.se else None,
    )


def difference_interval(
    differences: Sequence[float] | NDArray[np.float64],
    groups: Sequence[str] | None = None,
    *,
    width: float | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the mean of paired differences with its interval, clustered where families have more than one member.

    `width` is the length of the scores' declared range, so that a difference lies within ± width. Its spread is then
    taken over one win and one loss by `width` more than there were, as large ones may be rare (Bonett and Price 2012,
    for 0/1 scores); without a range it is the observed one, and undefined where all differences are equal.
    """
    import numpy as np

    d = np.asarray(differences, dtype=float)
    codes = group_codes(groups, len(d))
    n, n_groups = len(d), int(codes.max(initial=-1)) + 1
    if n == 0:
        return Estimate(value=None, n=0, undefined="no sample has a score in both runs")
    mean = float(d.mean())
    if n_groups < 2:
        why = "one pair has no spread" if n == 1 else f"all {n} pairs are of one family; an interval needs two"
        return Estimate(value=mean, n=n, n_groups=n_groups, undefined=why)
    se = clustered_se(d, codes)
    interval = _chosen(d, codes, se, width, level)
    why = "" if interval else f"all {n} differences are equal and have no declared range, so their spread is unknown"
    return Estimate(value=mean, n=n, n_groups=n_groups, se=se, interval=interval, undefined=why)


def exact_mcnemar(wins: int, losses: int) -> float:
    """Return the two-sided p-value min(1, 2 · P[Bin(wins + losses, 1/2) <= min(wins, losses)]), 1 without either."""
    from scipy.special import bdtr

    total = wins + losses
    return 1.0 if total == 0 else min(1.0, 2 * float(bdtr(min(wins, losses), total, 0.5)))


def flip_rate(repeats: Sequence[Sequence[float]]) -> float | None:
    """Return the chance that two different repeats of one sample score differently, averaged over samples with repeats.

    `None` when no sample has two repeats. It does not depend on how many repeats there are, except in precision.
    """
    rates = [_disagreement(scores) for scores in repeats if len(scores) > 1]
    return sum(rates) / len(rates) if rates else None


def repeat_variance(repeats: Sequence[Sequence[float]]) -> float | None:
    """Return the variance of the score over repeats of one sample, averaged over samples: s² of the power formula."""
    many = [scores for scores in repeats if len(scores) > 1]
    if not many:
        return None
    return sum(sum((s - _average(x)) ** 2 for s in x) / (len(x) - 1) for x in many) / len(many)


def _average(scores: Sequence[float]) -> float:
    if not scores:
        raise ValueError("a sample without a score cannot be compared; leave it out and count it as missing")
    return sum(scores) / len(scores)


def _disagreement(scores: Sequence[float]) -> float:
    k = len(scores)
    same = sum(scores.count(value) * (scores.count(value) - 1) for value in set(scores))
    return 1 - same / (k * (k - 1))


def _chosen(
    d: NDArray[np.float64], codes: NDArray[np.int64], se: float, width: float | None, level: float
) -> Interval | None:
    """Return the interval by the rules of `difference_interval`, or `None` where the spread cannot be known."""
    mean, clustered = float(d.mean()), int(codes.max()) + 1 < len(d)
    error, df = _error(d, codes, se, width)
    half = t_quantile(df, level) * error
    method = ("t" if width is None else "bonett-price") + (", clustered by group" if clustered else "")
    if width is None:
        return Interval(low=mean - half, high=mean + half, level=level, method=method) if se > 0 else None
    return Interval(low=max(mean - half, -width), high=min(mean + half, width), level=level, method=method)


def _error(d: NDArray[np.float64], codes: NDArray[np.int64], se: float, width: float | None) -> tuple[float, float]:
    """Return the error of the mean on which interval and test rest, and its degrees of freedom."""
    df = degrees_of_freedom(d, codes, se)
    if width is None:
        return se, df
    if _only_wins_losses_ties(d, width):
        df *= design_certainty(codes)
    return width * _adjusted_se(d / width, codes, se / width), df


def _only_wins_losses_ties(d: NDArray[np.float64], width: float) -> bool:
    return bool(((d == 0) | (d == width) | (d == -width)).all())


def _adjusted_se(d: NDArray[np.float64], codes: NDArray[np.int64], se: float) -> float:
    """Return the standard error of differences within [-1, 1] after one more of 1 and one more of -1.

    Families enter through the effective number of pairs: n over the design effect, which one family of typical size
    cannot push above n times that size.
    """
    import numpy as np

    n = len(d)
    mean, square = float(d.mean()), float(np.square(d).mean())
    sizes = np.bincount(codes).astype(float)
    typical = float(sizes @ sizes) / n
    independent = (square - mean**2) / n
    deff = max(se**2 / independent, 1 / typical) if independent > 1e-15 else typical
    pairs = n / deff
    shrunk = mean * pairs / (pairs + 2)
    return sqrt(((square * pairs + 2) / (pairs + 2) - shrunk**2) / (pairs + 2))


def _p_value(d: NDArray[np.float64], codes: NDArray[np.int64], width: float | None) -> tuple[float | None, str]:
    """Return the two-sided p-value of a zero mean, and by what test."""
    import numpy as np

    n_groups = int(codes.max(initial=-1)) + 1
    if n_groups < 2:
        return None, ""
    clustered = n_groups < len(d)
    if width is not None and not clustered and _only_wins_losses_ties(d, width):
        return exact_mcnemar(int((d > 0).sum()), int((d < 0).sum())), "exact McNemar"
    se = clustered_se(d, codes)
    if se == 0:
        totals = np.bincount(codes, weights=d)
        return exact_mcnemar(int((totals > 0).sum()), int((totals < 0).sum())), "exact sign test over families"
    error, df = _error(d, codes, se, width)
    return min(1.0, 2 * t_cdf(-abs(float(d.mean())) / error, df)), "t, clustered by group" if clustered else "t"
