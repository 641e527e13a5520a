"""What another project's metric works with here: the run's own judge in place of a client, a tally, a checked value."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from workbench.errors import MissingExtra
from workbench.models import OutputFailure, Request, Usage
from workbench.records import Message
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Tools

ROUNDING = 1e-6
"""How far a cosine of two vectors of 32-bit numbers may overshoot 1."""


class Unanswered(Exception):
    """A reply of the judge that a metric cannot go on with; it carries what becomes of the score."""

    def __init__(self, failure: ScoreFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass
class Calls:
    """The calls of one measurement: they go to the run's judge, and what they consume is added up."""

    tools: Tools
    judge: str
    sample_id: str
    failure: ScoreFailure | None = None
    """The first call that had no answer, for harnesses that swallow what is raised."""
    usages: list[Usage] = field(default_factory=list)
    _asked: Counter[tuple[Message, ...]] = field(default_factory=Counter)

    async def ask(self, messages: tuple[Message, ...], schema: dict[str, Any] | None) -> str:
        """Return the judge's reply. Raises `Unanswered`.

        A prompt that a metric puts several times, to have several answers, is a repeat each time: to the cache, and
        to the seed.
        """
        repeat = self._asked[messages]
        self._asked[messages] += 1
        request = Request(messages=messages, sample_id=self.sample_id, repeat=repeat, json_schema=schema)
        reply = await self.tools.ask(self.judge, request)
        self.usages.append(reply.usage)
        if isinstance(reply, OutputFailure):
            message = f"judge {self.judge!r} gave no answer: {reply.kind}: {reply.message}"
            failure = ScoreFailure(kind="judge_failed", message=message, text=reply.text)
            self.failure = self.failure or failure
            raise Unanswered(failure)
        return reply.text

    def failed(self, failure: ScoreFailure) -> ScoreFailure:
        """Return a failure with what the calls so far consumed."""
        return failure.model_copy(update={"usage": self.usage()})

    def checked(self, value: float | None, reason: str, info: ScorerInfo) -> Score | ScoreFailure:
        """Return a value within the scorer's range; NaN, a sentinel such as −1 and no value at all are failures."""
        if value is None:
            return self.failed(ScoreFailure(kind="unparsable", message=f"{info.name} gave no value"))
        low, high = info.low or 0.0, info.high or 1.0
        if not math.isfinite(value) or not low - ROUNDING <= value <= high + ROUNDING:
            message = f"{info.name} gave {value}, which is not between {low} and {high}"
            return self.failed(ScoreFailure(kind="out_of_range", message=message))
        return Score(value=min(max(value, low), high), reason=reason, usage=self.usage())

    def usage(self) -> Usage | None:
        """Return what all calls consumed; `None` when none was made."""
        return total(self.usages) if self.usages else None


def total(usages: Iterable[Usage]) -> Usage:
    """Return the sum of what several calls consumed. A cost that is unknown in part is unknown."""
    each = tuple(usages)
    costs = [u.cost for u in each]
    return Usage(
        input_tokens=_known([u.input_tokens for u in each]),
        output_tokens=_known([u.output_tokens for u in each]),
        cost=None if None in costs else math.fsum(cost for cost in costs if cost is not None),
        charged=_known([u.charged for u in each]),
        latency=_known([u.latency for u in each]),
        attempts=sum(u.attempts for u in each),
        cached=all(u.cached for u in each),
    )


def _known(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


@cache
def installed(package: str) -> str:
    """Return the version of a harness, which is part of its scorers' version. Raises `MissingExtra`."""
    try:
        return version(package)
    except PackageNotFoundError:
        raise MissingExtra(package, "harness") from None


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON Schema whose objects allow no further fields, as servers that enforce one demand."""
    found = {key: _closed(value) for key, value in schema.items()}
    if found.get("type") == "object" and "properties" in found:
        found |= {"additionalProperties": False, "required": list(found["properties"])}
    return found


def _closed(value: Any) -> Any:
    if isinstance(value, dict):
        return closed(value)
    return [_closed(part) for part in value] if isinstance(value, list) else value
