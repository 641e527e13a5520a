"""What a benchmark returns: figures, each with every value it was measured at, and the goal it is held against."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

COMPARE = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True)
class Goal:
    """A bound that a figure should keep."""

    op: Literal["<=", ">="]
    bound: float

    def __str__(self) -> str:
        return f"{self.op} {self.bound:g}"


@dataclass(frozen=True)
class Figure:
    """One measured quantity, a value a round."""

    benchmark: str
    name: str
    unit: str
    values: tuple[float, ...]
    goal: Goal | None = None
    """`None`: told for comparison only."""

    @property
    def value(self) -> float:
        """The median."""
        return median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the goal; `None` without one."""
        return COMPARE[self.goal.op](self.value, self.goal.bound) if self.goal else None

    def plain(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {**asdict(self), "value": self.value, "met": self.met}


def ratios(above: Sequence[float], below: Sequence[float]) -> tuple[float, ...]:
    """Return the ratio of each round: both sides of one round ran one after the other, under the same load."""
    return tuple(a / b for a, b in zip(above, below, strict=True))


def from_plain(plain: dict[str, Any]) -> Figure:
    """Read what `Figure.plain` wrote."""
    goal = Goal(**plain["goal"]) if plain["goal"] else None
    return Figure(plain["benchmark"], plain["name"], plain["unit"], tuple(plain["values"]), goal)
