"""Answers on which both people and a judge ruled: what a calibration is made of."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.datasets import Split, Use, split_of
from workbench.nouns import Noun

Choice = Literal["1", "2", "tie"]
"""Of two answers, in the order in which they are stored: the first, the second, neither."""
Part = Literal["train", "dev", "test"]
PARTS: tuple[Part, ...] = ("train", "dev", "test")
SHARES = (0.15, 0.425, 0.425)
"""Of the labelled families: for few-shot examples, for work on the prompt, for the one measurement that counts."""
_PART_OF: dict[Use, Part] = {"train": "train", "dev": "dev", "gate": "test"}


class Judged(Noun):
    """One answer that people and a judge passed or failed."""

    id: str = Field(min_length=1)
    """Unique name of the answer."""
    group: str = Field(min_length=1)
    """Its prompt family, the unit of the split and of the intervals."""
    human: bool
    """Whether people pass it: their adjudicated verdict."""
    judge: bool | None
    """Whether the judge passes it; `None`: it gave no verdict."""
    length: int | None = Field(None, ge=0)
    """Characters of the answer."""
    model: str = ""
    """Who wrote the answer; empty where nobody knows."""
    tags: dict[str, str] = {}
    """Slices, as name → value."""


class JudgedPair(Noun):
    """Two answers to one prompt, of which people and a judge preferred one."""

    id: str = Field(min_length=1)
    """Unique name of the pair."""
    group: str = Field(min_length=1)
    """Its prompt family."""
    human: Choice
    """What people prefer."""
    forward: Choice | None
    """What the judge prefers, shown the first answer first; `None`: no verdict."""
    backward: Choice | None
    """What it prefers, shown the second answer first, still named by the stored order."""
    lengths: tuple[int, int] | None = None
    """Characters of the two answers."""
    models: tuple[str, str] | None = None
    """Who wrote them."""
    tags: dict[str, str] = {}
    """Slices, as name → value."""


def part_of(group: str, salt: str) -> Part:
    """Return the part of the labels that a family belongs to: the same for ever, by the firewall's own hash."""
    train, dev, test = SHARES
    return _PART_OF[split_of(group, Split(salt=f"judge:{salt}", train=train, dev=dev, gate=test))]
