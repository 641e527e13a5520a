"""Whether a system says that it does not know when it should, and only then."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.datasets import Sample
from workbench.models import Output
from workbench.nouns import Many
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.normalise import casefold

PHRASES = (
    "not in the documents",
    "not in the context",
    "not in the passages",
    "no answer",
    "unanswerable",
    "cannot be answered",
    "can't be answered",
    "does not say",
    "do not contain",
    "does not contain",
    "not mentioned",
    "i don't know",
    "i do not know",
)
"""What a system says that does not know."""
LONGEST = 300
"""Characters beyond which an answer that holds a phrase is still an answer."""


class Abstention(Scorer):
    """1 if the system answered an answerable question, or abstained from one that is not; else 0.

    The label tells the four cases apart: `answered`, `abstained` (rightly), `missed` (it should have abstained),
    `wrong` (it abstained though the answer was there). Whether the answer is right is another scorer's question.
    """

    binary: ClassVar[bool] = True

    kind: Literal["abstention"]
    tag: str = Field("answerable", min_length=1)
    """The tag that says whether the sample can be answered."""
    unanswerable: Many[str] = ("no", "false", "0")
    """Values of the tag that say it cannot."""
    phrases: Many[str] = PHRASES
    """What a system says that does not know; an empty answer abstains too."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Compare what was done with what the tag says."""
        if self.tag not in sample.tags:
            return not_applicable(f"the sample has no tag '{self.tag}'")
        should = sample.tags[self.tag] in self.unanswerable
        did = abstains(output.text, self.phrases)
        label = {(True, True): "abstained", (True, False): "missed", (False, True): "wrong"}.get(
            (should, did), "answered"
        )
        return Score(value=float(should == did), label=label)


def abstains(answer: str, phrases: tuple[str, ...] = PHRASES) -> bool:
    """Tell whether an answer says that it does not know: empty, or short and holding one of the phrases."""
    text = casefold(answer)
    return not text or (len(text) <= LONGEST and any(casefold(phrase) in text for phrase in phrases))
