"""A scorecard: not the one step that a judge names, but what it expects over all steps (G-Eval, arXiv 2303.16634)."""

from __future__ import annotations

from math import exp, fsum
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from workbench.datasets import Sample
from workbench.errors import ConfigError, Problem
from workbench.models import Output, Usage
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer, Tools
from workbench.scoring.harness import total
from workbench.scoring.judge import RubricJudge, WithRubric, bounds, hollow_score, rubric_info
from workbench.scoring.rubrics import OrdinalScale, Rubric

LEAST_MASS = 0.5
"""Probability that the steps of the scale must have together, or the log-probabilities are not of a verdict."""


class ScorecardJudge(WithRubric):
    """A model grades on an ordinal scale, and the score is the mean over the steps by their probabilities: from the
    server's log-probabilities where it gives them, else from several samples of its verdict.
    """

    version: ClassVar[str] = "1"

    kind: Literal["scorecard_judge"]
    judge: str = Field(min_length=1)
    """Name of the judging model in workbench.yaml."""
    probabilities: bool = True
    """Whether log-probabilities are asked for. A server that refuses or leaves them out is sampled."""
    samples: int = Field(5, ge=1, le=50)
    """Verdicts that are drawn where there are no probabilities; give the judge a temperature, or all are equal."""

    def resolve(self, folder: Path) -> Scorer:
        """Return a copy that holds the rubric's text. Raises `ConfigError`, also for a rubric of pass and fail."""
        resolved = self.model_copy(update=self.loaded(folder))
        if resolved.the_rubric().scale == "binary":
            fix = "write scale: {ordinal: {min: 1, max: 5}} into its front matter, or use a rubric_judge"
            what = "a scorecard is the mean over the steps of an ordinal scale, and this rubric is binary"
            raise ConfigError(Problem("RUBRIC_SCALE", what, field="rubric", got=self.rubric, fix=fix))
        return resolved

    def info(self) -> ScorerInfo:
        """Return name, range of the rubric's scale, and a version made of rule, template and rubric."""
        return rubric_info(self, self.the_rubric()).model_copy(update={"binary": False})

    def judges(self) -> tuple[str, ...]:
        """Return the judge's name."""
        return (self.judge,)

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Ask once for probabilities, else draw."""
        rubric = self.the_rubric()
        settled = self.lacks(sample) or hollow_score(rubric, sample, output)
        if settled is not None:
            return settled
        judge = self._judge()
        plain = judge.request(sample, output)
        usages: list[Usage] = []
        drawn: list[Score] = []
        failed: ScoreFailure | None = None
        if self.probabilities:
            reply = await tools.ask(self.judge, plain.model_copy(update={"levels": True}))
            usages.append(reply.usage)
            one = judge.read(reply, output)
            if isinstance(one, Score) and isinstance(reply, Output):
                if (expected := expected_step(reply.levels, rubric, one.value)) is not None:
                    reason = f"expected over the steps' probabilities; the verdict is {one.label}: {one.reason}"
                    return Score(value=expected, label=one.label, reason=reason, evidence=one.evidence, usage=one.usage)
                drawn.append(one)
            elif getattr(reply, "kind", "") != "rejected":
                return one
        for repeat in range(len(drawn), self.samples):
            reply = await tools.ask(self.judge, plain.model_copy(update={"repeat": repeat}))
            usages.append(reply.usage)
            one = judge.read(reply, output)
            if isinstance(one, Score):
                drawn.append(one)
            else:
                failed = failed or one
        return self._mean(drawn, failed, total(usages))

    def _judge(self) -> RubricJudge:
        return RubricJudge(
            kind="rubric_judge",
            rubric=self.rubric,
            judge=self.judge,
            include_contexts=self.include_contexts,
            include_reference=self.include_reference,
            content=self.content,
        )

    def _mean(self, drawn: list[Score], failed: ScoreFailure | None, usage: Usage) -> Score | ScoreFailure:
        """Return the mean of the verdicts drawn; where fewer than half can be read, the first failure."""
        if failed is not None and 2 * len(drawn) <= self.samples:
            message = f"{len(drawn)} of {self.samples} verdicts can be read; the first that cannot: {failed.message}"
            return failed.model_copy(update={"message": message, "usage": usage})
        steps = ", ".join(str(one.label) for one in drawn)
        reason = f"mean of {len(drawn)} verdicts of {self.samples}: {steps}; {drawn[0].reason}"
        value = fsum(one.value for one in drawn) / len(drawn)
        return Score(value=value, label=drawn[0].label, reason=reason, evidence=drawn[0].evidence, usage=usage)


def expected_step(levels: dict[str, float], rubric: Rubric, verdict: float) -> float | None:
    """Return Σ p·step over the scale's steps, their probabilities made to sum to 1.

    `None` where the log-probabilities are not those of the verdict: it is not among them, or the scale's steps have
    less than half of the mass.
    """
    assert isinstance(rubric.scale, OrdinalScale)
    low, high = bounds(rubric.scale)
    mass = {int(word): exp(value) for word, value in levels.items() if low <= int(word) <= high}
    whole = fsum(mass.values())
    if int(verdict) not in mass or whole < LEAST_MASS:
        return None
    return min(high, max(low, fsum(step * p for step, p in mass.items()) / whole))
