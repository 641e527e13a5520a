"""Money."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.calling.budget import Budget, Spent
from workbench.errors import IncompleteRun
from workbench.models import Price
from workbench.store.charges import Charges


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


def test_every_charge_is_kept_before_it_counts_and_the_next_process_goes_on_from_it(tmp_path: Path) -> None:
    for before, total in ((0.0, 0.3), (0.3, 0.6)):
        budget = Budget(0.5)
        with Charges(tmp_path / "charges.txt") as charges:
            assert charges.before == pytest.approx(before)
            with budget.carried(charges.before, charges.add):
                budget.charge(0.1)
                budget.charge(0.0)
                budget.charge(0.2)
        assert budget.spent == pytest.approx(total)
    assert (tmp_path / "charges.txt").read_text() == "0.1\n0.2\n" * 2
    with pytest.raises(IncompleteRun):
        budget.check()


def test_a_charge_that_cannot_be_kept_does_not_count(tmp_path: Path) -> None:
    def full(_: float) -> None:
        raise OSError("no room")

    budget = Budget(1.0)
    with budget.carried(0.25, full), pytest.raises(OSError, match="no room"):
        budget.charge(0.5)
    assert budget.spent == 0.25
    budget.charge(0.5)  # outside the block nobody keeps anything


def test_a_line_that_was_cut_short_is_dropped_and_garbles_no_other(tmp_path: Path) -> None:
    (tmp_path / "charges.txt").write_text("0.5\n0.2")
    with Charges(tmp_path / "charges.txt") as charges:
        assert charges.before == 0.5
        charges.add(0.25)
    with Charges(tmp_path / "charges.txt") as charges:
        assert charges.before == 0.75


def test_a_reply_without_counted_tokens_is_charged_at_the_most_and_its_cost_is_unknown() -> None:
    spent = Spent(Price(input=1e6, output=2e6), sent=100, longest=10)
    spent.add(None, 5)
    assert spent.charge(None, 5) == 120
    usage = spent.usage()
    assert (usage.cost, usage.charged) == (None, 120)


def test_what_was_charged_is_the_cost_where_every_reply_was_counted() -> None:
    spent = Spent(Price(input=1e6, output=2e6), sent=100, longest=10)
    for _ in range(3):
        spent.add(4, 5)
        spent.charge(4, 5)
    assert spent.usage().charged == spent.usage().cost == 42


def test_without_a_price_nothing_is_charged_and_what_was_charged_is_unknown() -> None:
    spent = Spent(None, sent=100, longest=10)
    assert spent.charge(None, None) == 0
    assert spent.usage().charged is None
