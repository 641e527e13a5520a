"""What share truly passes, when an imperfect judge says what passes (Rogan and Gladen 1978)."""

from __future__ import annotations

from math import sqrt

from pydantic import Field, model_validator

from workbench.nouns import Noun
from workbench.runs import Interval
from workbench.statistics.intervals import Estimate, normal_quantile, wilson

LEAST_INFORMATIVE = 0.1
"""The smallest lower 95 % bound of J = TPR + TNR - 1 with which a rate is corrected; a coin's J is 0."""


class Calibration(Noun):
    """How a judge did against adjudicated human labels, on a split used once."""

    human_passes: float = Field(ge=1)
    """m1: samples that people pass; where families have several, as many as independent ones would count."""
    judged_passes: float = Field(ge=0)
    """Of them, passed by the judge."""
    human_fails: float = Field(ge=1)
    """m0: samples that people fail, likewise."""
    judged_fails: float = Field(ge=0)
    """Of them, failed by the judge."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Calibration:
        if self.judged_passes > self.human_passes or self.judged_fails > self.human_fails:
            raise ValueError("the judge cannot agree on more samples than people labelled")
        return self

    def tpr(self) -> float:
        """Return the share of human passes that the judge passes."""
        return self.judged_passes / self.human_passes

    def tnr(self) -> float:
        """Return the share of human fails that the judge fails."""
        return self.judged_fails / self.human_fails

    def intervals(self, level: float = 0.95) -> tuple[Interval, Interval]:
        """Return Wilson's intervals of TPR and TNR."""
        passes = wilson(self.judged_passes, self.human_passes, level)
        return passes, wilson(self.judged_fails, self.human_fails, level)


def corrected_rate(
    passes: float, n: float, judge: Calibration, *, seed: int, draws: int = 4000, level: float = 0.95
) -> Estimate:
    """Return the true pass rate θ = (p + TNR - 1) / J of `n` samples of which the judge passes `passes`.

    Interval by a bootstrap that draws the judged rate *and* TPR and TNR anew (each from its Beta posterior under
    Jeffreys' prior, so that an observed 100 % is not taken for certain); holding any fixed makes it too narrow.
    SE² = [p(1-p)/n + (1-θ)² TNR(1-TNR)/m0 + θ² TPR(1-TPR)/m1] / J². Refused (`None`, with why) when J is near 0.
    """
    if not 0 <= passes <= n or n < 1:
        raise ValueError(f"{passes} passes of {n} samples is impossible")
    p, tpr, tnr = passes / n, judge.tpr(), judge.tnr()
    j = tpr + tnr - 1
    j_low = j - normal_quantile(0.95) * sqrt(tpr * (1 - tpr) / judge.human_passes + tnr * (1 - tnr) / judge.human_fails)
    if j_low < LEAST_INFORMATIVE:
        why = f"the judge may not tell good from bad: TPR {tpr:.2f} + TNR {tnr:.2f} - 1 may be as low as {j_low:.2f}"
        return Estimate(value=None, n=round(n), undefined=why)
    theta = min(1.0, max(0.0, (p + tnr - 1) / j))
    judged = p * (1 - p) / n
    fails = (1 - theta) ** 2 * tnr * (1 - tnr) / judge.human_fails
    goods = theta**2 * tpr * (1 - tpr) / judge.human_passes
    interval = _resampled(passes, n, judge, seed, draws, level, theta)
    return Estimate(value=theta, n=round(n), se=sqrt(judged + fails + goods) / j, interval=interval)


def _resampled(
    passes: float, n: float, judge: Calibration, seed: int, draws: int, level: float, theta: float
) -> Interval:
    import numpy as np

    rng = np.random.default_rng(seed)
    p = rng.beta(passes + 0.5, n - passes + 0.5, draws)
    tpr = rng.beta(judge.judged_passes + 0.5, judge.human_passes - judge.judged_passes + 0.5, draws)
    tnr = rng.beta(judge.judged_fails + 0.5, judge.human_fails - judge.judged_fails + 0.5, draws)
    rates = np.clip((p + tnr - 1) / np.maximum(tpr + tnr - 1, 1e-9), 0, 1)
    low, high = (float(q) for q in np.quantile(rates, [(1 - level) / 2, (1 + level) / 2]))
    method = f"bootstrap of both samples, {draws} draws"
    return Interval(low=min(low, theta), high=max(high, theta), level=level, method=method)
