"""Judges with an error: corrections cover the truth, are refused where a judge knows nothing, and never widen."""

from __future__ import annotations

import numpy as np

from tests.statistics.proofs.worlds import Floats, Ints
from workbench.runs import Interval
from workbench.statistics.intervals import Estimate
from workbench.statistics.ppi import predicted_mean
from workbench.statistics.prevalence import Calibration, corrected_rate

DRAWS = 400
"""Of the bootstrap."""
MORE = 4
"""Answers that only the judge ruled on, for each label; at least 200."""


def judged_anyhow(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """Return passes, a judge's hits and rejections, and labels of each kind: 30 to 300, TPR and TNR 0.75 … 0.98."""
    n, m1, m0 = len(codes), int(rng.integers(30, 301)), int(rng.integers(30, 301))
    truth, tpr, tnr = rng.uniform(0.3, 0.9), rng.uniform(0.75, 0.98), rng.uniform(0.75, 0.98)
    passes = rng.binomial(n, truth * tpr + (1 - truth) * (1 - tnr))
    return np.array([passes, rng.binomial(m1, tpr), m1, rng.binomial(m0, tnr), m0], dtype=float), truth


def corrected_anyhow(values: Floats, codes: Ints, seed: int) -> Interval | None:
    """Return the interval of the corrected rate."""
    passes, hits, m1, rejections, m0 = (float(v) for v in values)
    judge = Calibration(human_passes=m1, judged_passes=hits, human_fails=m0, judged_fails=rejections)
    return corrected_rate(passes, len(codes), judge, seed=seed, draws=DRAWS).interval


def labelled_in_part(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """Return people's and the judge's verdicts on n answers, and the judge's on more; truth 0.3 … 0.9."""
    n, more = len(codes), max(200, MORE * len(codes))
    truth, tpr, tnr = rng.uniform(0.3, 0.9), rng.uniform(0.75, 0.98), rng.uniform(0.75, 0.98)
    human = rng.random(n + more) < truth
    judge = np.where(human, rng.random(n + more) < tpr, rng.random(n + more) > tnr)
    return np.concatenate([human[:n], judge]).astype(float), truth


def predicted(values: Floats, codes: Ints, seed: int) -> Interval | None:
    """Return the interval of the prediction-powered mean."""
    return _mean(values, len(codes)).interval


def wider(draws: int, seed: int) -> int:
    """Return in how many of `draws` worlds the prediction is wider than the labels alone; a judge may know nothing."""
    rng = np.random.default_rng([seed, 1])
    found = 0
    for _ in range(draws):
        n, more = int(rng.integers(5, 200)), int(rng.integers(20, 1000))
        truth, tpr, tnr = rng.uniform(0.05, 0.95), rng.uniform(0.3, 1), rng.uniform(0.3, 1)
        human = (rng.random(n) < truth).astype(float)
        judge = np.where(human > 0, rng.random(n) < tpr, rng.random(n) > tnr).astype(float)
        only = (rng.random(more) < truth * tpr + (1 - truth) * (1 - tnr)).astype(float)
        sharp = _width(predicted_mean(human.tolist(), judge.tolist(), only.tolist(), binary=True))
        alone = _width(predicted_mean(human.tolist(), [0.0] * n, [0.0] * more, binary=True))
        found += sharp > alone * (1 + 1e-9)
    return found


def refused(draws: int, seed: int, j: float) -> int:
    """Return how many of `draws` judges with this J = TPR + TNR - 1, by 100 labels of each kind, are refused."""
    rng = np.random.default_rng([seed, 2])
    found = 0
    for _ in range(draws):
        tpr = rng.uniform(max(j, 0.3), min(1.0, j + 0.7))
        judge = Calibration(
            human_passes=100,
            judged_passes=int(rng.binomial(100, tpr)),
            human_fails=100,
            judged_fails=int(rng.binomial(100, 1 + j - tpr)),
        )
        found += corrected_rate(60, 100, judge, seed=0, draws=1).value is None
    return found


def _mean(values: Floats, n: int) -> Estimate:
    human, judge, only = values[:n].tolist(), values[n : 2 * n].tolist(), values[2 * n :].tolist()
    return predicted_mean(human, judge, only, binary=True)


def _width(estimate: Estimate) -> float:
    assert estimate.interval is not None
    return estimate.interval.high - estimate.interval.low
