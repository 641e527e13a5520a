"""Money: one purse for everything a run calls, shared between the candidate and its judges."""

from __future__ import annotations

from workbench.errors import IncompleteRun


class Budget:
    """Count what calls cost and stop a run that has spent enough.

    `check` stands before every request and `charge` after it, so a run overshoots by at most what was in flight.
    """

    def __init__(self, limit: float | None, spent: float = 0.0) -> None:
        """Set a limit in the currency of the price tables (`None`: none) and what a resumed run has spent before."""
        self.limit = limit
        self.spent = spent

    def charge(self, cost: float) -> None:
        """Add what a request cost."""
        self.spent += cost

    def check(self) -> None:
        """Raise `IncompleteRun` when the limit is reached."""
        if self.limit is not None and self.spent >= self.limit:
            raise IncompleteRun(
                f"the budget of {self.limit:g} is spent ({self.spent:.6g} so far); "
                "raise it and run the same command again: what is done will not be paid for twice"
            )
