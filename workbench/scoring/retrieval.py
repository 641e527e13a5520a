"""Scorers of what was retrieved, apart from what was made of it: recall, precision, rank, redundancy."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import ClassVar, Literal

from pydantic import Field

from workbench.datasets import Sample
from workbench.models import Output
from workbench.records import Passage
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.normalise import words_of

NO_GOLD = "the sample names no gold passage"
SAME = 0.8
"""Share of the smaller passage's words that another holds, from which it says nothing new."""


class Retrieval(Scorer):
    """How well the retrieved passages hold the gold ones, from 0 to 1.

    `recall` share of gold passages among the first k · `precision` share of the first k that are gold · `hit` 1 if any
    is · `mrr` 1 / rank of the first gold one · `ndcg` discounted gain of gold ones over the best possible
    (Järvelin and Kekäläinen 2002, gains 0 and 1). A gold passage counts once, at its first rank.
    """

    kind: Literal["retrieval"]
    measure: Literal["recall", "precision", "hit", "mrr", "ndcg"] = "recall"
    """What is measured."""
    k: int = Field(5, ge=1, le=1000)
    """Passages that count, from the top."""
    match: Literal["passage", "document"] = "passage"
    """Whether a passage's whole id counts, or only what stands before its last `#`: its document."""

    def info(self) -> ScorerInfo:
        """Return the scorer's description; without a name of its own it is called by measure and k."""
        named = super().info()
        name = self.name or f"{self.measure}_at_{self.k}"
        return named.model_copy(update={"name": name, "binary": self.measure == "hit"})

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Look for the gold passages among those that were retrieved, else those that the sample gives."""
        if not sample.gold_contexts:
            return not_applicable(NO_GOLD)
        gold = {self._key(id) for id in sample.gold_contexts}
        found = [self._key(p.id) for p in retrieved(sample, output)][: self.k]
        ranks = first_ranks(found, gold)
        missing = sorted(gold - set(ranks))
        reason = "" if found else "nothing was retrieved"
        reason = reason or (f"missing: {', '.join(missing)[:300]}" if missing else "")
        return Score(value=_measured(self.measure, ranks, len(gold), len(found)), reason=reason)

    def _key(self, id: str) -> str:
        return id.rpartition("#")[0] or id if self.match == "document" else id


class Redundancy(Scorer):
    """Share of the retrieved passages whose words an earlier one nearly all holds, from 0 to 1; lower is better."""

    better: Literal["higher", "lower"] = "lower"
    kind: Literal["redundancy"]
    same: float = Field(SAME, gt=0, le=1)
    """Share of a passage's words in an earlier one from which it is redundant."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Compare each passage with those before it."""
        passages = [set(words_of(p.text)) for p in retrieved(sample, output)]
        if len(passages) < 2:
            return not_applicable("fewer than two passages were retrieved")
        repeats = [
            n for n, words in enumerate(passages) if words and any(_held(words, b) >= self.same for b in passages[:n])
        ]
        reason = f"passages {', '.join(str(n + 1) for n in repeats)} repeat earlier ones" if repeats else ""
        return Score(value=len(repeats) / len(passages), reason=reason)


class ContextRelevance(Scorer):
    """Mean cosine between the question and each retrieved passage, by embeddings, from −1 to 1. No judge is asked."""

    low: ClassVar[float | None] = -1.0
    alone: ClassVar[bool] = False

    kind: Literal["context_relevance"]
    model: str = Field("all-MiniLM-L6-v2", min_length=1)
    """Embedding model, by hub id or folder."""

    def info(self) -> ScorerInfo:
        """Return the scorer's description; the embedding model is part of its version."""
        return super().info().model_copy(update={"version": f"{self.version}+{self.model}"})

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Embed question and passages."""
        from workbench.scoring.similarity import cosine

        texts = [p.text for p in retrieved(sample, output) if p.text.strip()]
        if not texts:
            return not_applicable("no passage with text was retrieved")
        question, *vectors = await tools.embed(self.model, [question_alone(sample), *texts])
        cosines = [cosine(question, vector) for vector in vectors]
        if any(c != c for c in cosines):
            return ScoreFailure(kind="scorer_error", message=f"{self.model} gave no usable embedding")
        return Score(value=sum(cosines) / len(cosines), reason=", ".join(f"{c:.2f}" for c in cosines[:20]))


def retrieved(sample: Sample, output: Output) -> tuple[Passage, ...]:
    """Return the passages the pipeline retrieved, else those of the sample."""
    return output.contexts or sample.contexts


def question_alone(sample: Sample) -> str:
    """Return the question without the passages that some prompts carry before it: what follows `Question:`, if any."""
    text = sample.question()
    return text.rpartition("Question:")[2].strip() or text


def first_ranks(found: Sequence[str], gold: set[str]) -> dict[str, int]:
    """Return the first rank, from 1, of each gold id that was found."""
    ranks: dict[str, int] = {}
    for rank, id in enumerate(found, 1):
        if id in gold:
            ranks.setdefault(id, rank)
    return ranks


def _measured(measure: str, ranks: dict[str, int], n_gold: int, n_found: int) -> float:
    match measure:
        case "recall":
            return len(ranks) / n_gold
        case "precision":
            return len(ranks) / n_found if n_found else 0.0
        case "hit":
            return float(bool(ranks))
        case "mrr":
            return 1 / min(ranks.values()) if ranks else 0.0
        case _:
            ideal = sum(1 / log2(rank + 1) for rank in range(1, n_gold + 1))
            return sum(1 / log2(rank + 1) for rank in ranks.values()) / ideal


def _held(words: set[str], other: set[str]) -> float:
    return len(words & other) / min(len(words), len(other)) if other else 0.0
