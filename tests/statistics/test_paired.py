"""Paired comparison: exact McNemar against scipy and statsmodels, repeats, flips and intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, t, ttest_rel
from statsmodels.stats.contingency_tables import mcnemar

from workbench.statistics.paired import compare_paired, difference_interval, exact_mcnemar, flip_rate, repeat_variance


def once(scores: list[float]) -> list[list[float]]:
    return [[s] for s in scores]


@given(st.integers(0, 60), st.integers(0, 60))
def test_exact_mcnemar_is_statsmodels_and_scipys(wins: int, losses: int) -> None:
    p = exact_mcnemar(wins, losses)
    if wins + losses:
        assert p == pytest.approx(mcnemar([[5, wins], [losses, 5]], exact=True).pvalue, rel=1e-9)
        assert p == pytest.approx(binomtest(wins, wins + losses).pvalue, rel=1e-9)
    else:
        assert p == 1


def test_wins_losses_and_ties_follow_the_better_direction() -> None:
    a, b = once([1.0, 1.0, 0.0, 1.0]), once([0.0, 0.0, 1.0, 1.0])
    up = compare_paired(a, b, low=0.0, high=1.0)
    down = compare_paired(a, b, low=0.0, high=1.0, better="lower")
    assert (up.wins, up.losses, up.ties) == (2, 1, 1)
    assert (down.wins, down.losses, down.ties) == (1, 2, 1)
    assert up.delta.value == down.delta.value == 0.25
    assert up.p_method == "exact McNemar"


def test_scores_without_a_range_get_the_paired_t_test() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.random(50), rng.random(50)
    ours = compare_paired(once(a.tolist()), once(b.tolist()))
    theirs = ttest_rel(a, b)
    assert ours.p == pytest.approx(theirs.pvalue)
    low, high = theirs.confidence_interval(0.95)
    assert ours.delta.interval is not None
    assert (ours.delta.interval.low, ours.delta.interval.high) == pytest.approx((low, high))
    assert ours.detectable == pytest.approx(2.8016 * (ours.delta.se or 0), rel=1e-4)


def test_scores_with_a_range_get_the_error_after_one_more_win_and_one_more_loss_of_the_whole_range() -> None:
    d = 4 * np.random.default_rng(4).uniform(-0.2, 0.3, 200)
    ours = compare_paired(once(d.tolist()), once([0.0] * 200), low=1.0, high=5.0)
    more = np.append(d, [4.0, -4.0])
    assert ours.delta.interval is not None
    half = (ours.delta.interval.high - ours.delta.interval.low) / 2
    assert half == pytest.approx(1.972 * more.std() / 202**0.5, rel=0.005)
    assert ours.p == pytest.approx(2 * t.sf(d.mean() / (half / 1.972), 199), rel=0.01)


def test_a_small_spread_is_no_proof_that_no_large_difference_exists() -> None:
    rare = difference_interval(0.01 * np.random.default_rng(6).standard_normal(100), width=1.0).interval
    assert rare is not None and rare.low < -0.025


def test_repeats_are_averaged_within_a_sample_and_not_pooled() -> None:
    repeated = compare_paired([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], once([0.0, 1.0, 0.0]), low=0.0, high=1.0)
    assert repeated.delta.n == 3
    assert repeated.delta.value == pytest.approx(0.5 / 3)
    assert (repeated.wins, repeated.losses, repeated.ties) == (1, 0, 2)


def test_families_replace_mcnemar_by_the_clustered_t_test() -> None:
    a, b = once([1.0, 1.0, 1.0, 0.0, 1.0, 1.0]), once([0.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    ours = compare_paired(a, b, ["x", "x", "y", "y", "z", "z"], low=0.0, high=1.0)
    assert ours.p_method == "t, clustered by group"
    assert ours.delta.n_groups == 3
    assert ours.delta.interval is not None and ours.delta.interval.method == "bonett-price, clustered by group"


def test_runs_that_never_differ_still_have_an_interval_with_width() -> None:
    for scores in ([1.0, 0.0] * 10, [0.3, 0.4] * 10):
        ours = compare_paired(once(scores), once(scores), low=0.0, high=1.0)
        assert ours.p == 1
        assert ours.delta.value == 0
        assert ours.delta.interval is not None
        assert ours.delta.interval.low < -0.1 < 0.1 < ours.delta.interval.high


def test_equal_differences_without_a_range_are_undefined_with_a_reason() -> None:
    ours = compare_paired(once([1.0, 2.0]), once([2.0, 3.0]))
    assert ours.delta.interval is None
    assert "declared range" in ours.delta.undefined


@pytest.mark.parametrize(
    ("n", "groups", "why"), [(0, None, "no sample"), (1, None, "one pair"), (3, ["a"] * 3, "one family")]
)
def test_too_few_pairs_or_families_are_undefined(n: int, groups: list[str] | None, why: str) -> None:
    ours = compare_paired(once([1.0] * n), once([0.0] * n), groups, low=0.0, high=1.0)
    assert ours.delta.interval is None and ours.p is None and ours.detectable is None
    assert why in ours.delta.undefined


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=2, max_size=80))
def test_swapping_the_runs_mirrors_the_interval(d: list[float]) -> None:
    there = difference_interval(d, width=1.0).interval
    back = difference_interval([-x for x in d], width=1.0).interval
    assert there is not None and back is not None
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert -1 <= there.low < there.high <= 1


def test_the_flip_rate_does_not_depend_on_the_number_of_repeats() -> None:
    rng = np.random.default_rng(5)
    rates = [flip_rate((rng.random((4000, k)) < 0.3).astype(float).tolist()) for k in (2, 3, 8)]
    assert rates == pytest.approx([2 * 0.3 * 0.7] * 3, abs=0.03)
    assert flip_rate([[1.0, 1.0], [0.0]]) == 0
    assert flip_rate([[1.0], [0.0]]) is None


def test_repeat_variance_is_the_mean_variance_within_samples() -> None:
    assert repeat_variance([[1.0, 0.0], [1.0, 1.0], [0.0]]) == pytest.approx(0.25)
    assert repeat_variance([[1.0], [0.0]]) is None


def test_unequal_or_empty_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="compare the same samples"):
        compare_paired(once([1.0]), once([1.0, 0.0]))
    with pytest.raises(ValueError, match="without a score"):
        compare_paired([[]], once([1.0]))
