"""What people and gates did, one line each, never edited: promotions, waivers, begun runs, and every look at a gate."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator

from workbench.nouns import Many, Noun

Outcome = Literal["pass", "fail", "inconclusive"]


class Promotion(Noun):
    """A finished run becomes what later candidates are compared with."""

    kind: Literal["promote"] = "promote"
    evalset: str
    """Name of the evalset."""
    name: str
    """Name of the baseline; a policy asks for it by this name."""
    run: str
    """Id of the run."""
    who: str
    """Who promoted it."""
    at: str
    """When: ISO 8601 time, UTC."""
    why: str = Field(min_length=1)
    """Why, in the person's words."""


class Waiver(Noun):
    """A rule that need not hold until a day."""

    kind: Literal["waive"] = "waive"
    rule: str
    """The rule's id, such as `helpcentre:exact_match.margin`."""
    until: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    """Last day it holds, UTC: YYYY-MM-DD."""
    who: str
    """Who waived it."""
    at: str
    """When: ISO 8601 time, UTC."""
    why: str = Field(min_length=1)
    """Why, in the person's words."""

    @field_validator("until")
    @classmethod
    def _is_a_day(cls, until: str) -> str:
        date.fromisoformat(until)  # its ValueError says which part is out of range
        return until

    def holds_on(self, day: date) -> bool:
        """Return whether it still holds on a day."""
        return day <= date.fromisoformat(self.until)


class Unwaiver(Noun):
    """The end of a waiver before its day."""

    kind: Literal["unwaive"] = "unwaive"
    rule: str
    """The rule's id."""
    who: str
    """Who ended it."""
    at: str
    """When: ISO 8601 time, UTC."""
    why: str = Field(min_length=1)
    """Why, in the person's words."""


class Start(Noun):
    """A run on gate samples began. It is noted before the first answer, so that who removes the run has had a look."""

    kind: Literal["start"] = "start"
    evalset: str
    """Name of the evalset."""
    run: str
    """Id of the run."""
    rows: str
    """Fingerprint of its rows."""
    series: str
    """Fingerprint of the model but for settings that only draw other answers of the same kind, such as the seed."""
    parent: str | None = None
    """Run whose answers it scores anew."""
    at: str
    """When: ISO 8601 time, UTC."""


class Look(Noun):
    """A gate was decided on these runs. The same runs looked at again are the same look.

    They are noted again when the policy, the level or the outcome is no longer what was noted last.
    """

    kind: Literal["look"] = "look"
    evalset: str
    """Name of the evalset."""
    inputs: dict[str, str]
    """Fingerprints that make the candidate: `rows`, `model`, `scorer:NAME` and `judge:NAME` of what has rules."""
    runs: Many[str]
    """Ids of the candidate's runs, oldest first, those that were rescored included."""
    baseline: dict[str, str] = {}
    """The same fingerprints of the baseline; empty without one, and where no rule compares."""
    baseline_runs: Many[str] = ()
    """Ids of the baseline's runs, oldest first."""
    tables: dict[str, str]
    """One hash of the tables of each of these runs, by its id: what was judged then must be what is there now."""
    outcome: Outcome
    """What was decided."""
    policy: str
    """Hash of the policy."""
    alpha: float
    """One-sided level at which it was judged."""
    at: str
    """When: ISO 8601 time, UTC."""


GateRecord = Annotated[Promotion | Waiver | Unwaiver | Start | Look, Field(discriminator="kind")]
"""One line of `<home>/gates/records.jsonl`."""
