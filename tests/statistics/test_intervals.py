"""Intervals of a proportion and quantiles, held against statsmodels and scipy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm, t
from statsmodels.stats.proportion import proportion_confint

from workbench.statistics.intervals import (
    clopper_pearson,
    jeffreys,
    normal_quantile,
    t_quantile,
    wilson,
    zero_events_upper,
)

COUNTS = [(0, 5), (1, 5), (7, 10), (30, 30), (45, 300), (999, 1000)]


@pytest.mark.parametrize(("k", "n"), COUNTS)
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_is_statsmodels_wilson(k: int, n: int, level: float) -> None:
    low, high = proportion_confint(k, n, alpha=1 - level, method="wilson")
    ours = wilson(k, n, level)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [c for c in COUNTS if 0 < c[0] < c[1]])
def test_jeffreys_is_statsmodels_jeffreys_inside_the_range(k: int, n: int) -> None:
    low, high = proportion_confint(k, n, method="jeffreys")
    ours = jeffreys(k, n)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [*COUNTS, (3, 100_000), (500_000, 1_000_000)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.998])
def test_clopper_pearson_is_statsmodels_exact_interval(k: int, n: int, level: float) -> None:
    low, high = proportion_confint(k, n, alpha=1 - level, method="beta")
    ours = clopper_pearson(k, n, level)
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-9, abs=1e-12)


def test_59_trials_without_an_event_are_needed_to_show_a_rate_below_5_percent() -> None:
    assert clopper_pearson(0, 59, 0.9).high < 0.05 < clopper_pearson(0, 58, 0.9).high


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 50), rate=st.floats(0.001, 0.999))
def test_a_clopper_pearson_bound_errs_once_in_twenty_at_most_whatever_the_rate(n: int, rate: float) -> None:
    above = next((k for k in range(n + 1) if clopper_pearson(k, n, 0.9).low > rate), n + 1)
    assert binom.sf(above - 1, n, rate) <= 0.05 + 1e-9


def test_jeffreys_reaches_the_end_of_the_range_when_all_or_none_succeed() -> None:
    assert jeffreys(0, 20).low == 0
    assert jeffreys(20, 20).high == 1


@given(n=st.integers(1, 500), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_every_interval_of_a_proportion_holds_its_point_has_width_and_stays_in_range(
    n: int, share: float, level: float
) -> None:
    k = round(share * n)
    for interval in (wilson(k, n, level), jeffreys(k, n, level), clopper_pearson(k, n, level)):
        assert 0 <= interval.low <= k / n <= interval.high <= 1
        assert interval.high - interval.low > 1e-4


def test_quantiles_are_scipys() -> None:
    assert normal_quantile(0.95) == pytest.approx(norm.ppf(0.975), abs=1e-12)
    assert t_quantile(7.3, 0.9) == pytest.approx(t.ppf(0.95, 7.3), abs=1e-10)


def test_zero_events_bound_is_three_over_n_and_near_the_exact_one() -> None:
    assert zero_events_upper(300) == 0.01
    assert zero_events_upper(2) == 1
    assert zero_events_upper(100) == pytest.approx(1 - 0.05 ** (1 / 100), abs=0.001)


@pytest.mark.parametrize(("k", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="impossible"):
        wilson(k, n)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_outside_0_to_1_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        wilson(1, 2, level)
