"""Worst-case bounds hold whatever the missing scores were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.statistics.missing import worst_case, worst_case_differences

SHARES = st.lists(st.floats(0, 1), max_size=30)


@given(SHARES, SHARES)
def test_the_bounds_hold_the_mean_over_all_scores(seen: list[float], unseen: list[float]) -> None:
    bounds = worst_case(seen, len(unseen), 0.0, 1.0)
    every = seen + unseen
    if not every:
        assert bounds is None
    else:
        assert bounds is not None
        assert bounds.low - 1e-9 <= sum(every) / len(every) <= bounds.high + 1e-9


def test_the_bounds_meet_when_nothing_is_missing_and_span_the_range_when_all_is() -> None:
    full, empty = worst_case([0.25, 0.75], 0, 0.0, 1.0), worst_case([], 4, 1.0, 5.0)
    assert full is not None and empty is not None
    assert (full.low, full.high) == (0.5, 0.5)
    assert (empty.low, empty.high) == (1, 5)


def test_missing_differences_reach_both_ends() -> None:
    worst, best = worst_case_differences([1.0, None, 0.5, None], [0.0, 0.25, None, None], 0.0, 1.0)
    assert worst == [1.0, -0.25, -0.5, -1.0]
    assert best == [1.0, 0.75, 0.5, 1.0]


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        worst_case([1.0], -1, 0.0, 1.0)
