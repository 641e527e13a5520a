"""What annotators are asked: six kinds of questions, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from workbench.nouns import Many, Noun

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
"""Name of a field or question: what stands in labels, so plain words."""
MAX_RATING = 10
"""The highest rating that Argilla knows; the lowest is 0."""


class Option(Noun):
    """One answer that may be chosen."""

    value: str = Field(min_length=1, max_length=200)
    """What stands in the label."""
    title: str = Field("", max_length=500)
    """What annotators read; empty: the value."""
    description: str = Field("", max_length=1000)
    """Shown as a hint."""


class Asked(Noun):
    """What every question has."""

    name: Name
    """The question's name in labels."""
    title: str = Field(min_length=1, max_length=500)
    """What annotators read."""
    description: str = Field("", max_length=1000)
    """Shown beside the title."""
    required: bool = True
    """Whether an answer can be submitted without it."""
    when: Literal["always", "pair", "several"] = "always"
    """Asked always, only of two candidates, or only of more than two."""


class WithOptions(Asked):
    """A question with answers to choose from: those that are named, those of `options_from`, or both."""

    options: Many[Option] = ()
    """The answers, in the order in which they are shown."""
    options_from: Literal["taxonomy", "candidates"] | None = None
    """Answers that stand before them: the failure modes, or the blinded candidates of the record, A, B, …"""

    @model_validator(mode="after")
    def _one_source(self) -> WithOptions:
        if not self.options and self.options_from is None:
            raise ValueError("give `options`, or `options_from`")
        if twice := _repeated(option.value for option in self.options):
            raise ValueError(f"two options have the value {twice!r}")
        return self


class LabelQuestion(WithOptions):
    """One answer out of several."""

    kind: Literal["label"]
    """Chooses this kind."""


class MultiLabelQuestion(WithOptions):
    """Any number of answers, at least one."""

    kind: Literal["multi_label"]
    """Chooses this kind."""


class RankingQuestion(WithOptions):
    """All options in order; ties are allowed."""

    kind: Literal["ranking"]
    """Chooses this kind."""


class SpanQuestion(WithOptions):
    """Marked stretches of one field's text."""

    kind: Literal["span"]
    """Chooses this kind."""
    field: Name
    """The field whose text is marked; it shows one text."""
    overlapping: bool = False
    """Whether spans may overlap."""


class RatingQuestion(Asked):
    """A whole number from `low` to `high`."""

    kind: Literal["rating"]
    """Chooses this kind."""
    low: int = Field(1, ge=0, le=MAX_RATING)
    """The lowest."""
    high: int = Field(5, ge=0, le=MAX_RATING)
    """The highest."""

    @model_validator(mode="after")
    def _has_steps(self) -> RatingQuestion:
        if self.high <= self.low:
            raise ValueError(f"`high` must be above `low`, not {self.low} to {self.high}")
        return self


class TextQuestion(Asked):
    """Free words."""

    kind: Literal["text"]
    """Chooses this kind."""


Question = Annotated[
    LabelQuestion | MultiLabelQuestion | RankingQuestion | SpanQuestion | RatingQuestion | TextQuestion,
    Field(discriminator="kind"),
]


def _repeated(values: Iterable[str]) -> str | None:
    """Return the first value that stands more than once."""
    return next((value for value, n in Counter(values).items() if n > 1), None)
