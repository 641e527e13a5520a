"""The worked examples of docs/statistics.md, and that the formulas agree with each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower

from workbench.statistics.intervals import clopper_pearson
from workbench.statistics.power import (
    MOST,
    Plan,
    detectable_difference,
    detectable_from_bound,
    detectable_from_se,
    mcnemar_samples_needed,
    samples_needed,
    samples_to_settle,
)


@pytest.mark.parametrize(
    ("plan", "n"),
    [
        (Plan(between=1 / 9), 969),
        (Plan(between=1 / 9, within_a=1 / 6, within_b=1 / 6), 3876),
        (Plan(between=1 / 9, within_a=1 / 6, within_b=1 / 6, repeats_a=10, repeats_b=10), 1260),
    ],
)
def test_worked_examples_for_three_points_at_80_percent(plan: Plan, n: int) -> None:
    assert samples_needed(0.03, plan) == n


def test_worked_example_of_mcnemar() -> None:
    assert mcnemar_samples_needed(0.05, 0.15) == 469


def test_families_multiply_the_samples_by_the_design_effect() -> None:
    alone = samples_needed(0.01, Plan(between=1 / 9))
    assert samples_needed(0.01, Plan(between=1 / 9, family_size=10, icc=0.71)) == pytest.approx(alone * 7.39, rel=1e-3)


def test_the_power_is_statsmodels_power() -> None:
    n = samples_needed(0.03, Plan(between=1 / 9))
    assert NormalIndPower(ddof=0).power(0.03 * 3, n, 0.05, ratio=0) == pytest.approx(0.8, abs=0.001)
    one_sided = samples_needed(0.03, Plan(between=1 / 9, sides=1))
    power = NormalIndPower(ddof=0).power(0.03 * 3, one_sided, 0.05, ratio=0, alternative="larger")
    assert power == pytest.approx(0.8, abs=0.001)


@given(st.integers(2, 10**6), st.floats(0.001, 1), st.sampled_from([1, 2]))
def test_the_detectable_difference_needs_just_these_samples(n: int, between: float, sides: int) -> None:
    plan = Plan(between=between, sides=1 if sides == 1 else 2)
    assert abs(samples_needed(detectable_difference(n, plan), plan) - n) <= 1


def test_the_detectable_difference_is_2_8_standard_errors() -> None:
    assert detectable_from_se(0.01) == pytest.approx(0.028, abs=1e-4)


def test_a_bound_as_near_as_the_normal_one_detects_and_needs_what_the_normal_one_does() -> None:
    assert detectable_from_bound(1.6449 * 0.02, 0.02) == pytest.approx(detectable_from_se(0.02, sides=1), rel=1e-4)
    normal = samples_needed(0.05, Plan(between=400 * 0.02**2, sides=1))
    assert samples_to_settle(0.05, 400, 1.6449 * 0.02, 0.02, 0.05) == pytest.approx(normal, abs=1)


def test_a_gap_of_nearly_nothing_needs_no_more_samples_than_can_be_told() -> None:
    assert samples_to_settle(2.2e-309, 400, 0.05, 0.02, 0.05) == MOST


def test_without_an_event_the_rule_of_three_says_how_many_would_settle_it() -> None:
    bound = clopper_pearson(0, 20, 0.9).high
    assert samples_to_settle(0.05, 20, bound, 0.0, 0.05) == pytest.approx(59, abs=4)


@given(st.floats(0.001, 0.5), st.floats(0.001, 0.1), st.floats(1, 4))
def test_the_samples_that_settle_a_gap_make_bound_and_error_small_enough(gap: float, se: float, far: float) -> None:
    n, distance = 100, far * 1.6449 * se
    times = samples_to_settle(gap, n, distance, se, 0.05) / n
    rest = distance - 1.6449 * se
    assert 1.6449 * se / times**0.5 + rest / times + 0.8416 * se / times**0.5 <= gap * (1 + 1e-3)


def test_questions_without_an_answer_are_refused() -> None:
    with pytest.raises(ValueError, match="difference of 0"):
        samples_needed(0.0, Plan(between=0.1))
    with pytest.raises(ValueError, match="cannot differ"):
        mcnemar_samples_needed(0.2, 0.1)
    with pytest.raises(ValueError, match="at least 1"):
        detectable_difference(0, Plan(between=0.1))
