"""Agreement of raters, against the `krippendorff` package, scikit-learn and statsmodels on the same tables."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from workbench.statistics.agreement import (
    Rating,
    Scale,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    pair_agreement,
)

Table = list[list[Rating | None]]
SCALES: tuple[Scale, ...] = ("nominal", "ordinal", "interval")


def random_table(seed: int, missing: float) -> Table:
    """Return ratings from -2 to 2 of 5 to 60 records by 2 to 5 raters who share a hidden truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(-2, 3, size=(rng.integers(5, 60), 1))
    ratings = np.clip(truth + rng.integers(-1, 2, size=(len(truth), rng.integers(2, 6))), -2, 2)
    gone = rng.random(ratings.shape) < missing
    return [[None if lost else int(r) for r, lost in zip(*row, strict=True)] for row in zip(ratings, gone, strict=True)]


def families(table: Table) -> list[str]:
    return [str(number) for number in range(len(table))]


def column(table: Table, rater: int) -> list[Rating | None]:
    return [row[rater] for row in table]


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("scale", SCALES)
def test_alpha_of_fifty_random_tables_with_gaps_is_the_krippendorff_packages(seed: int, scale: Scale) -> None:
    table = random_table(seed, missing=0.3)
    numbers = np.array([[np.nan if r is None else float(r) for r in row] for row in table])
    expected = krippendorff.alpha(reliability_data=numbers.T, level_of_measurement=scale)
    assert krippendorff_alpha(table, scale, families(table), seed=1).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("scale", "weights"), [("nominal", None), ("ordinal", "linear"), ("interval", "quadratic")])
def test_cohens_kappa_is_scikit_learns(seed: int, scale: Scale, weights: str | None) -> None:
    table = random_table(seed, missing=0.2)
    first, second = column(table, 0), column(table, 1)
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    expected = cohen_kappa_score([a for a, _ in both], [b for _, b in both], weights=weights, labels=[-2, -1, 0, 1, 2])
    order = (-2, -1, 0, 1, 2) if scale == "ordinal" else ()
    found = cohen_kappa(first, second, families(table), seed=1, scale=scale, order=order)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.n == len(both)


@pytest.mark.parametrize("seed", range(10))
def test_fleiss_kappa_is_statsmodels(seed: int) -> None:
    table = random_table(seed, missing=0)
    expected = statsmodels_fleiss(aggregate_raters(np.array(table))[0])
    assert fleiss_kappa(table, families(table), seed=1).value == pytest.approx(expected, abs=1e-12)


def test_fleiss_kappa_of_uneven_ratings_is_refused_with_the_reason() -> None:
    found = fleiss_kappa([[1, 1, None], [1, 2, 2]], ["a", "b"], seed=1)
    assert found.value is None
    assert found.undefined == "records have 2 to 3 ratings, and Fleiss' kappa needs as many for each; see alpha"


def test_words_are_ranked_by_the_order_that_is_given() -> None:
    words = {-2: "none", -1: "weak", 0: "some", 1: "good", 2: "full"}
    table = random_table(4, missing=0.1)
    told = [[None if r is None else words[int(r)] for r in row] for row in table]
    by_word = krippendorff_alpha(told, "ordinal", families(table), seed=1, order=tuple(words.values()))
    assert by_word == krippendorff_alpha(table, "ordinal", families(table), seed=1)


def test_words_without_an_order_have_no_ranks() -> None:
    with pytest.raises(ValueError, match="an ordinal scale needs numbers, or the order of its words; got bad, good"):
        krippendorff_alpha([["good", "bad"]], "ordinal", ["a"], seed=1)


def test_when_every_rating_is_the_same_agreement_is_unknown_and_not_perfect() -> None:
    found = krippendorff_alpha([["yes", "yes"]] * 20, "nominal", families([[]] * 20), seed=1)
    assert found.value is None
    assert "chance agrees as well" in found.undefined
    assert pair_agreement([["yes", "yes"]] * 20, families([[]] * 20), seed=1).value == 1


@pytest.mark.parametrize("table", [[], [["a", None]], [[None, None]]])
def test_without_a_record_rated_twice_nothing_is_known(table: Table) -> None:
    found = krippendorff_alpha(table, "nominal", families(table), seed=1)
    assert (found.value, found.n, found.undefined) == (None, 0, "no record has two ratings")


def test_the_interval_resamples_families_so_that_copies_of_records_add_no_certainty() -> None:
    table = random_table(7, missing=0.1)
    once = krippendorff_alpha(table, "interval", families(table), seed=1).interval
    twice = krippendorff_alpha(table * 4, "interval", families(table) * 4, seed=1).interval
    assert once is not None and twice is not None
    assert twice.high - twice.low > 0.85 * (once.high - once.low)


def test_the_interval_covers_the_agreement_of_a_large_population() -> None:
    """300 draws of 100 records: 95 % promised, so at least 273 hold it but for one chance in a thousand."""
    rng = np.random.default_rng(5)

    def draw(n: int) -> Table:
        truth = rng.integers(0, 3, size=(n, 1))
        ratings = np.where(rng.random((n, 3)) < 0.75, truth, rng.integers(0, 3, size=(n, 3)))
        return [[None if rng.random() < 0.2 else int(r) for r in row] for row in ratings]

    truth = krippendorff_alpha(draw(60_000), "nominal", ["one"] * 60_000, seed=1).value
    held = 0
    for _ in range(300):
        interval = krippendorff_alpha(table := draw(100), "nominal", families(table), seed=1).interval
        held += interval is not None and truth is not None and interval.low <= truth <= interval.high
    assert 273 <= held <= 298


@given(st.lists(st.lists(st.sampled_from(["a", "b", None]), min_size=3, max_size=3), min_size=1, max_size=20))
def test_alpha_does_not_depend_on_the_order_of_records_or_raters(table: Table) -> None:
    groups = families(table)
    turned = [list(reversed(row)) for row in reversed(table)]
    found, again = (krippendorff_alpha(rows, "nominal", groups, seed=1).value for rows in (table, turned))
    assert (found is None) == (again is None)
    assert found is None or found == pytest.approx(again)
