"""What a failure is, which are wanted, and what there is to choose from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from workbench.failures.entries import AnswerId
from workbench.nouns import Many, Noun

Key = tuple[str, int]
"""A sample's id and the number of the answer."""


class Wanted(Noun):
    """Which failures are looked for. Left out, every answer that a pass/fail scorer failed, or that has an error."""

    metric: str | None = None
    """Only what this scorer finds wrong."""
    below: float | None = None
    """For a graded metric: wrong is what lies below (above, where lower is better); else below half its scale."""
    slice: str | None = None
    """`name=value` of a tag."""
    cause: str | None = None
    """Word of a scorer that names what it found, such as `retrieval_missed`."""
    error: str | None = None
    """Kind of error: of the answer, such as `timeout`, or of a score, such as `unparsable`."""
    human: Literal["fail", "pass", "conflict"] | None = None
    """What people said, of all answers: failed · passed · otherwise than the scorer."""
    text: str | None = None
    """Words that question or answer hold, whatever their case."""
    coded: bool | None = None
    """Only answers with a note, or without one."""


class Fault(Noun):
    """What one scorer found wrong in an answer, or why it has no score."""

    scorer: str
    """Name of the metric."""
    value: float | None
    """The score; `None` where there is none."""
    label: str | None
    """The verdict in words."""
    reason: str
    """Why, in the scorer's words: hostile until escaped."""
    failure: str | None
    """Why there is no score."""


class Failure(Noun):
    """An answer that fails."""

    of: AnswerId
    """Which one."""
    family: str
    """The prompt family of its sample."""
    tags: dict[str, str]
    """Tags of its sample."""
    question: str
    """The last thing that the user said."""
    output: str | None
    """The answer; `None` where none came."""
    error: str | None
    """Why the answer is none."""
    faults: Many[Fault]
    """What was found wrong, in the run's order of scorers."""
    human: bool | None = None
    """Whether people passed it; `None`: nobody has said."""


class Found(Noun):
    """One page of the failures of a run."""

    n: int = Field(ge=0)
    """Failures in all."""
    n_answers: int = Field(ge=0)
    """Answers of the run."""
    failures: Many[Failure]
    """Those of this page, in the dataset's order."""


@dataclass(frozen=True)
class Marks:
    """What is known of a run's answers beside its tables."""

    human: Mapping[Key, bool] = field(default_factory=dict)
    """Whether people passed an answer."""
    coded: Collection[Key] = ()
    """Answers with a note."""


class Facets(Noun):
    """What there is to filter by, with the number of failures of each."""

    metrics: dict[str, int]
    """Failures that each scorer found."""
    causes: dict[str, int]
    """Words of the scorers that name what they found."""
    errors: dict[str, int]
    """Errors of answers and of scores."""
    slices: dict[str, int]
    """Tags as `name=value`."""
