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
    weight = np.cov(human, judge)[0, 1] / (np.var(judge, ddof=1) + 400 / 3000 * np.var(more, ddof=1))
    low, high = ppi_py.ppi_mean_ci(np.array(human), np.array(judge), np.array(more), alpha=0.05, lam=weight)
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


def test_it_is_never_wider_than_the_labels_alone_whatever_the_judge_says() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        n, more = int(rng.integers(3, 60)), int(rng.integers(3, 200))
        human, judge = (rng.random(n) < 0.7).astype(float).tolist(), rng.random(n).round(1).tolist()
        only, families = rng.random(more).tolist(), [f"g{i // 2}" for i in range(n)]
        others = [f"g{i // 3}" for i in range(more)]
        sharp = predicted_mean(human, judge, only, groups=families, more_groups=others, binary=True)
        alone = predicted_mean(human, [0.0] * n, [0.0] * more, groups=families, more_groups=others, binary=True)
        assert sharp.interval is not None and alone.interval is not None
        width = alone.interval.high - alone.interval.low
        assert sharp.interval.high - sharp.interval.low <= width * (1 + 1e-9)


def test_families_of_equal_answers_count_once() -> None:
    rng = np.random.default_rng(6)
    (human, judge), (_, more) = draw(rng, 50, 0.5), draw(rng, 300, 0.5)
    once = predicted_mean(human, judge, more)
    names = [f"g{i}" for i in range(50)]
    twice = predicted_mean(human * 2, judge * 2, more, groups=names * 2)
    assert twice.value == pytest.approx(once.value) and twice.se == pytest.approx(once.se)


def test_too_few_scores_are_undefined_and_unequal_lengths_refused() -> None:
    assert "two samples" in predicted_mean([1.0], [1.0], [1.0, 2.0]).undefined
    assert "equal" in predicted_mean([1.0, 1.0], [1.0, 1.0], [1.0, 1.0]).undefined
    with pytest.raises(ValueError, match="2 human scores but 1"):
        predicted_mean([1.0, 0.0], [1.0], [1.0, 2.0])
