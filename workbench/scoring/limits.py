"""Limits on what an answer may take: seconds and money."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.datasets import Sample
from workbench.models import Output
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.text import passed


class LatencyLimit(Scorer):
    """1 if the answer came within a number of seconds, else 0."""

    binary: ClassVar[bool] = True

    kind: Literal["latency"]
    max_seconds: float = Field(gt=0)
    """Longest time that passes, in seconds."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Compare; does not apply to an answer from the cache or of unknown latency."""
        if output.usage.cached:
            return not_applicable("the answer came from the cache")
        if output.usage.latency is None:
            return not_applicable("the answer's latency is unknown")
        return passed(output.usage.latency <= self.max_seconds, f"{output.usage.latency:.3f} s")


class CostLimit(Scorer):
    """1 if the answer cost at most a sum of money, else 0."""

    binary: ClassVar[bool] = True

    kind: Literal["cost"]
    max_cost: float = Field(gt=0)
    """Highest cost that passes, in the price table's currency."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Compare; does not apply to an answer from the cache or without a price."""
        if output.usage.cached:
            return not_applicable("the answer came from the cache")
        if output.usage.cost is None:
            return not_applicable("the answer's cost is unknown: the model has no price")
        return passed(output.usage.cost <= self.max_cost, f"{output.usage.cost:.6g}")
