"""Gaffke's bound against Clopper and Pearson's, against its definition by simulation, and what follows from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from workbench.statistics.gaffke import chance_below, lapsing_size, lower_bound

SCORES = st.lists(st.floats(0, 1), min_size=2, max_size=40)


@pytest.mark.parametrize(("failed", "n"), [(0, 10), (0, 59), (1, 100), (5, 100), (30, 100), (10, 1000)])
@pytest.mark.parametrize("alpha", [0.05, 0.025, 0.001])
def test_for_verdicts_it_is_clopper_and_pearsons(failed: int, n: int, alpha: float) -> None:
    values = np.array([0.0] * failed + [1.0] * (n - failed))
    exact = beta.ppf(alpha, n - failed, failed + 1)
    assert 0.996 * exact <= lower_bound(values, np.arange(n), 0.0, alpha) <= exact


@pytest.mark.parametrize("n", [2, 3, 10, 40])
@pytest.mark.parametrize("sizes", [(1,), (1, 2, 6)])
def test_it_is_the_quantile_of_randomly_weighted_means(n: int, sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng([n, len(sizes)])
    codes = np.repeat(np.arange(n), np.resize(sizes, n))
    values = rng.beta(5, 1, len(codes))
    m = np.bincount(codes)
    added = lapsing_size(m.astype(float), 0.05)
    weights = rng.exponential(size=(200_000, n + 1))
    means = weights @ [*np.bincount(codes, weights=values), 0.0] / (weights @ [*m, added])
    assert (means < lower_bound(values, codes, 0.0, 0.05)).mean() == pytest.approx(0.05, abs=0.003)


def test_without_a_lapse_it_lies_the_rule_of_three_below_what_was_seen() -> None:
    bound = lower_bound(np.full(300, 0.9), np.arange(300), 0.0, 0.05)
    assert bound == pytest.approx(0.9 * (1 - 3 / 300), abs=2e-4)


@pytest.mark.parametrize(
    ("sizes", "size"), [((5,) * 20, 5), ((50,) + (1,) * 50, 49.04), ((10,) * 10 + (1,) * 1000, 8.83)]
)
def test_the_family_that_may_lapse_is_as_large_as_those_that_matter(sizes: tuple[int, ...], size: float) -> None:
    assert lapsing_size(np.array(sizes, dtype=float), 0.05) == pytest.approx(size, abs=0.005)


@pytest.mark.parametrize("sizes", [(10,) * 10 + (1,) * 1000, (20,) * 5 + (1,) * 2000, (10,) * 3 + (1,) * 300])
@pytest.mark.parametrize("alpha", [0.05, 0.025])
def test_large_families_alone_may_lapse_unseen_among_many_small_ones(sizes: tuple[int, ...], alpha: float) -> None:
    m = np.array(sizes)
    of_large = m.max() * (m == m.max()).sum() / m.sum()
    chance = 1 - alpha ** (1 / (m == m.max()).sum())  # none of them is seen to lapse with a chance of alpha
    bound = lower_bound(np.ones(m.sum()), np.repeat(np.arange(len(m)), m), 0.0, alpha)
    assert bound <= 1 - 0.999 * chance * of_large


def test_it_comes_to_the_normal_bound_as_samples_grow() -> None:
    values = np.random.default_rng(3).random(20_000)
    by_normal = values.mean() - 1.6449 * values.std() / 20_000**0.5
    assert lower_bound(values, np.arange(20_000), 0.0, 0.05) == pytest.approx(by_normal, abs=1e-4)


@given(SCORES, st.data())
def test_a_worse_score_never_raises_it(scores: list[float], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(scores) - 1))
    worse = [*scores[:at], data.draw(st.floats(0, scores[at])), *scores[at + 1 :]]
    codes = np.arange(len(scores)) // 2
    assert lower_bound(np.array(worse), codes, 0.0, 0.05) <= lower_bound(np.array(scores), codes, 0.0, 0.05) + 1e-7


@given(SCORES, st.floats(-5, 5), st.floats(0.1, 100))
def test_it_moves_and_stretches_with_the_scores(scores: list[float], by: float, times: float) -> None:
    plain, codes = np.array(scores), np.arange(len(scores))
    bound = lower_bound(plain, codes, 0.0, 0.05)
    assert 0 <= bound <= plain.mean() + 1e-9
    assert lower_bound(by + times * plain, codes, by, 0.05) == pytest.approx(
        by + times * bound, abs=1e-6 * times + 1e-9
    )


def test_chances_of_one_sign_only_are_certain() -> None:
    once = np.ones(2)
    assert chance_below(np.array([1.0, 2.0]), once) == 0
    assert chance_below(np.array([-1.0, -2.0]), once) == 1
    assert chance_below(np.array([-1.0, 1.0]), once) == pytest.approx(0.5)
