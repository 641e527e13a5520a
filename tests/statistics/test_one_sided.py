"""Which bound decides, and that it lies no nearer than what was shown of it."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from workbench.runs import Interval
from workbench.statistics.intervals import Estimate
from workbench.statistics.one_sided import OPEN, difference_bounds, mean_bounds
from workbench.statistics.paired import difference_interval

FAMILIES = ["a", "a", "b", "b", "c"]


def ends(estimate: Estimate) -> Interval:
    assert estimate.interval is not None
    return estimate.interval


@pytest.mark.parametrize(("good", "n"), [(0, 25), (25, 25), (23, 25), (95, 100)])
def test_verdicts_without_families_get_the_exact_bounds_of_statsmodels(good: int, n: int) -> None:
    found = ends(mean_bounds([1.0] * good + [0.0] * (n - good), low=0.0, high=1.0, level=0.9))
    assert (found.low, found.high) == pytest.approx(proportion_confint(good, n, 0.1, method="beta"))
    assert found.method == "clopper-pearson"


def test_verdicts_on_another_scale_get_the_same_bounds_there() -> None:
    plain = ends(mean_bounds([1.0, 0.0, 1.0], low=0.0, high=1.0, level=0.9))
    scaled = ends(mean_bounds([5.0, 1.0, 5.0], low=1.0, high=5.0, level=0.9))
    assert (scaled.low, scaled.high) == pytest.approx((1 + 4 * plain.low, 1 + 4 * plain.high))


@pytest.mark.parametrize(
    ("groups", "low", "high", "method"),
    [
        (None, 0.0, 1.0, "gaffke"),
        (FAMILIES, 0.0, 1.0, "gaffke, clustered by group"),
        (None, 0.0, None, "gaffke" + OPEN),
        (None, None, None, "gaffke" + OPEN),
    ],
)
def test_other_scores_get_gaffkes_and_an_open_end_is_told(
    groups: list[str] | None, low: float | None, high: float | None, method: str
) -> None:
    assert ends(mean_bounds([0.9, 0.8, 1.0, 0.95, 0.7], groups, low=low, high=high, level=0.9)).method == method


def test_a_mean_that_may_have_missed_a_lapse_is_not_surer_than_the_rule_of_three() -> None:
    scores = (0.95 + 0.01 * np.random.default_rng(0).uniform(-1, 1, 100)).tolist()
    assert ends(mean_bounds(scores, low=0.0, high=1.0, level=0.9)).low < 0.95 * (1 - 2.8 / 100)


@pytest.mark.parametrize(("better", "sure"), [("higher", "low"), ("lower", "high")])
def test_only_the_bound_that_a_pass_rests_on_counts_lapses_that_were_not_seen(better: str, sure: str) -> None:
    d = (0.01 * np.random.default_rng(1).standard_normal(100)).tolist()
    found = difference_bounds(d, width=1.0, better="lower" if better == "lower" else "higher", level=0.9)
    shown = ends(difference_interval(d, width=1.0, level=0.9))
    other = "high" if sure == "low" else "low"
    assert getattr(ends(found), other) == getattr(shown, other)
    assert abs(getattr(ends(found), sure)) > 2.8 / 100
    assert ends(found).method == "gaffke for a pass, bonett-price for a fail"


def test_where_lower_is_better_the_bounds_are_mirrored() -> None:
    d = [0.1, -0.2, 0.3, 0.0, 0.05]
    up = ends(difference_bounds(d, FAMILIES, width=1.0, better="higher", level=0.9))
    down = ends(difference_bounds([-x for x in d], FAMILIES, width=1.0, better="lower", level=0.9))
    assert (up.low, up.high) == pytest.approx((-down.high, -down.low))


def test_without_a_range_a_bound_lies_no_nearer_than_students() -> None:
    d = np.random.default_rng(2).standard_normal(8).tolist()
    shown, found = difference_interval(d, level=0.9), difference_bounds(d, better="higher", level=0.9)
    assert ends(found).low <= ends(shown).low
    assert OPEN in ends(found).method
    skewed = [0.0] * 95 + [-1.0] * 5
    by_t = difference_interval(skewed, level=0.9)
    assert ends(difference_bounds(skewed, better="higher", level=0.9)).low < ends(by_t).low


@pytest.mark.parametrize("values", [[], [1.0], [0.3, 0.3, 0.3]])
def test_what_cannot_be_estimated_stays_undefined_with_its_reason(values: list[float]) -> None:
    for found in (mean_bounds(values, level=0.9), difference_bounds(values, better="higher", level=0.9)):
        assert found.interval is None and found.undefined
