"""What lint says: one finding a kind of flaw, with n, share, interval, examples and what to do, on one score card."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.curation.quality.waterfall import Example
from workbench.datasets import Kind
from workbench.nouns import Many, Noun
from workbench.runs import Interval

Severity = Literal["blocks", "warns", "notes"]
"""The set must not be trained on · it teaches something that was not meant · one should know."""


class Finding(Noun):
    """One kind of flaw that a set has."""

    kind: str
    """The kind, a word of the table of flaws."""
    title: str
    """What it is, in words."""
    severity: Severity
    """How grave."""
    accepted: bool = False
    """Whether it was accepted beforehand, so that it blocks nothing."""
    n: int = Field(ge=0)
    """Rows that have it."""
    of: int = Field(ge=0)
    """Rows that could have it."""
    share: float | None = None
    """What was measured, most often n / of; the title says what."""
    interval: Interval | None = None
    """Its 95 % interval, clustered by family."""
    told: str = ""
    """More figures, in words."""
    examples: Many[Example] = ()
    """Rows that have it."""
    todo: str
    """What to do."""


class Figure(Noun):
    """A number that the card tells whether or not it is a flaw."""

    name: str
    """What it is."""
    value: float | None
    """The estimate."""
    interval: Interval | None = None
    """Its 95 % interval."""
    n: int = Field(0, ge=0)
    """Rows it rests on."""
    undefined: str = ""
    """Why it is missing."""


class ScoreCard(Noun):
    """What lint found in a set."""

    name: str
    """The dataset, as `<name>-<use>@<fingerprint>`."""
    kind: Kind
    """What its rows are."""
    n: int = Field(ge=0)
    """Rows."""
    n_groups: int = Field(ge=0)
    """Prompt families."""
    findings: Many[Finding] = ()
    """The gravest first."""
    clean: Many[str] = ()
    """Kinds that were looked for and not found."""
    unknown: dict[str, str] = {}
    """Kinds that could not be looked for, and why."""
    figures: Many[Figure] = ()
    """Numbers to know in any case."""
    tokens: str = ""
    """How tokens were counted."""

    def blocking(self, strict: bool = False) -> tuple[Finding, ...]:
        """Return the findings for which the set must not be used; with `strict` the warnings too."""
        grave = {"blocks", "warns"} if strict else {"blocks"}
        return tuple(f for f in self.findings if f.severity in grave and not f.accepted)
