"""A panel: several models judge one answer by one rubric, and the majority, or the middle one, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median_low
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from workbench.datasets import Sample
from workbench.models import Output
from workbench.nouns import Many
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Tools
from workbench.scoring.harness import total
from workbench.scoring.judge import RubricJudge, WithRubric, hollow_score, label, rubric_info


class PanelJudge(WithRubric):
    """Several judges, best of different families, grade by one rubric. Of pass and fail the majority counts, of an
    ordinal scale the (lower) median. A draw, and too few verdicts, are failures and counted.
    """

    version: ClassVar[str] = "1"

    kind: Literal["panel_judge"]
    panel: Many[str] = Field(min_length=2, max_length=9)
    """Names of the judging models in workbench.yaml; an odd number knows fewer draws."""
    quorum: int | None = Field(None, ge=1)
    """Verdicts that there must be; `null`: more than half of the panel."""
    draw: Literal["failure", "worst"] = "failure"
    """What a draw of pass and fail becomes: a failure of kind `judge_failed`, or a fail."""

    @model_validator(mode="after")
    def _fits(self) -> PanelJudge:
        if len(set(self.panel)) < len(self.panel):
            raise ValueError("a judge sits twice on the panel")
        if self.quorum is not None and self.quorum > len(self.panel):
            raise ValueError(f"a quorum of {self.quorum} cannot be had of {len(self.panel)} judges")
        return self

    def info(self) -> ScorerInfo:
        """Return name, range of the rubric's scale, and a version made of rule and rubric."""
        return rubric_info(self, self.the_rubric())

    def judges(self) -> tuple[str, ...]:
        """Return the judges' names."""
        return tuple(self.panel)

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Ask every judge, and count."""
        settled = self.lacks(sample) or hollow_score(self.the_rubric(), sample, output)
        if settled is not None:
            return settled
        found = [await self._member(name).score(sample, output, tools) for name in self.panel]
        return self._counted(found)

    def _member(self, name: str) -> RubricJudge:
        return RubricJudge(
            kind="rubric_judge",
            name=self.name,
            rubric=self.rubric,
            judge=name,
            include_contexts=self.include_contexts,
            include_reference=self.include_reference,
            content=self.content,
        )

    def _counted(self, found: Sequence[Score | ScoreFailure]) -> Score | ScoreFailure:
        told = "; ".join(f"{name}: {_said(one)}" for name, one in zip(self.panel, found, strict=True))
        usage = total(one.usage for one in found if one.usage is not None)
        scores = [one for one in found if isinstance(one, Score)]
        quorum = self.quorum or len(self.panel) // 2 + 1
        if len(scores) < quorum:
            message = f"{len(scores)} of {len(self.panel)} judges gave a verdict, {quorum} must: {told}"
            return ScoreFailure(kind="judge_failed", message=message, usage=usage)
        value = self._vote([one.value for one in scores])
        if value is None:
            return ScoreFailure(kind="judge_failed", message=f"the panel is divided: {told}", usage=usage)
        evidence = next((one.evidence for one in scores if one.value == value), "")
        scale = self.the_rubric().scale
        return Score(value=value, label=label(value, scale), reason=told, evidence=evidence, usage=usage)

    def _vote(self, values: Sequence[float]) -> float | None:
        """Return what the panel says; `None` for a draw that is a failure."""
        if self.the_rubric().scale != "binary":
            return float(median_low(values))
        votes = Counter(values)
        if votes[1.0] == votes[0.0]:
            return 0.0 if self.draw == "worst" else None
        return 1.0 if votes[1.0] > votes[0.0] else 0.0


def _said(one: Score | ScoreFailure) -> str:
    return str(one.label or one.value) if isinstance(one, Score) else f"no verdict ({one.kind})"
