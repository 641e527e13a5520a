"""A judge that was trained on labels: what it learnt from, and what it can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from workbench.calibration.judged import part_of
from workbench.calibration.measuring import Trust
from workbench.nouns import Many, Noun, fingerprint

QUESTION = "verdict"
"""The question of people's verdicts; it salts the division of their families, as in calibrations."""
CHECKED = 4
"""One family in so many of the part to work on is held back, to choose the epoch and the threshold by."""


class TrainedJudge(Noun):
    """What lies beside a trained encoder, or a tuned judge's adapter, as `judge.json`."""

    name: str
    """Its name."""
    base: str
    """The encoder or model that was trained, and a hash of its files."""
    source: str
    """Run or file of the labels, with their hash."""
    threshold: float = Field(0.5, ge=0, le=1)
    """Probability from which an answer passes: the best balanced accuracy on the labels held back. A judge that replies
    in words has none."""
    n_learnt: int = Field(ge=0)
    """Labels it learnt from: of the parts train and dev, never of the test part."""
    learnt: Many[str]
    """Hashes of their families."""
    checked: Trust
    """On the labels held back. They chose epoch and threshold of an encoder, so that it is too good."""
    prompted: Trust | None = None
    """The run's own judge on the same labels, where there is one."""
    epochs: float
    """Passes over the labels."""
    rate: float | None
    """Highest learning rate; `None`: the default of training recipes."""
    seed: int
    """Of everything random."""


def use_of(group: str) -> Literal["learn", "check", "test"]:
    """Return what a labelled family is for in training: `learn`, `check` or `test`."""
    part = part_of(group, QUESTION)
    if part == "test":
        return "test"
    held = part == "dev" and int(fingerprint([group, "check"])[:8], 16) % CHECKED == 0
    return "check" if held else "learn"


def best_threshold(chances: Sequence[float], labels: Sequence[bool]) -> float:
    """Return the probability from which passing gives the best balanced accuracy, midway to the next lower chance."""
    good, bad = sum(labels), len(labels) - sum(labels)
    if not good or not bad:
        return 0.5
    ranked = sorted(zip(chances, labels, strict=True), reverse=True)
    best, at, hits, false = -1.0, 0.5, 0, 0
    for i, (chance, label) in enumerate(ranked):
        hits, false = hits + label, false + (not label)
        lower = ranked[i + 1][0] if i + 1 < len(ranked) else 0.0
        if lower < chance and hits / good - false / bad > best:
            best, at = hits / good - false / bad, (chance + lower) / 2
    return at
