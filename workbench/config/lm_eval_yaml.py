"""YAML tasks of lm-eval inside an evalset's folder: only data, strictly.

lm-eval runs what a YAML task names: `!function`, `class`, Python files behind `include`, metrics and datasets from the
hub. Here a task is a noun that has no place for any of it, and what it says reaches lm-eval as plain data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from workbench.config.yaml_source import load_yaml
from workbench.errors import ConfigError, Problem
from workbench.nouns import Many, Noun
from workbench.reading.paths import outside
from workbench.scoring.lm_eval import LmEvalSpec, TaskSet
from workbench.store.files import sha256_of

Plain = str | int | float | bool


class DataFiles(Noun):
    """Where a task's data lie."""

    data_files: str | dict[str, str]
    """A file inside the evalset's folder, which is the split `train`, or one for each split, by name."""


class TaskMetric(Noun):
    """A metric that lm-eval computes itself, and its settings."""

    metric: Literal[
        "acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match", "f1", "mcc", "bleu", "chrf", "ter",
        "brier_score", "perplexity",
    ]  # fmt: skip
    """Its name. lm-eval takes any other from the hub, as code."""
    aggregation: Literal["mean", "median", "nanmean", "perplexity", "f1", "matthews_corrcoef", "bleu", "chrf", "ter",
                         "brier_score"] | None = None  # fmt: skip
    """How samples are summed up."""
    higher_is_better: bool | None = None
    """Which direction is good."""
    ignore_case: bool = False
    """`exact_match`: whether case counts."""
    ignore_punctuation: bool = False
    """`exact_match`: whether punctuation counts."""
    ignore_numbers: bool = False
    """`exact_match`: whether digits count."""
    regexes_to_ignore: Many[str] = ()
    """`exact_match`: what is cut out of both sides first."""


class FilterStep(Noun):
    """One step that reads an answer."""

    function: Literal["take_first", "take_first_k", "majority_vote", "regex", "multi_choice_regex",
                      "remove_whitespace", "lowercase", "uppercase", "map"]  # fmt: skip
    """lm-eval's name of the step."""
    regex_pattern: str | None = None
    """`regex`: what is looked for."""
    group_select: int | None = None
    """`regex`: which of several matches counts; -1 is the last."""
    fallback: str | None = None
    """`regex`: what stands for an answer without a match."""
    ignore_case: bool | None = None
    """`multi_choice_regex`: whether case counts."""
    ignore_punctuation: bool | None = None
    """`multi_choice_regex`: whether punctuation counts."""
    k: int | None = Field(None, ge=1)
    """`take_first_k`: how many."""
    mapping_dict: dict[str, str] | None = None
    """`map`: what stands for what."""
    default_value: str | None = None
    """`map`: what stands for everything else."""


class TaskFilter(Noun):
    """A named way of reading an answer."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.\-]+$")
    """Its name; a scorer's `filter`."""
    filter: Many[FilterStep] = Field(min_length=1)
    """Its steps."""


class Generation(Noun):
    """How an answer is generated."""

    until: str | Many[str] = ()
    """Texts at which it ends."""
    do_sample: bool = False
    """Whether it is drawn."""
    temperature: float | None = Field(None, ge=0, le=2)
    """How freely."""
    top_p: float | None = Field(None, gt=0, le=1)
    """Nucleus."""
    top_k: int | None = Field(None, ge=1)
    """Most likely tokens to draw from."""
    max_gen_toks: int | None = Field(None, ge=1)
    """Longest answer in tokens; lm-eval's default is 256."""


class FewShot(Noun):
    """Where solved examples come from."""

    sampler: Literal["default", "first_n"] = "default"
    """Drawn by lm-eval's seed, or the first ones."""
    samples: Many[dict[str, Plain]] = ()
    """The examples themselves, in place of a split."""


