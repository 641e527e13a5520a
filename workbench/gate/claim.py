"""A rule with its evidence: what is claimed of the candidate, ready to be judged at any level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from workbench.gate.decision import RuleKind
from workbench.statistics.intervals import Estimate
from workbench.statistics.noninferiority import Decision

Judge = Callable[[float], Decision]
"""Judge a claim with one-sided error rate alpha."""


@dataclass(frozen=True)
class Claim:
    """A rule and its evidence."""

    rule: str
    kind: RuleKind
    what: str
    limit: float
    passes: Literal["above", "below"]
    judge: Judge
    metric: str = ""
    slice: str = ""
    margin: float | None = None
    better: Literal["higher", "lower"] | None = None
    n_failed: int = 0


def unknown(why: str, n: int = 0) -> Judge:
    """Return the judge of a claim for which there is no evidence."""
    estimate = Estimate(value=None, n=n, undefined=why)
    return lambda _: Decision(verdict="inconclusive", estimate=estimate, limit=0.0, reason=why)
