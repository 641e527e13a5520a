"""The mean of human scores, made sharper by a judge's scores of many more samples (PPI++, arXiv 2311.01453)."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from workbench.statistics.intervals import Estimate, t_interval
from workbench.statistics.means import clustered_se, degrees_of_freedom, group_codes


def predicted_mean(
    human: Sequence[float],
    judge: Sequence[float],
    judge_only: Sequence[float],
    level: float = 0.95,
    groups: Sequence[str] | None = None,
    more_groups: Sequence[str] | None = None,
    binary: bool = False,
) -> Estimate:
    """Return the mean human score θ = λ · mean(judge_only) + mean(human - λ · judge), with its interval.

    `human` and `judge` score the same n samples, `judge_only` N others of their kind; `groups` and `more_groups` are
    their families (`None`: each its own). θ is a sum of a part for each family, u - λ g: u is what its human scores add
    to their mean and g what its judge's scores add to the difference of their two means; SE² = Σ (u - λ g)², each side
    with the small-sample factor C/(C-1). λ makes it least, Σ u g / Σ g², within [0, 1]: a useless judge gets 0, which
    leaves the human mean, so that the interval is never wider than the labels' own. Without families these are
    λ² Var(judge_only)/N + Var(human - λ judge)/n and Cov(human, judge) / (Var(judge) + n/N Var(judge_only)); t with the
    labels' degrees of freedom. Fewer than two families on either side: undefined.

    `binary` says that people give 0 and 1: one more of each, judged as the average, is then added to the labels (after
    Bonett and Price 2012), without which 30 labels cover 92 %.
    """
    import numpy as np

    if len(human) != len(judge):
        raise ValueError(f"{len(human)} human scores but {len(judge)} judge's scores of the same samples")
    if binary and human:
        average = sum(judge) / len(judge)
        human, judge = [*human, 1.0, 0.0], [*judge, average, average]
        groups = None if groups is None else [*groups, "one more pass", "one more fail"]
    n, n_more = len(human), len(judge_only)
    y, f, more = (np.asarray(scores, dtype=float) for scores in (human, judge, judge_only))
    names = [*(groups or [f"label {i}" for i in range(n)]), *(more_groups or [f"other {i}" for i in range(n_more)])]
    codes = group_codes(names, n + n_more)
    labelled, others = codes[:n], codes[n:]
    known, rest = len(set(labelled.tolist())), len(set(others.tolist()))
    if known < 2 or rest < 2:
        what = "samples" if groups is None else "families"
        why = f"two {what} of each kind are needed, not {known} with human scores and {rest} without"
        return Estimate(value=None, n=n, undefined=why)
    size = int(codes.max()) + 1
    of_labels, of_others = sqrt(known / (known - 1)) / n, sqrt(rest / (rest - 1)) / n_more
    u = np.bincount(labelled, (y - y.mean()) * of_labels, size)
    g = np.bincount(labelled, (f - f.mean()) * of_labels, size)
    g -= np.bincount(others, (more - more.mean()) * of_others, size)
    weight = min(1.0, max(0.0, float(u @ g) / float(g @ g))) if float(g @ g) > 0 else 0.0
    value = weight * float(more.mean()) + float((y - weight * f).mean())
    left = u - weight * g
    se = sqrt(float(left @ left))
    if se < 1e-12 * max(1.0, float(np.abs(y).max())):
        why = "all scores are equal, so their spread is unknown"
        return Estimate(value=value, n=n, n_groups=known, se=0.0, undefined=why)
    mine = group_codes(names[:n], n)
    plain = t_interval(value, se, degrees_of_freedom(y, mine, clustered_se(y, mine)), level)
    interval = plain.model_copy(update={"method": "prediction-powered, t"})
    return Estimate(value=value, n=n, n_groups=known, se=se, interval=interval)
