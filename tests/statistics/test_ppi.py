"""Prediction-powered means: right, sharper than people alone, and safe with a useless judge."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.statistics.means import mean_interval
from workbench.statistics.ppi import predicted_mean


def draw(rng: np.random.Generator, n: int, noise: float) -> tuple[list[float], list[float]]:
    human = rng.normal(2.0, 1.0, n)
    return human.tolist(), (human + 0.5 + noise * rng.normal(size=n)).tolist()


def test_the_estimate_is_the_reference_librarys() -> None:
    ppi_py = pytest.importorskip("ppi_py", reason="pip install ppi-python to compare with the reference library")
    rng = np.random.default_rng(1)
    (human, judge), (_, more) = draw(rng, 400, 0.5), draw(rng, 3000, 0.5)
    ours = predicted_mean(human, judge, more)
    low, high = ppi_py.ppi_mean_ci(np.array(human), np.array(judge), np.array(more), alpha=0.05)
    assert ours.interval is not None
    assert ours.value == pytest.approx((low.item() + high.item()) / 2, abs=2e-3)
    assert ours.interval.high - ours.interval.low == pytest.approx((high - low).item(), rel=0.01)


def test_a_good_judge_makes_the_interval_narrower_and_its_bias_does_no_harm() -> None:
    rng = np.random.default_rng(2)
    (human, judge), (_, more) = draw(rng, 100, 0.3), draw(rng, 5000, 0.3)
    sharp, alone = predicted_mean(human, judge, more), mean_interval(human)
    assert sharp.se is not None and alone.se is not None
    assert sharp.se < 0.5 * alone.se
    assert sharp.value == pytest.approx(2.0, abs=0.1)


def test_a_useless_judge_leaves_the_human_mean() -> None:
    rng = np.random.default_rng(3)
    human = rng.random(50).tolist()
    ours = predicted_mean(human, [0.5] * 50, [0.5] * 500)
    assert ours.value == pytest.approx(float(np.mean(human)))
    assert ours.interval is not None and mean_interval(human).interval is not None
    assert ours.se == pytest.approx(mean_interval(human).se)


def test_the_interval_holds_the_truth_as_often_as_it_promises() -> None:
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(1000):
        (human, judge), (_, more) = draw(rng, 40, 1.0), draw(rng, 400, 1.0)
        interval = predicted_mean(human, judge, more).interval
        hits += interval is not None and interval.low <= 2.0 <= interval.high
    assert 0.93 <= hits / 1000 <= 0.97


def test_too_few_scores_are_undefined_and_unequal_lengths_refused() -> None:
    assert "two samples" in predicted_mean([1.0], [1.0], [1.0, 2.0]).undefined
    assert "equal" in predicted_mean([1.0, 1.0], [1.0, 1.0], [1.0, 1.0]).undefined
    with pytest.raises(ValueError, match="2 human scores but 1"):
        predicted_mean([1.0, 0.0], [1.0], [1.0, 2.0])
