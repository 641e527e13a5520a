"""Confidence intervals of one proportion or one mean, from counts, means and standard errors.

The choice among them is made in one place, `workbench.statistics.means.mean_interval`. Coverage: docs/statistics.md.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from pydantic import Field

from workbench.nouns import Noun
from workbench.runs import Interval
from workbench.statistics.student import beta_ppf, t_ppf


class Estimate(Noun):
    """A number with what it rests on. What cannot be estimated is `None` with a reason, never 0 and never NaN."""

    value: float | None
    """The point estimate; `None` when there is none."""
    n: int = Field(ge=0)
    """Samples it rests on."""
    n_groups: int = Field(0, ge=0)
    """Families among them: the independent units."""
    se: float | None = None
    """Standard error of the value, in its unit."""
    interval: Interval | None = None
    """Confidence interval; `None` when it cannot be made."""
    undefined: str = ""
    """Why the value or the interval is missing; empty when both are there."""


def wilson(successes: float, n: float, level: float = 0.95) -> Interval:
    """Return Wilson's score interval of a proportion; `successes` of `n` independent trials (Wilson 1927)."""
    _refuse_counts(successes, n)
    low, high = _score_bounds(successes / n, n, normal_quantile(level))
    return Interval(low=low, high=high, level=level, method="wilson")


def jeffreys(successes: float, n: float, level: float = 0.95) -> Interval:
    """Return the equal-tailed interval of a proportion under a Beta(1/2, 1/2) prior (Brown, Cai, DasGupta 2001).

    At 0 successes the lower bound is 0 and at n successes the upper bound is 1.
    """
    from scipy.special import betaincinv

    _refuse_counts(successes, n)
    tail, a, b = (1 - level) / 2, successes + 0.5, n - successes + 0.5
    low = 0.0 if successes == 0 else float(betaincinv(a, b, tail))
    high = 1.0 if successes == n else float(betaincinv(a, b, 1 - tail))
    return Interval(low=low, high=high, level=level, method="jeffreys")


def clopper_pearson(successes: float, n: float, level: float = 0.95) -> Interval:
    """Return the exact interval of a proportion: each bound errs at most (1 - level)/2, whatever n and the true rate.

    Effective counts may be fractions. The ends are quantiles of Beta(successes, n - successes + 1) and
    Beta(successes + 1, n - successes) (Clopper and Pearson 1934); at 0 successes the lower is 0, at n the upper is 1.
    """
    _refuse_counts(successes, n)
    tail = (1 - _checked_level(level)) / 2
    low = 0.0 if successes == 0 else beta_ppf(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else 1 - beta_ppf(tail, n - successes, successes + 1)
    return Interval(low=low, high=high, level=level, method="clopper-pearson")


def wilson_effective(mean: float, n_effective: float, df: float, level: float = 0.95) -> Interval:
    """Return Wilson's interval of a mean in [0, 1] that is as precise as `n_effective` independent 0/1 trials.

    The quantile is Student's with `df` degrees of freedom, because the effective size is itself an estimate
    (Dean and Pagano 2015, Korn and Graubard 1998).
    """
    low, high = _score_bounds(mean, n_effective, t_quantile(df, level))
    return Interval(low=low, high=high, level=level, method="wilson, effective n")


def t_interval(mean: float, se: float, df: float, level: float = 0.95) -> Interval:
    """Return mean ± t · se with `df` degrees of freedom."""
    half = t_quantile(df, level) * se
    return Interval(low=mean - half, high=mean + half, level=level, method="t")


def zero_events_upper(n: int) -> float:
    """Return the one-sided 95 % upper bound on a rate of which `n` trials showed no event: 3/n, at most 1."""
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    return min(1.0, 3 / n)


def normal_quantile(level: float) -> float:
    """Return z with P[|Z| <= z] = level."""
    return NormalDist().inv_cdf((1 + _checked_level(level)) / 2)


def t_quantile(df: float, level: float) -> float:
    """Return t with P[|T| <= t] = level for Student's T with `df` degrees of freedom."""
    return t_ppf((1 + _checked_level(level)) / 2, df)


def _score_bounds(p: float, n: float, q: float) -> tuple[float, float]:
    """Return both roots of |p - x| = q · sqrt(x (1 - x) / n), kept within [0, 1] and around p."""
    shrink = 1 + q * q / n
    centre = (p + q * q / (2 * n)) / shrink
    half = q / shrink * sqrt(p * (1 - p) / n + q * q / (4 * n * n))
    return min(p, max(0.0, centre - half)), max(p, min(1.0, centre + half))


def _checked_level(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    return level


def _refuse_counts(successes: float, n: float) -> None:
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} trials is impossible; 0 <= successes <= n and n > 0")
