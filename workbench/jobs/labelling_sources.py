"""Where tasks come from: a file of records, an evalset, or what a run answered and its scorers found wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from workbench.config.evalset_yaml import Evalset
from workbench.datasets import Sample, Use
from workbench.errors import DataError, Problem
from workbench.labelling.tasks import Suggestion, Task, faults
from workbench.labelling.templates import Form
from workbench.labelling.wire import fits
from workbench.reading.faults import gravity, told
from workbench.reading.rows import rows_of
from workbench.store.home import Home, RunFolder


def tasks_from_file(path: Path) -> list[Task]:
    """Return the records of a JSONL or Parquet file. Raises `DataError` with every fault; half a file is not pushed."""
    tasks: dict[str, tuple[int, Task]] = {}
    problems: list[Problem] = []
    for row in rows_of(path):
        if isinstance(row.data, Problem):
            problems += [row.data] if gravity(row.data) != "note" else []
            continue
        try:
            task = Task.model_validate(row.data)
        except ValidationError as exc:
            problems += told(exc, Task, str(path), row.line)
            continue
        if (before := tasks.setdefault(task.id, (row.line, task))) and before[1] != task:
            what = f"the id stands twice with different content; first on line {before[0]}"
            problems.append(Problem("DUPLICATE_ID", what, str(path), row.line, "id", task.id, "give each its own id"))
    if problems:
        raise DataError(problems)
    return [task for _, task in tasks.values()]


def tasks_from_evalset(evalset: Evalset, use: Use, home: Home) -> list[Task]:
    """Return the samples of one side of an evalset, without answers."""
    rows = (sample for batch in evalset.rows(use, home).iter_samples() for _, sample in batch)
    return [_from_sample(sample, f"evalset:{evalset.name}-{use}") for sample in rows]


def tasks_from_run(folder: RunFolder, *, failed: bool, scorer: str | None) -> list[Task]:
    """Return what a finished run answered; with `failed`, only where a scorer of 0 and 1 gave 0.

    `scorer` names the one whose verdict and reason are shown and, where it is pass or fail, suggested; left out, it is
    the first that gives a reason. Answers that are missing are left out. Raises `DataError` where nothing is left.
    """
    import pyarrow.parquet as pq

    scores: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in pq.read_table(folder.scores, use_threads=False).to_pylist():
        scores.setdefault((row["sample_id"], row["repeat"]), []).append(row)
    tasks = []
    for row in pq.read_table(folder.samples, use_threads=False).to_pylist():
        mine = scores.get((row["sample_id"], row["repeat"]), [])
        if row["output"] is None or row["failure"] or (failed and not any(score["value"] == 0 for score in mine)):
            continue
        tasks.append(_from_answer(row, _judged(mine, scorer), folder.id))
    if not tasks:
        what = "no answer of this run failed a scorer" if failed else "this run has no answers"
        raise DataError(Problem("NO_RECORDS", what, str(folder.path), fix="see workbench eval show"))
    return tasks


def refuse_unfit(tasks: Sequence[Task], form: Form, source: str) -> None:
    """Raise `DataError` with every task that cannot be shown, and every suggestion that answers nothing."""
    problems = [replace(problem, file=source) for task in tasks for problem in faults(task, form)]
    for task in tasks:
        for at, suggestion in enumerate(task.suggestions):
            if wrong := fits(suggestion, form):
                fix = "mend the suggestion, or push with --no-suggestions"
                problems.append(Problem("LABEL_VALUE", wrong, source, None, f"suggestions[{at}]", task.id, fix))
    if problems:
        raise DataError(problems)


def _from_sample(sample: Sample, origin: str) -> Task:
    return Task(
        id=sample.id,
        messages=sample.messages,
        contexts=sample.contexts,
        reference=next(iter(sample.references), None),
        origin=origin,
        group=sample.family(),
        tags=sample.tags,
    )


def _from_answer(row: dict[str, Any], judged: dict[str, Any] | None, run: str) -> Task:
    """Return an answer of a run as a task, with what its judge said."""
    shown = {} if judged is None else dict(_verdict(judged))
    return Task.model_validate(
        {
            "id": row["sample_id"] if row["repeat"] == 0 else f"{row['sample_id']}#{row['repeat']}",
            "messages": orjson.loads(row["messages"]),
            "outputs": [row["output"]],
            "contexts": orjson.loads(row["contexts"] or "[]") or orjson.loads(row["given_contexts"] or "[]"),
            "reference": next(iter(row["references"] or []), None),
            "origin": f"run:{run}",
            "group": row["family"],
            "tags": dict(row["tags"]),
            "shown": shown,
            "suggestions": list(_suggested(judged)),
        }
    )


def _judged(scores: list[dict[str, Any]], scorer: str | None) -> dict[str, Any] | None:
    """Return the score to show: the named one, or the first with a reason."""
    fitting = [s for s in scores if (s["scorer"] == scorer if scorer else s["reason"]) and s["value"] is not None]
    return next(iter(fitting), None)


def _verdict(score: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "judge_verdict", f"{score['label'] or format(score['value'], 'g')}   ({score['scorer']})"
    if score["reason"]:
        yield "judge_reason", score["reason"]


def _suggested(score: dict[str, Any] | None) -> Iterator[Suggestion]:
    if score is not None and score["label"] in ("pass", "fail"):
        # Argilla takes no "+" in an agent's name, which versions have.
        agent = f"{score['scorer']}:{score['version']}".replace("+", "-")[:200]
        yield Suggestion(question="verdict", value=score["label"], agent=agent)
