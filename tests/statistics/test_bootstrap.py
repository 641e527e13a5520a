"""The bootstrap over families: seeded, clustered, and near the formula where there is one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap as scipy_bootstrap

from workbench.statistics.bootstrap import bootstrap
from workbench.statistics.means import clustered_se

VALUES = np.random.default_rng(11).gamma(2.0, size=300)


def mean(rows: NDArray[np.int64]) -> float:
    return float(VALUES[rows].mean())


def names(codes: NDArray[np.int64]) -> list[str]:
    return [str(c) for c in codes]


@pytest.mark.parametrize(
    "codes", [np.arange(300), np.arange(300) // 5, np.arange(300) % 70 // 2 * 2 + (np.arange(300) > 150)]
)
def test_the_error_of_a_mean_is_near_the_clustered_formula(codes: NDArray[np.int64]) -> None:
    estimate = bootstrap(mean, names(codes), seed=1, draws=3000)
    assert estimate.value == pytest.approx(VALUES.mean())
    assert estimate.se == pytest.approx(clustered_se(VALUES, codes), rel=0.12)


@pytest.mark.parametrize(("ours", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
def test_with_many_families_the_interval_is_scipys(ours: str, theirs: str) -> None:
    estimate = bootstrap(
        mean, names(np.arange(300)), seed=2, draws=6000, method="bca" if ours == "bca" else "percentile"
    )
    reference = scipy_bootstrap((VALUES,), np.mean, n_resamples=6000, method=theirs, rng=np.random.default_rng(3))
    low, high = reference.confidence_interval
    assert estimate.interval is not None
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx((low, high), abs=0.015)


def test_the_same_seed_gives_the_same_interval() -> None:
    groups = names(np.arange(300) // 3)
    assert bootstrap(mean, groups, seed=5, draws=200) == bootstrap(mean, groups, seed=5, draws=200)
    assert bootstrap(mean, groups, seed=5, draws=200) != bootstrap(mean, groups, seed=6, draws=200)


def test_families_are_drawn_whole() -> None:
    groups = ["a", "a", "a", "b", "c", "c"]
    seen: list[tuple[int, ...]] = []

    def watch(rows: NDArray[np.int64]) -> float:
        seen.append(tuple(np.bincount(rows, minlength=6)))
        return float(rows.sum())

    bootstrap(watch, groups, seed=1, draws=50)
    assert all(c[0] == c[1] == c[2] and c[4] == c[5] and c[0] + c[3] + c[4] == 3 for c in seen[1:])
    assert len(set(seen)) > 5


@pytest.mark.parametrize(("groups", "why"), [([], "no rows"), (["a", "a"], "one family")])
def test_too_little_is_undefined_with_a_reason(groups: list[str], why: str) -> None:
    estimate = bootstrap(mean, groups, seed=1)
    assert estimate.interval is None
    assert why in estimate.undefined


def test_a_statistic_that_never_changes_has_no_interval() -> None:
    estimate = bootstrap(lambda rows: 1.0, ["a", "b", "c"], seed=1, draws=50)
    assert estimate.interval is None
    assert "the same value" in estimate.undefined


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_one_family_that_holds_nearly_everything_gives_the_widest_interval_and_no_error(method: str) -> None:
    groups = ["big"] * 290 + [f"small {i}" for i in range(10)]
    estimate = bootstrap(mean, groups, seed=1, draws=300, method="bca" if method == "bca" else "percentile")
    assert estimate.interval is not None and estimate.value is not None
    assert estimate.interval.low < estimate.value < estimate.interval.high
