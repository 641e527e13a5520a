"""What a check is: a function from columns to the rows that have a flaw, or to a measure that is too far off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from workbench.curation.pairs.columns import Columns
from workbench.curation.pairs.findings import Severity
from workbench.datasets import Kind
from workbench.runs import Interval
from workbench.statistics.intervals import Estimate
from workbench.statistics.means import mean_interval

LEVEL = 0.999
"""Level of the interval that must clear a limit before a skew is called one: eight are looked at in every set, and a
false alarm in one of a hundred clean sets would be too many. What is shown is the 95 % interval."""
FEWEST = 20
"""Rows that a skew is judged on at least."""


@dataclass(frozen=True)
class Looking:
    """What a check is told besides the rows."""

    max_tokens: int = 4096
    """Tokens that prompt and one side together may have."""
    count: Callable[[Sequence[str]], Sequence[int]] | None = None
    """Counts the tokens of texts; `None`: they are estimated."""
    leaks: Mapping[str, str] | None = None
    """Rows that a gate set knows, and how, by id; `None`: nobody looked."""
    why_no_leaks: str = "no gate set was held against it"


@dataclass(frozen=True)
class Found:
    """What a check found."""

    places: Sequence[int]
    """Rows that have the flaw; of a skew, the rows that make it."""
    of: int
    """Rows that could have it."""
    alarm: bool
    """Whether that is a flaw of the set."""
    share: float | None = None
    """What was measured; left out, it is the share of places."""
    interval: Interval | None = None
    told: str = ""
    notes: Mapping[int, str] = field(default_factory=dict)
    """What is wrong with a row, by place."""


class Unknown(NamedTuple):
    """A check that could not be made."""

    why: str


Check = Callable[[Columns, Looking], Found | Unknown]


class Flaw(NamedTuple):
    """One kind of flaw."""

    kind: str
    title: str
    severity: Severity
    check: Check
    todo: str
    of: tuple[Kind, ...] = ("pairs",)
    """Sets that can have it."""


def rows_with(places: Sequence[int], of: int, notes: Mapping[int, str] | None = None, told: str = "") -> Found:
    """Return a finding that is one as soon as a single row has it."""
    return Found(places, of, bool(places), told=told, notes=notes or {})


def measured(
    values: Sequence[float], rows: Sequence[int], columns: Columns, low: float | None = 0.0, high: float | None = 1.0
) -> tuple[Estimate, Estimate]:
    """Return the mean of a measure over some rows with its 95 % interval, and with that of `LEVEL`."""
    groups = columns.codes[list(rows)]
    shown, sure = (mean_interval(values, groups, low=low, high=high, level=level) for level in (0.95, LEVEL))
    return shown, sure


def beyond(sure: Estimate, middle: float, tolerated: float) -> bool:
    """Return whether the whole interval lies further from the middle than is tolerated, on either side."""
    if sure.interval is None or sure.n < FEWEST:
        return False
    return sure.interval.low > middle + tolerated or sure.interval.high < middle - tolerated
