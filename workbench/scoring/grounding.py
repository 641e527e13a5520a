"""Groundedness by overlap, and citations: what of an answer stands in the passages. No judge and no meaning: words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from workbench.datasets import Sample
from workbench.models import Output
from workbench.runs import Score, ScoreFailure
from workbench.scoring.abstaining import abstains
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.normalise import words_of
from workbench.scoring.retrieval import retrieved

SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?。！？]+(?=\s|$)|\n|$)?|[.!?]+")
CITED = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
SMALL = frozenset((
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "has", "have", "in", "is", "it", "its",
    "not", "of", "on", "or", "that", "the", "their", "this", "to", "was", "were", "will", "with", "you", "your",
))  # fmt: skip
"""Words that any two texts share."""
NO_PASSAGES = "no passage was retrieved or given"


class OverlapGroundedness(Scorer):
    """Share of the answer's sentences whose words stand in one passage, from 0 to 1; the evidence is what does not.

    It sees words, not meaning: a changed number is found, a turned sense ("not") is not. Look at it beside a judge.
    """

    kind: Literal["overlap_groundedness"]
    least: float = Field(0.6, gt=0, le=1)
    """Share of a sentence's telling words that one passage must hold. Numbers must all be there."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Hold each sentence against each passage; an abstention claims nothing and does not count."""
        passages = retrieved(sample, output)
        if not passages:
            return not_applicable(NO_PASSAGES)
        if abstains(output.text):
            return not_applicable("the answer claims nothing")
        claims = sentences(output.text)
        if not claims:
            return not_applicable("the answer has no words")
        known = [set(words_of(p.text)) for p in passages]
        lacking = [claim for claim in claims if not stands(claim, known, self.least)]
        value = 1 - len(lacking) / len(claims)
        return Score(
            value=value, evidence="\n".join(lacking), reason=f"{len(lacking)} of {len(claims)} do not stand there"
        )


class Citations(Scorer):
    """Share of the answer's sentences with a citation such as [2] to a passage that holds their words, from 0 to 1."""

    version: ClassVar[str] = "1"

    kind: Literal["citations"]
    least: float = Field(0.5, gt=0, le=1)
    """Share of a sentence's telling words that a cited passage must hold."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Hold each sentence against the passages that it cites, counted from 1."""
        passages = retrieved(sample, output)
        if not passages:
            return not_applicable(NO_PASSAGES)
        if abstains(output.text):
            return not_applicable("the answer claims nothing")
        known = [set(words_of(p.text)) for p in passages]
        claims = sentences(output.text)
        if not claims:
            return not_applicable("the answer has no words")
        faults = [fault for claim in claims if (fault := _miscited(claim, known, self.least))]
        return Score(value=1 - len(faults) / len(claims), reason="; ".join(faults[:5]))


def sentences(text: str) -> list[str]:
    """Return the sentences and lines of a text that hold a word; citations that follow a full stop go with it."""
    joined = re.sub(r"([.!?])\s*(\[[\d,\s]{1,40}\])", r" \2\1", text)
    return [s.strip() for s in SENTENCE.findall(joined) if any(c.isalnum() for c in CITED.sub("", s))]


def stands(claim: str, passages: Sequence[set[str]], least: float) -> bool:
    """Return whether one passage holds a claim's numbers, and enough of its telling words."""
    words = telling(claim)
    numbers = {word for word in words if any(c.isdigit() for c in word)}
    return not words or any(numbers <= p and len(words & p) >= least * len(words) for p in passages)


def telling(text: str) -> set[str]:
    """Return a text's words without case and citations, but for those that any two texts share."""
    return set(words_of(CITED.sub(" ", text))) - SMALL


def _miscited(claim: str, passages: Sequence[set[str]], least: float) -> str:
    """Return what is wrong with a sentence's citations; empty when nothing is."""
    cited = [int(n) for group in CITED.findall(claim) for n in group.split(",")]
    short = claim[:60]
    if not cited:
        return f"no citation: {short!r}"
    if unknown := [n for n in cited if not 1 <= n <= len(passages)]:
        return f"[{unknown[0]}] is no passage: {short!r}"
    if not stands(claim, [set.union(*(passages[n - 1] for n in cited))], least):
        return f"{cited} does not hold it: {short!r}"
    return ""
