"""Student's t without scipy: the same numbers as scipy's."""

from __future__ import annotations

import math

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from workbench.statistics.student import beta_ppf, incomplete_beta, t_cdf, t_ppf

DEGREES = st.floats(0.5, 1e5)


@given(st.floats(-60, 60), DEGREES)
def test_the_distribution_equals_scipys(t: float, df: float) -> None:
    # Near zero and for many degrees of freedom scipy itself is off by some 1e-7; see the test below.
    assert t_cdf(t, df) == pytest.approx(special.stdtr(df, t), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(("t", "df"), [(1e-5, 86041.0), (6.1e-5, 3574.0), (1e-3, 5e4), (2.3, 7.0), (-4.5, 3.3)])
def test_the_distribution_equals_mpmaths_where_scipy_is_not_exact(t: float, df: float) -> None:
    beta = mpmath.betainc(df / 2, 0.5, 0, df / (df + t * t), regularized=True) / 2
    assert t_cdf(t, df) == pytest.approx(float(beta if t < 0 else 1 - beta), rel=1e-12)


@given(st.floats(0.001, 0.999), DEGREES)
def test_the_quantile_equals_scipys(p: float, df: float) -> None:
    assert t_ppf(p, df) == pytest.approx(special.stdtrit(df, p), rel=1e-7, abs=1e-6)


@given(st.floats(0.05, 1e4), st.floats(0.05, 1e4), st.floats(0, 1))
def test_the_incomplete_beta_function_equals_scipys(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-7, abs=1e-10)


@given(st.floats(0.001, 0.999), st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_quantile_of_beta_equals_scipys(p: float, a: int, b: int) -> None:
    assert beta_ppf(p, a, b) == pytest.approx(special.betaincinv(a, b, p), rel=1e-6)


def test_half_of_the_mass_lies_on_either_side() -> None:
    assert t_cdf(0, 3) == 0.5
    assert t_ppf(0.5, 3) == pytest.approx(0, abs=1e-15)
    assert math.isfinite(t_ppf(0.9999, 1))
