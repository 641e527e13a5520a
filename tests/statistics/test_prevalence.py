"""Rogan and Gladen's correction of an imperfect judge."""

from __future__ import annotations

import pytest

from workbench.statistics.intervals import wilson
from workbench.statistics.prevalence import Calibration, corrected_rate

JUDGE = Calibration(human_passes=100, judged_passes=92, human_fails=100, judged_fails=88)


def test_the_worked_example_is_corrected_from_80_to_85_percent() -> None:
    estimate = corrected_rate(800, 1000, JUDGE, seed=1)
    assert estimate.value == pytest.approx(0.85)
    variance = 0.8 * 0.2 / 1000 + 0.15**2 * 0.88 * 0.12 / 100 + 0.85**2 * 0.92 * 0.08 / 100
    assert estimate.se == pytest.approx(variance**0.5 / 0.8)
    assert estimate.interval is not None
    assert estimate.interval.low < 0.85 < estimate.interval.high


def test_the_interval_knows_that_the_judge_was_measured_on_few_labels() -> None:
    few = Calibration(human_passes=25, judged_passes=23, human_fails=25, judged_fails=22)
    many = Calibration(human_passes=2500, judged_passes=2300, human_fails=2500, judged_fails=2200)
    widths = []
    for judge in (few, many):
        interval = corrected_rate(800, 1000, judge, seed=1).interval
        assert interval is not None
        widths.append(interval.high - interval.low)
    assert widths[0] > 3 * widths[1]


def test_a_judge_without_a_known_error_is_not_taken_for_perfect() -> None:
    flawless = Calibration(human_passes=20, judged_passes=20, human_fails=20, judged_fails=20)
    interval = corrected_rate(800, 1000, flawless, seed=1).interval
    assert interval is not None
    assert interval.high - interval.low > 0.08


def test_a_judge_near_chance_is_refused_with_a_reason() -> None:
    coin = Calibration(human_passes=50, judged_passes=30, human_fails=50, judged_fails=25)
    estimate = corrected_rate(50, 100, coin, seed=1)
    assert estimate.value is None and estimate.interval is None
    assert "may not tell good from bad" in estimate.undefined


def test_the_rate_stays_within_0_and_1() -> None:
    assert corrected_rate(1000, 1000, JUDGE, seed=1).value == 1
    assert corrected_rate(0, 1000, JUDGE, seed=1).value == 0


def test_the_same_seed_gives_the_same_interval() -> None:
    assert corrected_rate(80, 100, JUDGE, seed=3) == corrected_rate(80, 100, JUDGE, seed=3)
    assert corrected_rate(80, 100, JUDGE, seed=3) != corrected_rate(80, 100, JUDGE, seed=4)


def test_rates_of_the_judge_have_wilson_intervals() -> None:
    assert JUDGE.intervals() == (wilson(92, 100), wilson(88, 100))


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot agree"):
        Calibration(human_passes=5, judged_passes=6, human_fails=5, judged_fails=5)
    with pytest.raises(ValueError, match="impossible"):
        corrected_rate(11, 10, JUDGE, seed=1)
