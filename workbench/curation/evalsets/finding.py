"""What an audit of an evalset finds: one finding a check, each with n, examples and what to do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.nouns import Many, Noun

Check = Literal[
    "redundancy", "ambiguity", "leakage", "sides", "slices", "corpus", "answerability", "saturation", "never passed",
    "separation", "power",
]  # fmt: skip
State = Literal["good", "look", "unknown"]
EXAMPLES = 10
"""Examples that a finding holds; all are counted."""


class Example(Noun):
    """Something to look at."""

    id: str
    """A sample, a passage, a slice or a metric."""
    text: str
    """What is the matter with it."""


class Finding(Noun):
    """What one check says."""

    check: Check
    """Which check."""
    state: State
    """`good`: nothing found. `look`: somebody should look. `unknown`: what is needed to tell is not there."""
    n: int = Field(ge=0)
    """How many are concerned."""
    of: int = Field(ge=0)
    """Of how many that were looked at."""
    told: str
    """What was found, in a sentence."""
    do: str = ""
    """What to do."""
    examples: Many[Example] = ()
    """Some of those concerned."""


class Audit(Noun):
    """What an evalset can and cannot tell."""

    evalset: str
    """Its name."""
    sides: dict[str, int]
    """Samples on each side of the firewall."""
    fingerprints: dict[str, str]
    """Of each side's samples."""
    findings: Many[Finding]
    """One a check."""


def finding(check: Check, of: int, concerned: list[Example], told: str, do: str) -> Finding:
    """Return what a check says that could look: good where nobody is concerned."""
    state: State = "look" if concerned else "good"
    return Finding(check=check, state=state, n=len(concerned), of=of, told=told, do=do if concerned else "",
                   examples=tuple(concerned[:EXAMPLES]))  # fmt: skip


def unknown(check: Check, told: str, do: str) -> Finding:
    """Return what a check says that lacks what it needs."""
    return Finding(check=check, state="unknown", n=0, of=0, told=told, do=do)
