"""Adjusted p-values against statsmodels and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

from workbench.statistics.multiple import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_holm_is_statsmodels_holm(n: int) -> None:  # few cases: statsmodels collects garbage at every call
    p = (np.random.default_rng(n).random(n) ** 3).round(2).tolist()
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1].tolist(), abs=1e-12)


@given(P_VALUES)
def test_benjamini_hochberg_is_scipys_and_statsmodels(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p).tolist(), abs=1e-12)
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1].tolist(), abs=1e-12)


@given(P_VALUES)
def test_adjusted_p_values_are_no_smaller_and_holm_no_less_careful(p: list[float]) -> None:
    for raw, fdr, family in zip(p, benjamini_hochberg(p), holm(p), strict=True):
        assert raw <= fdr + 1e-12 <= family + 2e-12 <= 1 + 3e-12


def test_nothing_to_adjust_gives_nothing() -> None:
    assert holm([]) == benjamini_hochberg([]) == []


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_an_impossible_p_value_is_refused(bad: float) -> None:
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="position 1"):
            adjust([0.5, bad])