class TaskFile(Noun):
    """One YAML task. Texts are field names or Jinja templates, which are rendered in a sandbox."""

    task: str = Field(pattern=r"^[A-Za-z0-9_.\-]+$", max_length=80)
    """Its name, unlike any of lm-eval's own."""
    task_alias: str | None = None
    """Its name for people."""
    tag: str | Many[str] | None = None
    """Kept for lm-eval's own command; not used."""
    dataset_path: Literal["json", "csv", "parquet"]
    """The form of the data files. A dataset of the hub is no local data: take one of lm-eval's own tasks by name."""
    dataset_kwargs: DataFiles
    """Where the data lie."""
    output_type: Literal["generate_until", "multiple_choice", "loglikelihood"]
    """What is asked of the model."""
    training_split: str | None = None
    """Split that solved examples come from."""
    validation_split: str | None = None
    """Split that is asked where there is no test split."""
    test_split: str | None = None
    """Split that is asked."""
    fewshot_split: str | None = None
    """Split that solved examples come from, in place of the training split."""
    description: str = ""
    """What stands before everything."""
    doc_to_text: str
    """The question."""
    doc_to_target: str | int | Many[str]
    """The answer: a text, or the number of the right choice from 0."""
    doc_to_choice: str | Many[str] | None = None
    """The choices."""
    target_delimiter: str | None = None
    """What stands between question and answer; a blank."""
    fewshot_delimiter: str | None = None
    """What stands between examples; an empty line."""
    gen_prefix: str | None = None
    """What the answer begins with."""
    num_fewshot: int | None = Field(None, ge=0, le=64)
    """Solved examples."""
    fewshot_config: FewShot | None = None
    """Where they come from."""
    generation_kwargs: Generation | None = None
    """How an answer is generated."""
    repeats: int = Field(1, ge=1, le=64)
    """Answers to one question that the filters see together."""
    filter_list: Many[TaskFilter] | None = None
    """Ways of reading an answer."""
    metric_list: Many[TaskMetric] | None = None
    """Metrics; left out, lm-eval's usual ones."""
    metadata: dict[str, Plain] = {}
    """`version` and notes."""

    @model_validator(mode="after")
    def _asks_something(self) -> TaskFile:
        if self.test_split is None and self.validation_split is None:
            raise ValueError("a task must name a test_split or a validation_split")
        return self


def read_tasks(spec: LmEvalSpec, folder: Path) -> TaskSet:
    """Read the tasks that an evalset names. Raises `ConfigError` with the faults of all files."""
    files: list[dict[str, Any]] = []
    data: dict[str, str] = {}
    problems: list[Problem] = []
    for at, name in enumerate(spec.tasks):
        if not name.endswith((".yaml", ".yml")):
            continue
        if why := outside(folder, name):
            fix = "name a file inside the evalset's folder"
            problems.append(Problem("PATH_OUTSIDE", why, field=f"harness.tasks[{at}]", got=name, fix=fix))
            continue
        try:
            task = load_yaml(folder / name, TaskFile, {}, lambda one: _data_problems(one, folder))
        except ConfigError as exc:
            problems += exc.problems
            continue
        files.append(_in_its_words(task, folder, data))
    if problems:
        raise ConfigError(problems)
    return TaskSet(spec=spec, files=tuple(files), data=data, names=tuple(n for n in spec.tasks if not _is_file(n)))


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _files_of(task: TaskFile) -> dict[str, str]:
    named = task.dataset_kwargs.data_files
    return {"train": named} if isinstance(named, str) else named


def _data_problems(task: TaskFile, folder: Path) -> list[Problem]:
    """Return what is wrong with the data files that a task names."""
    found = []
    for name in _files_of(task).values():
        field = "dataset_kwargs.data_files"
        if why := outside(folder, name):
            fix = "name a file inside the evalset's folder, relative to it"
            found.append(Problem("PATH_OUTSIDE", why, field=field, got=name, fix=fix))
        elif not (folder / name).is_file():
            found.append(Problem("FILE_MISSING", "no such file", field=field, got=name, fix="check the path"))
    return found


def _in_its_words(task: TaskFile, folder: Path, data: dict[str, str]) -> dict[str, Any]:
    """Return a task as lm-eval takes it; the hashes of its data files go into `data`."""
    config: dict[str, Any] = task.model_dump(mode="json", exclude_unset=True, exclude={"tag"})
    paths = {split: str((folder / name).resolve()) for split, name in _files_of(task).items()}
    data |= {path: sha256_of(Path(path)) for path in paths.values()}
    return {**config, "dataset_kwargs": {"data_files": paths}}
