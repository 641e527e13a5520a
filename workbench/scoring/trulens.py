"""The RAG triad of TruLens as a scorer: its prompts and arithmetic, our judge, cache, limits and failures."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.datasets import Sample
from workbench.models import Output
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.harness import installed


class TruLens(Scorer):
    """One feedback function of TruLens, with its reasons, on an answer and its passages, from 0 to 1.

    Every call goes to the judge of workbench.yaml. What TruLens would make −1, or leave out of a mean, is a failure.
    """

    alone: ClassVar[bool] = False

    kind: Literal["trulens"]
    feedback: Literal["groundedness", "context_relevance", "answer_relevance"]
    """The feedback function."""
    judge: str = Field(min_length=1)
    """Name of the judging model in workbench.yaml."""

    def info(self) -> ScorerInfo:
        """Return the scorer's description: TruLens' version is part of its own. Raises `MissingExtra` without it."""
        version = f"{self.version}+trulens-{installed('trulens-feedback')}"
        return super().info().model_copy(update={"name": self.name or f"trulens_{self.feedback}", "version": version})

    def judges(self) -> tuple[str, ...]:
        """Return the judge's name."""
        return (self.judge,)

    def passages(self, sample: Sample, output: Output) -> list[str]:
        """Return the texts of the passages: the pipeline's, else the sample's."""
        return [passage.text for passage in output.contexts or sample.contexts]

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Let TruLens judge what has all that the feedback function reads."""
        if not output.text.strip() and self.feedback != "context_relevance":
            return ScoreFailure(kind="scorer_error", message=f"TruLens gives an empty answer no {self.feedback}")
        if self.feedback != "answer_relevance" and not self.passages(sample, output):
            return not_applicable(f"{self.feedback} needs passages, which neither answer nor sample has")
        return await tools.measure(self, sample, output)
