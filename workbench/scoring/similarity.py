"""Embedding similarity: how near an answer lies to a reference or to its passages."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from workbench.datasets import Sample
from workbench.models import Output
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer, Tools, not_applicable


class EmbeddingSimilarity(Scorer):
    """Highest cosine between the embeddings of the answer and of what it should resemble, from −1 to 1.

    Embeddings see topics: a wrong number or a missing "not" hardly moves them. Small models also read only the first
    part of a long text (256 tokens for all-MiniLM-L6-v2).
    """

    low: ClassVar[float | None] = -1.0

    alone: ClassVar[bool] = False

    kind: Literal["embedding_similarity"]
    model: str = Field("all-MiniLM-L6-v2", min_length=1)
    """Embedding model, by hub id or folder."""
    against: Literal["references", "contexts", "gold_contexts"] = "references"
    """`references` accepted answers · `contexts` the passages the pipeline retrieved, else those of the sample ·
    `gold_contexts` of these, the ones the sample names as holding the answer."""

    def info(self) -> ScorerInfo:
        """Return the scorer's description; the embedding model is part of its version."""
        return super().info().model_copy(update={"version": f"{self.version}+{self.model}"})

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Embed the answer and its targets; an answer without text resembles nothing and scores 0."""
        targets = [t for t in self._targets(sample, output) if t.strip()]
        if not targets:
            return not_applicable(f"the sample has no {self.against.replace('_', ' ')} with text")
        if not output.text.strip():
            return Score(value=0.0, reason="empty answer")
        vectors = await tools.embed(self.model, [output.text, *targets])
        cosines = [cosine(vectors[0], vector) for vector in vectors[1:]]
        if len(cosines) != len(targets) or not all(math.isfinite(c) for c in cosines):
            return ScoreFailure(kind="scorer_error", message=f"{self.model} gave no usable embedding")
        return Score(value=max(cosines))

    def _targets(self, sample: Sample, output: Output) -> tuple[str, ...]:
        """Return the texts that the answer should resemble."""
        if self.against == "references":
            return sample.references
        passages = output.contexts or sample.contexts
        if self.against == "gold_contexts":
            passages = tuple(p for p in (*sample.contexts, *passages) if p.id in sample.gold_contexts)
        return tuple(p.text for p in passages)


def cosine(a: list[float], b: list[float]) -> float:
    """Return the cosine of two vectors, kept within −1 and 1; NaN when one has no direction or the lengths differ."""
    length = math.hypot(*a) * math.hypot(*b)
    if len(a) != len(b) or not math.isfinite(length) or length == 0:
        return math.nan
    return max(-1.0, min(1.0, sum(x * y for x, y in zip(a, b, strict=True)) / length))
