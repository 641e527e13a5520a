"""The metrics of ragas as a scorer: its prompts and arithmetic, our judge, cache, limits and failures."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from workbench.datasets import Sample
from workbench.models import Output
from workbench.nouns import Many
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.harness import installed

RagasMetric = Literal[
    "faithfulness",
    "answer_relevancy",
    "context_precision",
    "context_recall",
    "noise_sensitivity",
    "factual_correctness",
    "semantic_similarity",
    "rubrics",
]

NEEDS: dict[RagasMetric, tuple[str, ...]] = {
    "faithfulness": ("user_input", "response", "retrieved_contexts"),
    "answer_relevancy": ("user_input", "response"),
    "context_precision": ("user_input", "reference", "retrieved_contexts"),
    "context_recall": ("user_input", "reference", "retrieved_contexts"),
    "noise_sensitivity": ("user_input", "response", "reference", "retrieved_contexts"),
    "factual_correctness": ("response", "reference"),
    "semantic_similarity": ("response", "reference"),
    "rubrics": ("user_input", "response"),
}
"""What each metric reads, in ragas' own words."""
STEPS = 5
"""Steps of the `rubrics` metric."""
EMBEDS: tuple[RagasMetric, ...] = ("answer_relevancy", "semantic_similarity")

SETTINGS: dict[str, tuple[RagasMetric, ...]] = {
    "of": ("factual_correctness",),
    "beta": ("factual_correctness",),
    "passages": ("noise_sensitivity",),
    "questions": ("answer_relevancy",),
    "rubrics": ("rubrics",),
    "model": EMBEDS,
}
"""The metrics that know a setting."""


class Ragas(Scorer):
    """One metric of ragas (`ragas.metrics.collections`) on an answer, its passages and its reference.

    Every call of the metric goes to the judge of workbench.yaml. What ragas would make NaN is a failure.
    """

    alone: ClassVar[bool] = False

    kind: Literal["ragas"]
    metric: RagasMetric
    """The metric, by ragas' name."""
    judge: str = ""
    """Name of the judging model in workbench.yaml; every metric but `semantic_similarity` needs one."""
    model: str = Field("all-MiniLM-L6-v2", min_length=1)
    """Embedding model of `answer_relevancy` and `semantic_similarity`, by hub id or folder."""
    of: Literal["f1", "precision", "recall"] = "f1"
    """What `factual_correctness` computes of the claims."""
    beta: float = Field(1.0, gt=0)
    """Weight of recall in the F of `factual_correctness`."""
    passages: Literal["relevant", "irrelevant"] = "relevant"
    """Whose noise `noise_sensitivity` looks at."""
    questions: int = Field(3, ge=1, le=20)
    """Questions that `answer_relevancy` makes up from the answer."""
    rubrics: Many[str] = ()
    """What each step of `rubrics` means, from 1 to 5; empty: ragas' own words, which need no reference."""

    @model_validator(mode="after")
    def _fits_the_metric(self) -> Ragas:
        if (self.metric == "semantic_similarity") == bool(self.judge):
            need = "asks no judge; leave `judge` out" if self.judge else "needs a `judge`: a model of workbench.yaml"
            raise ValueError(f"{self.metric} {need}")
        for name, metrics in SETTINGS.items():
            if self.metric not in metrics and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"`{name}` is no setting of {self.metric} but of {', '.join(metrics)}; leave it out")
        if self.rubrics and len(self.rubrics) != STEPS:
            raise ValueError(f"`rubrics` must describe the steps 1 to {STEPS}; it describes {len(self.rubrics)}")
        return self

    def info(self) -> ScorerInfo:
        """Return the scorer's description: ragas' version, and the embedding model, are part of its own.

        Raises `MissingExtra` without ragas.
        """
        low, high = (1.0, 5.0) if self.metric == "rubrics" else (-1.0 if self.metric in EMBEDS else 0.0, 1.0)
        model = f"+{self.model}" if self.metric in EMBEDS else ""
        return ScorerInfo(
            name=self.name or f"ragas_{self.metric}",
            kind=self.kind,
            version=f"{self.version}+ragas-{installed('ragas')}{model}",
            low=low,
            high=high,
            # It is the only one that counts what should not be there.
            better="lower" if self.metric == "noise_sensitivity" else self.better,
        )

    def judges(self) -> tuple[str, ...]:
        """Return the judge's name; nothing where only embeddings are compared."""
        return (self.judge,) if self.judge else ()

    def inputs(self, sample: Sample, output: Output) -> dict[str, str | list[str]]:
        """Return what ragas is given, under its names; the first reference where there are several."""
        given: dict[str, str | list[str]] = {
            "user_input": sample.question(),
            "response": output.text,
            "reference": sample.references[0] if sample.references else "",
            "retrieved_contexts": [passage.text for passage in output.contexts or sample.contexts],
        }
        if self.metric == "rubrics":
            return {name: value for name, value in given.items() if value}
        return {name: given[name] for name in NEEDS[self.metric]}

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Let ragas measure what has all that the metric reads."""
        if not output.text.strip() and "response" in NEEDS[self.metric]:
            return ScoreFailure(kind="scorer_error", message=f"ragas gives an empty answer no {self.metric}")
        given = self.inputs(sample, output)
        lacking = [name for name in NEEDS[self.metric] if not given.get(name)]
        if lacking:
            return not_applicable(f"{self.metric} needs {', '.join(lacking)}, which the sample lacks")
        return await tools.measure(self, sample, output)
