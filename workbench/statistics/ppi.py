"""The mean of human scores, made sharper by a judge's scores of many more samples (PPI++, arXiv 2311.01453)."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from workbench.statistics.intervals import Estimate, t_interval


def predicted_mean(
    human: Sequence[float], judge: Sequence[float], judge_only: Sequence[float], level: float = 0.95
) -> Estimate:
    """Return the mean human score θ = λ · mean(judge_only) + mean(human - λ · judge), with its interval.

    `human` and `judge` score the same n samples, `judge_only` N others of the same kind. λ weighs the judge by how far
    it follows people: Cov(human, judge) / ((1 + n/N) Var(judge)), within [0, 1]; a useless judge gets 0, which leaves
    the human mean. SE² = λ² Var(judge_only)/N + Var(human - λ judge)/n, t with n - 1 degrees of freedom.
    n < 2 or N < 2: undefined.
    """
    import numpy as np

    if len(human) != len(judge):
        raise ValueError(f"{len(human)} human scores but {len(judge)} judge's scores of the same samples")
    n, n_more = len(human), len(judge_only)
    if n < 2 or n_more < 2:
        why = f"two samples of each kind are needed, not {n} with human scores and {n_more} without"
        return Estimate(value=None, n=n, undefined=why)
    y, f, more = (np.asarray(scores, dtype=float) for scores in (human, judge, judge_only))
    spread = float(np.concatenate([f, more]).var(ddof=1))
    covariance = float(np.cov(y, f, ddof=1)[0, 1])
    weight = min(1.0, max(0.0, covariance / ((1 + n / n_more) * spread))) if spread > 0 else 0.0
    rest = y - weight * f
    value = weight * float(more.mean()) + float(rest.mean())
    se = sqrt(weight**2 * float(more.var(ddof=1)) / n_more + float(rest.var(ddof=1)) / n)
    if se == 0:
        return Estimate(
            value=value, n=n, n_groups=n, se=se, undefined="all scores are equal, so their spread is unknown"
        )
    plain = t_interval(value, se, n - 1, level)
    interval = plain.model_copy(update={"method": "prediction-powered, t"})
    return Estimate(value=value, n=n, n_groups=n, se=se, interval=interval)
