"""The mean's standard error against statsmodels, and the choice of its interval."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from workbench.statistics.intervals import wilson
from workbench.statistics.means import clustered_se, degrees_of_freedom, group_codes, mean_interval


@pytest.mark.parametrize("seed", range(5))
def test_clustered_error_is_statsmodels_cluster_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(12), rng.integers(0, 12, 60)])
    values = rng.normal(size=12)[codes] + rng.normal(size=72)
    fit = sm.OLS(values, np.ones(72)).fit(cov_type="cluster", cov_kwds={"groups": codes})
    assert clustered_se(values, codes) == pytest.approx(float(fit.bse[0]), rel=1e-10)


def test_without_families_the_error_is_the_usual_one() -> None:
    values = np.random.default_rng(1).random(40)
    assert clustered_se(values, np.arange(40)) == pytest.approx(values.std(ddof=1) / 40**0.5, rel=1e-12)


def test_degrees_of_freedom_are_families_less_one_when_families_are_of_one_size() -> None:
    values = np.random.default_rng(2).random(60)
    codes = np.repeat(np.arange(12), 5)
    assert degrees_of_freedom(values, codes, clustered_se(values, codes)) == pytest.approx(11)


def test_degrees_of_freedom_shrink_when_one_family_carries_the_variance() -> None:
    rng = np.random.default_rng(3)
    codes = np.concatenate([np.zeros(50, dtype=int), np.arange(1, 11)])
    values = rng.normal(size=11)[codes] * 3 + rng.normal(size=60)
    df = degrees_of_freedom(values, codes, clustered_se(values, codes))
    assert 1 <= df < 5


def test_independent_verdicts_get_wilson() -> None:
    estimate = mean_interval([1.0] * 7 + [0.0] * 3, binary=True)
    assert estimate.value == 0.7
    assert estimate.interval == wilson(7, 10)
    assert estimate.n == estimate.n_groups == 10


def test_families_of_one_change_nothing() -> None:
    values = [1.0, 0.0, 1.0, 1.0]
    assert mean_interval(values, ["a", "b", "c", "d"], binary=True) == mean_interval(values, binary=True)


@pytest.mark.parametrize(
    ("values", "groups", "low", "high", "method"),
    [
        ([1.0, 0.0, 1.0, 1.0], ["a", "a", "b", "b"], 0.0, 1.0, "wilson, effective n, clustered by group"),
        ([0.2, 0.9, 0.5, 0.7], None, 0.0, 1.0, "wilson, effective n"),
        ([1.0, 5.0, 3.0, 4.0], None, 1.0, 5.0, "wilson, effective n"),
        ([0.2, 0.9, 0.5, 0.7], None, None, None, "t"),
        ([0.2, 0.9, 0.5, 0.7], ["a", "a", "b", "c"], 0.0, None, "t, clustered by group"),
    ],
)
def test_the_method_follows_from_range_and_families_and_is_named(
    values: list[float], groups: list[str] | None, low: float | None, high: float | None, method: str
) -> None:
    interval = mean_interval(values, groups, low=low, high=high).interval
    assert interval is not None
    assert interval.method == method


@pytest.mark.parametrize(
    ("values", "groups", "value", "why"),
    [
        ([], None, None, "nothing was scored"),
        ([1.0], None, 1.0, "one sample"),
        ([1.0, 0.0], ["a", "a"], 0.5, "one family"),
        ([0.3, 0.3, 0.3], None, 0.3, "all 3 values are equal"),
    ],
)
def test_what_cannot_be_estimated_is_none_with_a_reason(
    values: list[float], groups: list[str] | None, value: float | None, why: str
) -> None:
    estimate = mean_interval(values, groups)
    assert estimate.value == (value if value is None else pytest.approx(value))
    assert estimate.interval is None
    assert why in estimate.undefined


@pytest.mark.parametrize("values", [[1.0] * 20, [0.0] * 20, [0.7] * 20])
@pytest.mark.parametrize("groups", [None, [str(i // 4) for i in range(20)]])
def test_equal_scores_never_make_an_interval_without_width(values: list[float], groups: list[str] | None) -> None:
    interval = mean_interval(values, groups, low=0.0, high=1.0).interval
    assert interval is not None
    assert interval.high - interval.low > 0.1


def test_all_passes_in_families_count_the_families_and_not_the_samples() -> None:
    one_each = mean_interval([1.0] * 20, low=0.0, high=1.0).interval
    families = mean_interval([1.0] * 20, [str(i // 4) for i in range(20)], low=0.0, high=1.0).interval
    assert one_each is not None and families is not None
    assert families.low < one_each.low - 0.1


@given(st.lists(st.tuples(st.floats(-2, 3), st.integers(0, 6)), min_size=2, max_size=60))
def test_interval_holds_the_mean_stays_in_range_and_ignores_order(rows: list[tuple[float, int]]) -> None:
    values, groups = [v for v, _ in rows], [str(g) for _, g in rows]
    estimate = mean_interval(values, groups, low=-2.0, high=3.0)
    if estimate.interval is not None and estimate.value is not None:
        assert -2 <= estimate.interval.low <= estimate.value + 1e-9
        assert estimate.value - 1e-9 <= estimate.interval.high <= 3
        backwards = mean_interval(values[::-1], groups[::-1], low=-2.0, high=3.0).interval
        assert backwards is not None
        assert (backwards.low, backwards.high) == pytest.approx(
            (estimate.interval.low, estimate.interval.high), abs=1e-6
        )


def test_a_few_lapses_among_perfect_scores_do_not_pass_for_a_known_spread() -> None:
    lapses = mean_interval([1.0] * 98 + [0.9, 0.8], low=0.0, high=1.0).interval
    spread = mean_interval([0.99] * 50 + [1.0] * 40 + [0.98] * 10, low=0.0, high=1.0).interval
    assert lapses is not None and spread is not None
    assert lapses.low < wilson(99.7, 100).low + 0.01
    assert spread.high - spread.low < 0.01


def test_rescaled_scores_give_the_rescaled_interval() -> None:
    values = [0.1, 0.4, 0.35, 0.8, 0.9, 0.2]
    plain = mean_interval(values, low=0.0, high=1.0).interval
    scaled = mean_interval([1 + 4 * v for v in values], low=1.0, high=5.0).interval
    assert plain is not None and scaled is not None
    assert (scaled.low, scaled.high) == pytest.approx((1 + 4 * plain.low, 1 + 4 * plain.high))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1.5, -0.1])
def test_a_value_outside_the_range_is_refused_with_its_place(bad: float) -> None:
    with pytest.raises(ValueError, match="position 1"):
        mean_interval([0.5, bad, 0.5], low=0.0, high=1.0)


def test_groups_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="3 values but 2 groups"):
        group_codes(["a", "b"], 3)
