"""Money: one purse for everything a run calls, shared between the candidate and its judges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from workbench.errors import IncompleteRun
from workbench.models import Price, Usage


class Budget:
    """Count what calls cost and stop a run that has spent enough.

    `check` stands before every request and `charge` after it, so a run overshoots by at most what was in flight. What
    was charged is kept at once by whoever carries the purse; a kill forgets at most the requests that were in flight.
    """

    def __init__(self, limit: float | None, spent: float = 0.0) -> None:
        """Set a limit in the currency of the price tables (`None`: none) and what a resumed run has spent before."""
        self.limit = limit
        self.spent = spent
        self._keep: Callable[[float], None] = _forgotten

    @contextmanager
    def carried(self, before: float, keep: Callable[[float], None]) -> Iterator[None]:
        """Add what a run was charged before; in the block, `keep` is told of every charge before it counts."""
        self.spent += before
        self._keep = keep
        try:
            yield
        finally:
            self._keep = _forgotten

    def charge(self, cost: float) -> None:
        """Add what a request cost."""
        if cost:
            self._keep(cost)
            self.spent += cost

    def check(self) -> None:
        """Raise `IncompleteRun` when the limit is reached."""
        if self.limit is not None and self.spent >= self.limit:
            raise IncompleteRun(
                f"the budget of {self.limit:g} is spent ({self.spent:.6g} so far); "
                "raise it and resume the run: what is done will not be paid for twice"
            )


def _forgotten(cost: float) -> None:
    """Keep nothing: there is no run that could be resumed."""


@dataclass
class Spent:
    """What one request has consumed so far, over all its attempts."""

    price: Price | None
    sent: int
    """Bytes of one request: no prompt has more tokens."""
    longest: int
    """Most tokens that one answer may have."""
    attempts: int = 0
    latency: float = 0.0
    reserved: float = 0.0
    charged: float = 0.0
    input_tokens: int | None = None
    output_tokens: int | None = None

    def add(self, prompt: int | None, answer: int | None) -> None:
        """Add the tokens of one reply, where the server counted them."""
        if prompt is not None and answer is not None:
            self.input_tokens = (self.input_tokens or 0) + prompt
            self.output_tokens = (self.output_tokens or 0) + answer

    def charge(self, prompt: int | None, answer: int | None) -> float:
        """Return what the budget is to be charged for one reply: the most it can cost where tokens were not counted."""
        if prompt is None or answer is None:
            prompt, answer = self.sent, self.longest
        cost = _cost(self.price, prompt, answer) or 0.0
        self.charged += cost
        return cost

    def usage(self) -> Usage:
        """Return the sums as they are stored."""
        return Usage(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost=_cost(self.price, self.input_tokens, self.output_tokens),
            charged=None if self.price is None else self.charged,
            latency=self.latency,
            attempts=self.attempts,
        )


def _cost(price: Price | None, prompt: int | None, answer: int | None) -> float | None:
    if price is None or prompt is None or answer is None:
        return None
    return (prompt * price.input + answer * price.output) / 1e6
