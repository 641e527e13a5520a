"""Scorers that compare text: exact match, token F1, contains, regex, length."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from workbench.datasets import Sample
from workbench.models import Output
from workbench.nouns import Many
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.normalise import Normalisation, casefold, normalise, squad
from workbench.scoring.patterns import Pattern, compiled, encodable

NO_REFERENCES = "the sample has no reference"


class ExactMatch(Scorer):
    """1 if the answer equals a reference after normalisation, else 0."""

    binary: ClassVar[bool] = True

    kind: Literal["exact_match"]
    normalise: Normalisation = "squad"
    """What does not count when two answers are compared."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Compare with every reference. An empty reference is the right answer to an unanswerable question."""
        if not sample.references:
            return not_applicable(NO_REFERENCES)
        accepted = gold_answers(sample.references) if self.normalise == "squad" else sample.references
        answer = normalise(output.text, self.normalise)
        return passed(any(answer == normalise(reference, self.normalise) for reference in accepted))


class TokenF1(Scorer):
    """F1 of the words shared with the best reference, by the rules of SQuAD's evaluate-v2.0."""

    kind: Literal["token_f1"]

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Return the highest F1 over the references."""
        if not sample.references:
            return not_applicable(NO_REFERENCES)
        return Score(value=max(token_f1(output.text, gold) for gold in gold_answers(sample.references)))


class Contains(Scorer):
    """1 if the answer contains the given strings, else 0."""

    binary: ClassVar[bool] = True

    kind: Literal["contains"]
    strings: Many[Annotated[str, Field(min_length=1)]] = ()
    """What to look for; left empty: the sample's references."""
    need: Literal["any", "all"] = "any"
    """Whether one of them is enough."""
    ignore_case: bool = True
    """Whether case, width and spacing do not count."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Look for each string; the reason names those that are missing."""
        wanted = self.strings or tuple(r for r in sample.references if r.strip())
        if not wanted:
            return not_applicable("no strings are given and the sample has no reference with text")
        missing = [w for w in wanted if not holds(output.text, w, self.ignore_case)]
        ok = not missing if self.need == "all" else len(missing) < len(wanted)
        return passed(ok, "" if ok else "missing: " + "; ".join(repr(w[:80]) for w in missing[:10]))


class Regex(Scorer):
    """1 if the answer matches a regular expression as expected, else 0."""

    binary: ClassVar[bool] = True

    kind: Literal["regex"]
    pattern: Pattern
    """Expression in RE2's syntax: no look-around, no back-references, and no run-away time."""
    expect: Literal["match", "no_match"] = "match"
    """Which outcome is good."""
    where: Literal["search", "fullmatch"] = "search"
    """`search` anywhere in the answer, `fullmatch` the whole answer."""
    ignore_case: bool = False
    """Whether case does not count."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Match; the reason quotes what was found."""
        expression = compiled(self.pattern, self.ignore_case)
        text = encodable(output.text)
        found = expression.search(text) if self.where == "search" else expression.fullmatch(text)
        reason = f"found {found.group(0)[:80]!r}" if found else "no match"
        return passed((found is not None) == (self.expect == "match"), reason)


class Length(Scorer):
    """1 if the answer's length lies within limits, both included, else 0."""

    binary: ClassVar[bool] = True

    kind: Literal["length"]
    unit: Literal["characters", "words"] = "characters"
    """What is counted; words are what spaces divide."""
    min: int = Field(0, ge=0)
    """Shortest length that passes."""
    max: int | None = Field(None, ge=0)
    """Longest length that passes; `null`: no limit."""

    @model_validator(mode="after")
    def _limits(self) -> Length:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}")
        if self.max is None and self.min == 0:
            raise ValueError("give min, max or both")
        return self

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Count."""
        n = len(output.text) if self.unit == "characters" else len(output.text.split())
        return passed(self.min <= n and (self.max is None or n <= self.max), f"{n} {self.unit}")


def token_f1(answer: str, gold: str) -> float:
    """Return SQuAD's F1 of two answers, from 0 to 1; if either has no word left, 1 when both have none, else 0."""
    ours, theirs = squad(answer).split(), squad(gold).split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs))


def gold_answers(references: tuple[str, ...]) -> tuple[str, ...]:
    """Return the references that SQuAD's script compares with: those with a word left, else the empty answer."""
    return tuple(r for r in references if squad(r)) or ("",)


def holds(text: str, wanted: str, ignore_case: bool) -> bool:
    """Return whether a text contains a string."""
    return casefold(wanted) in casefold(text) if ignore_case else wanted in text


def passed(ok: bool, reason: str = "") -> Score:
    """Return the score of a binary scorer."""
    return Score(value=float(ok), label="pass" if ok else "fail", reason=reason)
