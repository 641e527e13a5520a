"""lm-eval's tasks: their documents as samples, their prompts for a model, and their scores of one answer.

lm-eval's own `evaluate` runs everything in memory and at once; here each document is a sample of the run, so that an
answer is journalled, fails and is asked again by itself. Prompts, filters, scoring and few-shot draws are lm-eval's.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from workbench.adapters.lm_eval_harness.loading import SEEDS, loaded, told
from workbench.datasets import Sample
from workbench.errors import ConfigError, DataError, Problem
from workbench.models import Output
from workbench.records import Message
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import not_applicable
from workbench.scoring.lm_eval import LmEval, TaskSet
from workbench.store.files import write_atomic

ChatTemplate = Callable[..., str]
"""From messages to a prompt."""


def write_samples(tasks: TaskSet, folder: Path) -> Path:
    """Return a JSONL file with a sample for each document, made once for the same tasks. Raises `ConfigError`."""
    path = folder / f"{tasks.fingerprint()}.jsonl"
    if not path.exists():
        lines = [orjson.dumps(sample.model_dump(mode="json")) for sample in LmEvalTasks(tasks, folder).samples()]
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, b"\n".join([*lines, b""]))
    return path


@dataclass(frozen=True)
class Prompts:
    """What a model is asked for one document: one prompt, or one for each choice."""

    task: str
    requests: tuple[Any, ...]
    """lm-eval's instances."""
    repeats: int
    """Answers to each of them."""


class LmEvalTasks:
    """Tasks, loaded. lm-eval's import and its index of tasks take seconds: do it in a thread."""

    def __init__(self, tasks: TaskSet, cache: Path) -> None:
        """`cache` is a folder for the tables that `datasets` makes of data files.

        Raises `MissingExtra`, and `ConfigError` for tasks that there are not, or that need code or the hub in vain.
        """
        self.set = tasks
        self._lock = threading.Lock()
        self._tasks, self._members = loaded(tasks, cache)
        self._docs = {name: task.eval_docs for name, task in self._tasks.items()}
        self._prompts: dict[str, Prompts] | None = None

    def samples(self) -> Iterator[Sample]:
        """Yield a sample for each document: its question without examples, and the right answers."""
        for name, task in self._tasks.items():
            for number, doc in enumerate(self._docs[name]):
                with told(name):
                    asked = (Message(role="user", content=_question(task, doc)),)
                    answers = tuple(dict.fromkeys(answer for answer in _answers(task, doc) if answer.strip()))
                yield Sample(id=f"{name}:{number}", messages=asked, references=answers, tags={"task": name})

    def check(self, scorers: Sequence[LmEval]) -> None:
        """Raise `ConfigError` for metrics that the tasks lack, or that no single sample has."""
        problems = [problem for scorer in scorers for problem in self._problems(scorer)]
        if problems:
            raise ConfigError(problems)

    def prompts(self, template: ChatTemplate | None, system: str | None, sample: Sample) -> Prompts:
        """Return what a model is asked for a sample; built once for all, since lm-eval draws examples in order."""
        with self._lock:
            if self._prompts is None:
                self._prompts = dict(self._built(template, system))
        self._doc(sample)
        return self._prompts[sample.id]

    def output_type(self, name: str) -> str:
        """Return whether a task asks for text or for log-likelihoods."""
        return str(self._tasks[name].OUTPUT_TYPE)

    def kinds(self) -> set[str]:
        """Return the output types of all tasks."""
        return {self.output_type(name) for name in self._tasks}

    def measure(self, scorer: LmEval, sample: Sample, output: Output) -> Score | ScoreFailure:
        """Score one answer by lm-eval's filters and metric."""
        name = sample.id.rpartition(":")[0]
        if name not in self._members.get(scorer.task, {scorer.task}) or name not in self._tasks:
            return not_applicable(f"the sample is none of task {scorer.task}")
        task, doc = self._tasks[name], self._doc(sample)
        try:
            responses = read_responses(output.text, self.output_type(name), task.config.repeats)
        except ValueError as exc:
            return ScoreFailure(kind="unparsable", message=f"the answer holds no responses of lm-eval: {exc}")
        value = _measured(task, doc, responses, scorer)
        if isinstance(value, bool | int | float) or hasattr(value, "item"):
            number = float(value)
            if math.isfinite(number):
                return Score(value=number)
            return ScoreFailure(kind="out_of_range", message=f"{scorer.name} gave {number}")
        return ScoreFailure(kind="scorer_error", message=f"{scorer.name} gave no number: {type(value).__name__}")

    def _doc(self, sample: Sample) -> Any:
        name, _, number = sample.id.rpartition(":")
        doc = self._docs[name][int(number)]
        if _question(self._tasks[name], doc) != sample.question():
            fix = "remove the cached samples (<home>/cache/lm_eval) and start a new run"
            what = "the task's data changed since its samples were made"
            raise DataError(Problem("CHANGED_INPUT", what, field=name, got=sample.id, fix=fix))
        return doc

    def _built(self, template: ChatTemplate | None, system: str | None) -> Iterator[tuple[str, Prompts]]:
        spec = self.set.spec
        for name, task in self._tasks.items():
            task.set_fewshot_seed(seed=SEEDS[2])
            task.build_all_requests(
                system_instruction=system,
                apply_chat_template=template is not None,
                fewshot_as_multiturn=template is not None and spec.fewshot_as_multiturn,
                chat_template=template,
            )
            grouped: dict[int, list[Any]] = {}
            for request in task.instances:
                grouped.setdefault(request.doc_id, []).append(request)
            for number, requests in grouped.items():
                asked = tuple(sorted(requests, key=lambda one: one.idx))
                yield f"{name}:{number}", Prompts(name, asked, task.config.repeats)

    def _problems(self, scorer: LmEval) -> Iterator[Problem]:
        from lm_eval.api.metrics import mean, nanmean

        members = self._members.get(scorer.task, ())
        if not members:
            fix = f"tasks: {', '.join(sorted(self._members))}"
            yield Problem("LM_EVAL_TASK", "no such task is loaded", field="scorers", got=scorer.task, fix=fix)
        for name in sorted(members):
            task = self._tasks[name]
            how = task.aggregation().get(scorer.metric)
            single = sorted(metric for metric, each in task.aggregation().items() if each in (mean, nanmean))
            fix = f"{name} has: {', '.join(single) or 'none'}"
            if how is None:
                what = f"task {name} has no such metric"
                yield Problem("LM_EVAL_METRIC", what, field="scorers", got=scorer.metric, fix=fix)
            elif how not in (mean, nanmean):
                what = f"this metric of task {name} is computed over all samples at once, so that none has a score"
                yield Problem("LM_EVAL_METRIC", what, field="scorers", got=scorer.metric, fix=f"take a mean: {fix}")
            filters = [each.name for each in task._filters]
            if scorer.filter not in filters:
                what = f"task {name} has no such filter"
                fix = f"it has: {', '.join(filters)}"
                yield Problem("LM_EVAL_METRIC", what, field="scorers", got=scorer.filter, fix=fix)
            higher = task.higher_is_better().get(scorer.metric, True)
            if how is not None and higher != (scorer.better == "higher"):
                fix = f"write `better: {'higher' if higher else 'lower'}`"
                what = f"task {name} says otherwise which direction is good"
                yield Problem("LM_EVAL_METRIC", what, field="scorers", got=scorer.better, fix=fix)


