"""A checklist: narrow questions of pass and fail, each put to the judge by itself."""

from __future__ import annotations

import hashlib
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from workbench.datasets import Sample
from workbench.models import Output
from workbench.nouns import Many, Noun
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.harness import total
from workbench.scoring.hollow import why_hollow
from workbench.scoring.judge import RubricJudge
from workbench.scoring.rubrics import Rubric


class CheckQuestion(Noun):
    """One thing to look for."""

    name: str = Field(min_length=1, max_length=80)
    """What the score's label calls it where it does not hold."""
    passes_when: str = Field(min_length=1)
    """When the answer passes, as the judge is told: "the answer names the plan"."""


class ChecklistJudge(Scorer):
    """A model answers several narrow questions about one answer, each in a call of its own, so that no verdict leans on
    another. By default an answer passes when every question passes.
    """

    version: ClassVar[str] = "1"
    alone: ClassVar[bool] = False

    kind: Literal["checklist_judge"]
    judge: str = Field(min_length=1)
    """Name of the judging model in workbench.yaml."""
    questions: Many[CheckQuestion] = Field(min_length=1, max_length=20)
    """What is looked for; a question costs a call an answer."""
    need: Literal["all", "share"] = "all"
    """`all`: 1 if every question passes, else 0. `share`: the share that does."""
    include_contexts: bool = True
    """Whether the judge sees the passages."""
    include_reference: bool | Literal["required"] = True
    """Whether the judge sees the references; `required`: a sample without one is not applicable."""

    @model_validator(mode="after")
    def _names_differ(self) -> ChecklistJudge:
        names = [question.name for question in self.questions]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"two questions are called {twice!r}")
        if self.better != "higher":
            raise ValueError("a question passes when the answer is good; word it so, and leave `better` out")
        return self

    def info(self) -> ScorerInfo:
        """Return the scorer's description; the questions and the judge's prompt are part of the version."""
        asked = "\0".join(question.passes_when for question in self.questions)
        digest = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        version = f"{self.version}+{RubricJudge.version}+{digest}"
        return super().info().model_copy(update={"version": version, "binary": self.need == "all"})

    def judges(self) -> tuple[str, ...]:
        """Return the judge's name."""
        return (self.judge,)

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Put every question; the first that has no verdict is what becomes of the score."""
        if self.include_reference == "required" and not any(r.strip() for r in sample.references):
            return not_applicable("the judge compares with a reference, which the sample lacks")
        if hollow := why_hollow(output.text, sample.references):
            return Score(value=0.0, label="hollow", reason=f"{hollow}; no judge was called")
        found = [await self._asking(question).score(sample, output, tools) for question in self.questions]
        usage = total(one.usage for one in found if one.usage is not None)
        told, failing, evidence = [], [], ""
        for question, one in zip(self.questions, found, strict=True):
            if isinstance(one, ScoreFailure):
                return one.model_copy(update={"message": f"{question.name}: {one.message}", "usage": usage})
            told.append(f"{question.name}: {one.label}, {one.reason}")
            if not one.value:
                failing.append(question.name)
                evidence = evidence or one.evidence
        share = 1 - len(failing) / len(found)
        value = share if self.need == "share" else float(not failing)
        return Score(
            value=value, label=", ".join(failing) or "pass", reason="\n".join(told), evidence=evidence, usage=usage
        )

    def _asking(self, question: CheckQuestion) -> RubricJudge:
        rubric = Rubric(name="check", version="1", scale="binary", body=f"Pass when {question.passes_when}")
        return RubricJudge(
            kind="rubric_judge",
            rubric=question.name,
            judge=self.judge,
            include_contexts=self.include_contexts,
            include_reference=bool(self.include_reference),
            content=rubric,
        )
