"""How many samples a comparison needs, and how small a difference a comparison could see.

n = (z_alpha + z_beta)² · (w² + sA²/K_A + sB²/K_B) / delta², times the design effect 1 + (m - 1) · ICC of families
(Miller, arXiv 2411.00640).
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist
from typing import Literal

from pydantic import Field

from workbench.nouns import Noun

MOST = 10**15
"""Samples that are told to be needed at most."""


class Plan(Noun):
    """What a paired comparison assumes of its scores and asks of its decision."""

    between: float = Field(ge=0)
    """w²: variance over samples of the true difference of the two models' mean scores, in squared score units."""
    within_a: float = Field(0.0, ge=0)
    """sA²: variance of A's score over repeats of one sample."""
    within_b: float = Field(0.0, ge=0)
    """sB²: the same of B."""
    repeats_a: int = Field(1, ge=1)
    """K_A: answers of A a sample."""
    repeats_b: int = Field(1, ge=1)
    """K_B: answers of B a sample."""
    family_size: float = Field(1.0, ge=1)
    """m: samples a family."""
    icc: float = Field(0.0, ge=0, le=1)
    """Correlation of the differences within a family."""
    alpha: float = Field(0.05, gt=0, lt=1)
    """Error rate of the test."""
    power: float = Field(0.8, gt=0, lt=1)
    """Chance to see the difference when it is there."""
    sides: Literal[1, 2] = 2
    """2 to compare; 1 for a gate, whose bounds are one-sided."""

    def variance(self) -> float:
        """Return the variance of one sample's difference, inflated by the design effect of families."""
        noise = self.within_a / self.repeats_a + self.within_b / self.repeats_b
        return (self.between + noise) * design_effect(self.family_size, self.icc)


def samples_needed(delta: float, plan: Plan) -> int:
    """Return the samples with which a true difference of `delta` is seen with the plan's power."""
    _refuse_no_difference(delta)
    return ceil(quantiles(plan.alpha, plan.power, plan.sides) ** 2 * plan.variance() / delta**2)


def detectable_difference(n: int, plan: Plan) -> float:
    """Return the minimum detectable effect: the smallest true difference seen with the plan's power."""
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    return quantiles(plan.alpha, plan.power, plan.sides) * sqrt(plan.variance() / n)


def detectable_from_se(se: float, alpha: float = 0.05, power: float = 0.8, sides: Literal[1, 2] = 2) -> float:
    """Return the minimum detectable effect of a comparison whose difference has standard error `se`."""
    return quantiles(alpha, power, sides) * se


def detectable_from_bound(distance: float, se: float, power: float = 0.8) -> float:
    """Return how far beyond a limit the truth must lie for a bound `distance` from the estimate to clear it.

    `se` is the estimate's standard error, `power` how often it must.
    """
    return distance + _z(power) * se


def samples_to_settle(gap: float, n: int, distance: float, se: float, alpha: float, power: float = 0.8) -> int:
    """Return the samples with which a truth `gap` > 0 beyond a limit is seen, from a bound made with `n` of them.

    The bound lies `distance` from the estimate. Of that, z_alpha · se shrinks as 1/sqrt(n) and the rest, which is there
    because lapses may be rare, as 1/n: n / x² with (distance - z_alpha · se) x² + (z_alpha + z_beta) · se x = gap.
    No more than `MOST` are told, however small the gap.
    """
    both = quantiles(alpha, power, sides=1) * se
    rest = max(0.0, distance - _z(1 - alpha) * se)
    # 1/x in the form that loses no digits where the gap is tiny; without a rest it is `both / gap`.
    inverse = (sqrt(both**2 + 4 * rest * gap) + both) / (2 * gap)
    return ceil(min(n * inverse * inverse, MOST))


def mcnemar_samples_needed(delta: float, discordant: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Return the pairs that McNemar's test needs when a share `discordant` of them disagrees, by `delta` one way.

    n = (z_alpha · sqrt(ψ) + z_beta · sqrt(ψ - δ²))² / δ² (Connor 1987); 0 < delta <= discordant <= 1.
    """
    _refuse_no_difference(delta)
    if not abs(delta) <= discordant <= 1:
        raise ValueError(f"a share {discordant} of discordant pairs cannot differ by {delta} one way")
    z_alpha, z_beta = _z(1 - alpha / 2), _z(power)
    return ceil((z_alpha * sqrt(discordant) + z_beta * sqrt(discordant - delta**2)) ** 2 / delta**2)


def design_effect(family_size: float, icc: float) -> float:
    """Return 1 + (m - 1) · ICC: how many times more samples are needed because they come in families of size m."""
    return 1 + (family_size - 1) * icc


def quantiles(alpha: float, power: float, sides: Literal[1, 2]) -> float:
    """Return z_alpha + z_beta, the distance in standard errors at which a test of level alpha has that power."""
    return _z(1 - alpha / sides) + _z(power)


def _z(p: float) -> float:
    return NormalDist().inv_cdf(p)


def _refuse_no_difference(delta: float) -> None:
    if delta == 0:
        raise ValueError("no number of samples shows a difference of 0; give the smallest difference that matters")
