"""Scorers of shared n-grams: ROUGE, BLEU, chrF. They reward wording, not truth: look at them beside a judge."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version as installed
from typing import Any, ClassVar, Literal

from pydantic import Field

from workbench.datasets import Sample
from workbench.models import Output
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.patterns import encodable

NO_TEXT = "the sample has no reference with text"


class Rouge(Scorer):
    """ROUGE F-measure against the best reference, as the `rouge_score` package computes it, from 0 to 1."""

    kind: Literal["rouge"]
    type: Literal["rouge1", "rouge2", "rougeL"] = "rougeL"
    """Single words, pairs of words, or the longest common subsequence."""
    stemmer: bool = False
    """Whether English word endings are cut off by Porter's stemmer."""

    def info(self) -> ScorerInfo:
        """Return the scorer's description; the package's version is part of its own."""
        return super().info().model_copy(update={"version": f"{self.version}+rouge_score {installed('rouge-score')}"})

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Return the highest F-measure. The package knows only the letters a–z and digits: others are spaces to it."""
        scorer = _rouge(self.type, self.stemmer)
        golds = [r for r in sample.references if any(c.isascii() and c.isalnum() for c in r)]
        if not golds:
            return not_applicable("no reference has a letter a–z or a digit, which is all that ROUGE reads")
        return Score(value=max(float(scorer.score(gold, output.text)[self.type].fmeasure) for gold in golds))


class Bleu(Scorer):
    """Sentence BLEU by sacrebleu, over all references at once, with effective order, from 0 to 100."""

    high: ClassVar[float | None] = 100.0

    kind: Literal["bleu"]
    tokenize: Literal["13a", "intl", "zh", "char", "none"] = "13a"
    """sacrebleu's tokenizer."""
    lowercase: bool = False
    """Whether case does not count."""
    smooth: Literal["exp", "floor", "add-k", "none"] = "exp"
    """How n-grams without a match are smoothed."""

    def info(self) -> ScorerInfo:
        """Return the scorer's description with sacrebleu's version in its own; a score's reason has the signature."""
        return super().info().model_copy(update={"version": f"{self.version}+sacrebleu {installed('sacrebleu')}"})

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Return sentence BLEU; its reason is sacrebleu's signature."""
        metric = _bleu(self.tokenize, self.lowercase, self.smooth)
        return _sacrebleu(metric, sample, output)


class Chrf(Scorer):
    """Sentence chrF by sacrebleu, against the best reference, from 0 to 100; `word_order: 2` is chrF++."""

    high: ClassVar[float | None] = 100.0

    kind: Literal["chrf"]
    char_order: int = Field(6, ge=1, le=10)
    """Longest n-gram of characters."""
    word_order: int = Field(0, ge=0, le=4)
    """Longest n-gram of words."""
    lowercase: bool = False
    """Whether case does not count."""

    def info(self) -> ScorerInfo:
        """Return the scorer's description with sacrebleu's version in its own; a score's reason has the signature."""
        return super().info().model_copy(update={"version": f"{self.version}+sacrebleu {installed('sacrebleu')}"})

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Return sentence chrF; its reason is sacrebleu's signature."""
        metric = _chrf(self.char_order, self.word_order, self.lowercase)
        return _sacrebleu(metric, sample, output)


def _sacrebleu(metric: Any, sample: Sample, output: Output) -> Score | ScoreFailure:
    """Score one sentence; rounding may carry sacrebleu a hair beyond 100."""
    golds = [encodable(r) for r in sample.references if r.strip()]
    if not golds:
        return not_applicable(NO_TEXT)
    value = float(metric.sentence_score(encodable(output.text), golds).score)
    return Score(value=min(100.0, max(0.0, value)), reason=str(metric.get_signature()))


@lru_cache(maxsize=16)
def _rouge(type: str, stemmer: bool) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([type], use_stemmer=stemmer)


@lru_cache(maxsize=16)
def _bleu(tokenize: str, lowercase: bool, smooth: str) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize=tokenize, lowercase=lowercase, smooth_method=smooth, effective_order=True)


@lru_cache(maxsize=16)
def _chrf(char_order: int, word_order: int, lowercase: bool) -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(char_order=char_order, word_order=word_order, lowercase=lowercase)
