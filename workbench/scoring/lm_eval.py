"""lm-eval's tasks as samples, and its metrics as scorers: what an evalset says of them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from workbench.datasets import Sample
from workbench.models import Output
from workbench.nouns import Many, Noun, fingerprint
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer, Tools
from workbench.scoring.harness import installed

YES_OR_NO = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match")
"""lm-eval's metrics that are 0 or 1 for each sample; what others can be is not known."""


class LmEvalSpec(Noun):
    """Tasks of lm-eval that give an evalset its samples, and how they are put to a model."""

    kind: Literal["lm_eval"]
    tasks: Many[str] = Field(min_length=1)
    """Names of lm-eval's own tasks or groups, and YAML files of tasks in the evalset's folder (`tasks/mine.yaml`)."""
    num_fewshot: int | None = Field(None, ge=0, le=64)
    """Solved examples before each question; `null`: what each task says. A task that says 0 keeps 0."""
    chat_template: bool = False
    """Whether prompts are put as a conversation, in the model's chat template; else as plain text."""
    fewshot_as_multiturn: bool = True
    """Whether the solved examples are turns of that conversation; else all stand in the user's one message."""
    system: str | None = None
    """System prompt, before the task's own description."""
    batch_size: int = Field(1, ge=1, le=1024)
    """Prompts that a local model computes together. Above 1 padding may change the last digits of a log-likelihood."""


NO_IDENTITY = {"batch_size", "tasks"}
"""Settings that change no score, or are part of each task's own pin."""


class TaskSet(Noun):
    """The tasks of an evalset, read and checked: data without code."""

    spec: LmEvalSpec
    """What the evalset says."""
    files: Many[dict[str, Any]] = ()
    """The tasks of its YAML files in lm-eval's words, data files by absolute path."""
    data: dict[str, str] = {}
    """SHA-256 of each data file, by absolute path."""
    names: Many[str] = ()
    """lm-eval's own tasks."""

    def pin(self, task: str) -> str:
        """Return a hash of what decides a task's prompts and scores, besides lm-eval's version and the hub's data."""
        own = next((config for config in self.files if config["task"] == task), task)
        # Where the data lie does not count, what they hold does.
        told = _by_content(own, self.data)
        return fingerprint([told, self.spec.settings(NO_IDENTITY)])[:8]

    def fingerprint(self) -> str:
        """Return a hash of all tasks, their data and lm-eval's version."""
        tasks = [_by_content(config, self.data) for config in self.files]
        told = self.spec.settings(NO_IDENTITY)
        return fingerprint([tasks, list(self.names), told, installed("lm_eval")])

    def recorded(self) -> dict[str, Any]:
        """Return what a run's spec keeps: the settings, chat template and batch size among them, and the version."""
        return {**self.spec.model_dump(mode="json"), "lm_eval": installed("lm_eval")}


def _by_content(value: Any, data: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _by_content(part, data) for key, part in value.items()}
    return data.get(value, value) if isinstance(value, str) else value


class LmEval(Scorer):
    """One metric of one lm-eval task. It applies to that task's samples only."""

    alone: ClassVar[bool] = False

    kind: Literal["lm_eval"]
    task: str = Field(min_length=1)
    """The task, or a group of lm-eval for all of its tasks."""
    metric: str = Field(min_length=1)
    """The metric, by lm-eval's name. It must be a mean over samples: a corpus metric has no score for one sample."""
    filter: str = "none"
    """Which of the task's filters reads the answer, such as `strict-match`."""
    name: str = Field("", max_length=200, pattern=r"^[A-Za-z0-9_.:\-]*$")
    """Name of the metric in tables; left empty it is `lm-eval:TASK:METRIC`, and `:FILTER` where there is one."""
    pinned: str = ""
    """Hash of task, data and settings, part of the version; filled in when the evalset is loaded."""

    @model_validator(mode="after")
    def _named(self) -> LmEval:
        if not self.name:
            tail = "" if self.filter == "none" else f":{self.filter}"
            object.__setattr__(self, "name", f"lm-eval:{self.task}:{self.metric}{tail}")
        return self

    def pinned_to(self, tasks: TaskSet) -> LmEval:
        """Return a copy whose version holds the task's content."""
        return self.model_copy(update={"pinned": tasks.pin(self.task)})

    def info(self) -> ScorerInfo:
        """Return the scorer's description; lm-eval's version and the task's content are part of its version."""
        known = self.metric in YES_OR_NO
        return ScorerInfo(
            name=self.name,
            kind=self.kind,
            version=f"{self.version}+lm-eval-{installed('lm_eval')}+{self.pinned}",
            low=0.0 if known else None,
            high=1.0 if known else None,
            better=self.better,
            binary=known,
        )

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Let lm-eval score one answer."""
        return await tools.measure(self, sample, output)
