"""Why a retrieval-augmented answer failed: every failure lands in one box, by the first thing that went wrong."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.datasets import Sample
from workbench.models import Output
from workbench.nouns import Many
from workbench.runs import Score, ScoreFailure
from workbench.scoring.abstaining import PHRASES, abstains
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.grounding import telling
from workbench.scoring.normalise import words_of
from workbench.scoring.retrieval import retrieved
from workbench.scoring.text import gold_answers, token_f1

Cause = Literal[
    "right", "should_abstain", "retrieval_missed", "wrongly_abstained", "wrong_format", "context_ignored", "invented"
]
FOUND_IN = 0.5
"""Share of an answer's telling words that the passages hold, from which it was taken from them."""


class RagCause(Scorer):
    """1 if the answer is right, else 0; the label names the cause, the first of these that holds.

    `should_abstain` it answered what the documents do not · `retrieval_missed` no gold passage was retrieved ·
    `wrongly_abstained` it was, and the system said that it does not know · `wrong_format` the answer holds the
    reference, but more or otherwise than asked · `context_ignored` the answer comes from the passages, but not
    the fact that was asked for · `invented` it does not come from them.
    """

    binary: ClassVar[bool] = True

    kind: Literal["rag_cause"]
    right_from: float = Field(0.6, gt=0, le=1)
    """Token F1 with a reference from which an answer is right."""
    tag: str = Field("answerable", min_length=1)
    """The tag that says whether the sample can be answered."""
    unanswerable: Many[str] = ("no", "false", "0")
    """Values of the tag that say it cannot."""
    phrases: Many[str] = PHRASES
    """What a system says that does not know."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Find the cause; without references nobody knows what is right."""
        if not sample.references:
            return not_applicable("the sample has no reference")
        cause, why = self._cause(sample, output)
        return Score(value=float(cause == "right"), label=cause, reason=why)

    def _cause(self, sample: Sample, output: Output) -> tuple[Cause, str]:
        """Return the first cause that holds, and why."""
        silent = abstains(output.text, self.phrases)
        if sample.tags.get(self.tag, "") in self.unanswerable:
            return ("right", "") if silent else ("should_abstain", "it answered what the documents do not")
        best = max(token_f1(output.text, gold) for gold in gold_answers(sample.references))
        if best >= self.right_from:
            return "right", f"token F1 {best:.2f}"
        ids = {p.id for p in retrieved(sample, output)}
        if sample.gold_contexts and not ids & set(sample.gold_contexts):
            return "retrieval_missed", f"none of {', '.join(sample.gold_contexts)[:200]} was retrieved"
        if silent:
            return "wrongly_abstained", "a gold passage was retrieved"
        if any(_holds(output.text, gold) for gold in sample.references):
            return "wrong_format", f"it holds the reference; token F1 {best:.2f}"
        return self._source(sample, output)

    def _source(self, sample: Sample, output: Output) -> tuple[Cause, str]:
        words = telling(output.text)
        known = set().union(*(words_of(p.text) for p in retrieved(sample, output)))
        share = len(words & known) / len(words) if words else 0.0
        cause: Cause = "context_ignored" if share >= FOUND_IN else "invented"
        return cause, f"{share:.0%} of its words stand in the passages"


def _holds(answer: str, reference: str) -> bool:
    """Tell whether an answer holds a reference's words in their order."""
    wanted, words = words_of(reference), words_of(answer)
    places = range(len(words) - len(wanted) + 1)
    return bool(wanted) and any(words[at : at + len(wanted)] == wanted for at in places)