# ---------------------------------------------------------------- what a model answered, as text


def write_responses(task_type: str, responses: Sequence[Sequence[Any]], choices: Sequence[str]) -> str:
    """Return the text of an answer: itself, or JSON where there are several, or log-likelihoods.

    `responses` has for each prompt as many answers as the task wants; a log-likelihood is (sum, whether greedy).
    """
    if task_type == "generate_until" and len(responses) == 1 and len(responses[0]) == 1:
        return str(responses[0][0])
    told: dict[str, Any] = {"responses": [list(each) for each in responses]}
    if choices and task_type == "multiple_choice":
        best = max(range(len(choices)), key=lambda at: responses[at][0][0])
        told = {"likeliest": choices[best].strip(), **told}
    return orjson.dumps(told).decode()


def read_responses(text: str, task_type: str, repeats: int) -> list[list[Any]]:
    """Return what `write_responses` was given. Raises `ValueError`."""
    if task_type == "generate_until" and repeats == 1:
        return [[text]]
    found = orjson.loads(text)
    responses = found.get("responses") if isinstance(found, dict) else None
    if not isinstance(responses, list) or not all(isinstance(each, list) and each for each in responses):
        raise ValueError("no list of responses")
    if task_type == "generate_until":
        return responses
    return [[(float(one[0]), bool(one[1])) for one in each] for each in responses]


def _measured(task: Any, doc: Any, responses: Sequence[Sequence[Any]], scorer: LmEval) -> Any:
    from lm_eval.api.instance import Instance

    instances = [
        Instance(request_type=task.OUTPUT_TYPE, doc=doc, arguments=("", ""), idx=at, resps=list(each))
        for at, each in enumerate(responses)
    ]
    chosen = next(each for each in task._filters if each.name == scorer.filter)
    chosen.apply(instances)
    return task.process_results(doc, [one.filtered_resps[scorer.filter] for one in instances])[scorer.metric]


def _question(task: Any, doc: Any) -> str:
    """Return a document's prompt without examples, as people read it."""
    found = task.fewshot_context(doc, num_fewshot=0)
    text = "\n".join(found) if isinstance(found, list) else str(found)
    return text if text.strip() else "(no prompt)"


def _answers(task: Any, doc: Any) -> list[str]:
    target = task.doc_to_target(doc)
    choices = task.doc_to_choice(doc) if task.config.doc_to_choice is not None else []
    each = target if isinstance(target, list) else [target]
    return [str(choices[one]) if isinstance(one, int) and 0 <= one < len(choices) else str(one) for one in each]
