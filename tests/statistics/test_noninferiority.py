"""Verdicts: on the bound, with missing scores at their worst and best."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runs import Interval
from workbench.statistics.intervals import Estimate
from workbench.statistics.noninferiority import (
    Scale,
    decide,
    decide_difference,
    decide_mean,
    non_inferior,
    shortfall,
)

RATE = Scale(low=0.0, high=1.0)


def estimate(low: float, high: float) -> Estimate:
    return Estimate(
        value=(low + high) / 2, n=9, n_groups=9, interval=Interval(low=low, high=high, level=0.9, method="given")
    )


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.81, 0.95, "pass"), (0.7, 0.79, "fail"), (0.7, 0.9, "inconclusive"), (0.8, 0.9, "inconclusive")],
)
def test_a_threshold_holds_for_the_bound_and_not_for_the_point(low: float, high: float, verdict: str) -> None:
    assert decide(estimate(low, high), 0.8).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.1, 0.19, "pass"), (0.21, 0.3, "fail"), (0.1, 0.3, "inconclusive")]
)
def test_where_lower_is_better_the_sides_change(low: float, high: float, verdict: str) -> None:
    assert decide(estimate(low, high), 0.2, "lower").verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "better", "verdict"),
    [
        (-0.02, 0.05, "higher", "pass"),
        (-0.09, -0.04, "higher", "fail"),
        (-0.05, 0.05, "higher", "inconclusive"),
        (-0.05, 0.02, "lower", "pass"),
        (0.04, 0.09, "lower", "fail"),
    ],
)
def test_non_inferiority_allows_less_than_the_margin(low: float, high: float, better: str, verdict: str) -> None:
    assert non_inferior(estimate(low, high), 0.03, "lower" if better == "lower" else "higher").verdict == verdict


def test_a_negative_margin_is_refused() -> None:
    with pytest.raises(ValueError, match="margin"):
        non_inferior(estimate(0, 1), -0.1)


def test_the_reason_names_bound_and_limit() -> None:
    assert decide(estimate(0.81, 0.95), 0.8).reason == "the lower 0.95 bound 0.81 is above the limit 0.8"


def test_an_undefined_estimate_is_inconclusive_with_its_reason() -> None:
    decision = decide_mean([], None, RATE, limit=0.5, allowed_missing=0.0)
    assert decision.verdict == "inconclusive"
    assert decision.reason == "nothing was scored"


def test_a_single_family_is_inconclusive() -> None:
    decision = decide_mean([1.0] * 50, ["a"] * 50, RATE, limit=0.5, allowed_missing=0.0)
    assert decision.verdict == "inconclusive"


def test_more_missing_than_allowed_is_inconclusive_and_says_how_many() -> None:
    scores: list[float | None] = [1.0] * 95 + [None] * 5
    decision = decide_mean(scores, None, RATE, limit=0.5, allowed_missing=0.04)
    assert decision.verdict == "inconclusive"
    assert "5 of 100 scores are missing (5.0%); the policy allows 4.0%" in decision.reason


def test_missing_scores_within_the_allowance_still_count_at_their_worst() -> None:
    scores: list[float | None] = [1.0] * 90 + [None] * 10
    assert decide_mean(scores, None, RATE, limit=0.93, allowed_missing=0.1).verdict == "inconclusive"
    assert decide_mean(scores, None, RATE, limit=0.80, allowed_missing=0.1).verdict == "pass"
    assert decide_mean([1.0] * 90, None, RATE, limit=0.93, allowed_missing=0.1).verdict == "pass"


def test_missing_scores_without_a_range_are_inconclusive() -> None:
    decision = decide_mean([5.0, 6.0, 7.0, None], None, Scale(), limit=1.0, allowed_missing=0.5)
    assert decision.verdict == "inconclusive"
    assert "declares no range" in decision.reason


def test_a_missing_baseline_score_counts_as_the_best_it_could_be() -> None:
    a: list[float | None] = [1.0, 0.0] * 100
    b: list[float | None] = [1.0, 0.0] * 100
    margin = 0.05
    assert decide_difference(a, b, None, RATE, margin=margin, allowed_missing=0.5).verdict == "pass"
    holes: list[float | None] = [None if i < 20 else v for i, v in enumerate(b)]
    for x, y in ((a, holes), (holes, b)):
        assert decide_difference(x, y, None, RATE, margin=margin, allowed_missing=0.5).verdict == "inconclusive"


@given(
    st.lists(st.sampled_from([0.0, 1.0]), min_size=4, max_size=40),
    st.lists(st.sampled_from([0.0, 1.0]), min_size=4, max_size=40),
    st.sets(st.integers(0, 39)),
    st.floats(0, 0.5),
)
def test_no_way_of_filling_the_holes_overturns_a_verdict(
    a: list[float], b: list[float], holes: set[int], margin: float
) -> None:
    n = min(len(a), len(b))
    truth, other = a[:n], b[:n]
    seen = [None if i in holes else v for i, v in enumerate(truth)]
    with_holes = decide_difference(seen, other, None, RATE, margin=margin, allowed_missing=1.0).verdict
    in_full = decide_difference(truth, other, None, RATE, margin=margin, allowed_missing=1.0).verdict
    assert {with_holes, in_full} != {"pass", "fail"}


def test_counts_that_do_not_add_up_are_told() -> None:
    assert shortfall(100, 97, 3) == ""
    assert shortfall(100, 90, 3, 7) == ""
    assert shortfall(100, 90, 3) == "100 attempted, but 90 scored + 3 failed = 93: 7 unaccounted for"
