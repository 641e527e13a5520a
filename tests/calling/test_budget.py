"""Money."""

from __future__ import annotations

import pytest

from workbench.calling.budget import Budget
from workbench.errors import IncompleteRun


def test_a_budget_stops_when_the_limit_is_reached_and_not_before() -> None:
    budget = Budget(1.0)
    budget.charge(0.99)
    budget.check()
    budget.charge(0.01)
    with pytest.raises(IncompleteRun, match="budget of 1 is spent"):
        budget.check()


def test_what_a_resumed_run_has_spent_before_counts() -> None:
    with pytest.raises(IncompleteRun):
        Budget(1.0, spent=1.5).check()


def test_without_a_limit_spending_is_only_counted() -> None:
    budget = Budget(None)
    budget.charge(1e9)
    budget.check()
    assert budget.spent == 1e9
