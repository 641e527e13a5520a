"""What people, judges and models said: of one answer (`Opinion`), or of two answers to one prompt (`Judgement`)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from workbench.datasets import PairRule, Side
from workbench.nouns import canonical_bytes
from workbench.records import Turn

Better = Literal["one", "other", "tie", "both_bad"]
Reason = Literal["unclear", "rejected", "unsure", "alone", "not_a_correction", "other_guideline", "no_text",
                 "same_text", "draft", "discarded", "unscored"]  # fmt: skip
"""Why something that was said makes no comparison."""


@dataclass(frozen=True)
class Prompt:
    """What is answered, and where it belongs."""

    turns: tuple[Turn, ...]
    group: str = ""
    """The record's family; empty: made from the text."""
    tags: dict[str, str] = field(default_factory=dict)
    tools: str = ""

    def key(self) -> bytes:
        """Return what two equal prompts share."""
        return _key(self.turns) + self.tools.encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Said:
    """Who said something, where, and under which guideline."""

    sources: tuple[str, ...]
    """What was judged, as `<dataset or run>/<id>`."""
    rule: PairRule
    annotator: str = ""
    """A person; or a scorer or model, where `by_model`."""
    guideline: str = ""
    by_model: bool = False
    decided: bool = False
    """Whether it is an adjudicator's decision, which outweighs votes."""
    at: str = ""
    """When, ISO 8601; empty where nobody knows."""


@dataclass(frozen=True)
class Judgement:
    """One word on two answers to one prompt."""

    prompt: Prompt
    one: Side
    other: Side
    better: Better
    said: Said
    margin: float | None = None
    """By how much, on the scale of the rule."""
    seen_first: Literal["one", "other"] | None = None
    """Which was seen first."""


@dataclass(frozen=True)
class Opinion:
    """One word on one answer."""

    prompt: Prompt
    answer: Side
    said: Said
    verdict: Literal["good", "bad", "edited"] | None = None
    """`None`: it has a rating only."""
    rating: float | None = None
    low: float = 0.0
    """Lowest possible rating."""
    high: float = 1.0
    """Highest possible rating."""
    edit: str = ""
    """The whole answer as it should have been."""


@dataclass(frozen=True)
class Unused:
    """Something that was said and makes no comparison."""

    reason: Reason
    source: str
    """The record, as `<dataset or run>/<id>`."""
    n: int = 1


def answer_key(side: Side) -> bytes:
    """Return what two equal answers share."""
    return _key(side.messages)


def answer_of(text: str, model: str = "") -> Side:
    """Return an answer of one turn."""
    return Side(messages=(Turn(role="assistant", content=text),), model=model)


def has_text(side: Side) -> bool:
    """Return whether an answer says or calls anything."""
    return bool(side.text().strip()) or any(turn.tool_calls for turn in side.messages)


def _key(turns: Sequence[Turn]) -> bytes:
    if all(not t.tool_calls and not t.tool_call_id and not t.name for t in turns):
        text = "\0".join(f"{t.role}\1{t.content}" for t in turns)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return hashlib.sha256(canonical_bytes([t.model_dump(mode="json", exclude={"learnt"}) for t in turns])).digest()
