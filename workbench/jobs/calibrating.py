"""A judge measured on labelled answers of finished runs, and what that makes of a run's pass rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workbench.calibration.book import calibrations, current
from workbench.calibration.calibrated import Calibrated, Subject, calibrate
from workbench.calibration.correcting import Corrected, corrected
from workbench.calibration.judged import Judged
from workbench.config.workbench_yaml import Workbench
from workbench.curation.leaks import Guarded
from workbench.errors import ConfigError, DataError, Problem
from workbench.evaluation.arms import Finished, sample_scores
from workbench.evaluation.run import read_run
from workbench.gate.correcting import Holding
from workbench.gate.policy import Policy
from workbench.jobs.acting import who
from workbench.jobs.firewall import guard
from workbench.jobs.human_verdicts import VERDICT, HumanVerdicts, human_verdicts, known
from workbench.jobs.labelling_sources import tasks_from_run
from workbench.labelling.next import Candidate, lot_sample
from workbench.labelling.tasks import Task
from workbench.runs import EvalRun, ScorerInfo
from workbench.store.home import RunFolder


@dataclass(frozen=True)
class Asked:
    """How a judge is to be calibrated."""

    metric: str
    """The judged metric."""
    open_test: bool = False
    """Whether the test part is measured, which uses it up for later versions of the judge."""
    every: bool = False
    """Whether labelled answers count that were picked for what they are, and are no fair sample."""
    seed: int = 0
    """Seed of the lot, as `label next` had it."""


def calibrate_judge(bench: Workbench, run_ids: Sequence[str], asked: Asked) -> Calibrated:
    """Return how a judge does against people on the answers of runs, and write an opening of the test part down.

    The same judge on the same labels is not measured twice: the book's own record comes back.
    Raises `DataError` where labels are too few, `LeakageError` where they are of a gate set, `ConfigError` for a metric
    that no judge gives, or runs that were judged differently.
    """
    folders = [bench.home.run(run_id) for run_id in run_ids]
    subject, rows = judged_answers(bench, run_ids, asked)
    if not rows:
        what = "no answer of these runs has a human verdict" if asked.every else "the lot has no labels yet"
        fix = "push one: workbench label next --run RUN --mix random=1 -o next.jsonl; workbench label push; pull"
        raise DataError(Problem("TOO_FEW_LABELS", what, field="labels", got=asked.metric, fix=fix))
    guard(_texts(folders, {row.id for row in rows}), bench, what=f"the labels that calibrate '{asked.metric}'")
    book = calibrations(bench.home.root)
    earlier = book.records()
    if asked.open_test:
        same = [c for c in earlier if c.subject == subject and c.test is not None]
        if same:
            return same[-1]
    found = calibrate(rows, subject, earlier, open_test=asked.open_test, who=who(), at=_now())
    if asked.open_test:
        book.add(found)
    return found


def judged_answers(bench: Workbench, run_ids: Sequence[str], asked: Asked) -> tuple[Subject, list[Judged]]:
    """Return which judge it is, and the answers of runs of which both it and people said something, or only people.

    Whoever shows them heeds `part_of`: of the test part nobody looks at an answer before it is opened. Raises as
    `calibrate_judge` does for a metric that no judge gives, or runs that were judged differently.
    """
    folders = [bench.home.run(run_id) for run_id in run_ids]
    runs = [read_run(folder) for folder in folders]
    human = human_verdicts(bench)
    rows = [row for run, folder in zip(runs, folders, strict=True) for row in _judged(run, folder, human, asked)]
    return _subject(runs, human, asked.metric), rows


def corrected_metric(bench: Workbench, folder: RunFolder, metric: str) -> tuple[Corrected | None, str]:
    """Return a judged metric's pass rate corrected for the judge's error, or `None` and why there is none."""
    run = read_run(folder)
    info = _info(run, metric)
    found, why = current(calibrations(bench.home.root), metric, _inputs(run, metric))
    if found is None:
        return None, why
    scores = sample_scores([Finished(run, folder)], metric).values()
    there = [(s.mean, s.family) for s in scores if s.mean is not None]
    if not there:
        return None, "nothing was judged"
    passes = [mean if info.better == "higher" else 1 - mean for mean, _ in there]
    return corrected(metric, passes, [family for _, family in there], found), ""


def calibrations_for(bench: Workbench, policy: Policy, run: EvalRun) -> dict[str, Holding]:
    """Return what is known of the judges of those metrics that a policy wants corrected."""
    book = calibrations(bench.home.root)
    wanted = [name for name, rule in policy.metrics.items() if rule.corrected and _given(run, name)]
    return {name: Holding(*current(book, name, _inputs(run, name))) for name in wanted}


def judged_metrics(run: EvalRun) -> list[str]:
    """Return the binary metrics of a run that a judge gives."""
    pairs = zip(run.scorers, run.spec.scorers, strict=True)
    return [info.name for info, spec in pairs if info.binary and spec.get("judge")]


def _subject(runs: Sequence[EvalRun], human: HumanVerdicts, metric: str) -> Subject:
    inputs = [_inputs(run, metric) for run in runs]
    for run, other in zip(runs, inputs, strict=True):
        if other != inputs[0]:
            fix = "score them by one judge first: workbench eval rescore"
            what = f"'{metric}' was judged otherwise than in {runs[0].id}"
            raise ConfigError(Problem("OTHER_JUDGE", what, got=run.id, fix=fix))
    return Subject(
        metric=metric,
        judge=_judge_of(runs[0], metric),
        inputs=inputs[0],
        labels=human.fingerprint(),
        question=VERDICT,
        guideline=human.guideline,
    )


def _judged(run: EvalRun, folder: RunFolder, human: HumanVerdicts, asked: Asked) -> Iterator[Judged]:
    """Yield the answers of a run that people labelled; by default only those of the lot, which are a fair sample."""
    info = _info(run, asked.metric)
    verdicts = _verdicts(folder, info)
    tasks = {task.id: task for task in tasks_from_run(folder, failed=False, scorer=None) if task.id in verdicts}
    lot: Sequence[str] = tuple(tasks)
    if not asked.every:
        candidates = [_candidate(task, human) for task in tasks.values()]
        lot = lot_sample(candidates, seed=asked.seed)
    for id in lot:
        task = tasks[id]
        if known(task) in human.passed:
            yield Judged(
                id=f"{run.id}/{id}",
                group=task.group,
                human=human.passed[known(task)],
                judge=verdicts[id],
                length=len(task.outputs[0]),
                model=_served(run.spec.model) or run.spec.model_name,
                tags=task.tags,
            )


def _candidate(task: Task, human: HumanVerdicts) -> Candidate:
    return Candidate(record_id=task.id, group=task.group, labelled=known(task) in human.passed)


def _verdicts(folder: RunFolder, info: ScorerInfo) -> dict[str, bool | None]:
    """Return the judge's verdict on each answer that it was asked of, by the record id that labelling gives it."""
    import pyarrow.parquet as pq

    columns = ["sample_id", "repeat", "scorer", "value", "failure"]
    good = 1 if info.better == "higher" else 0
    found: dict[str, bool | None] = {}
    for row in pq.read_table(folder.scores, columns=columns, use_threads=False).to_pylist():
        if row["scorer"] == info.name and row["failure"] not in ("not_applicable", "no_output"):
            id = row["sample_id"] if row["repeat"] == 0 else f"{row['sample_id']}#{row['repeat']}"
            found[id] = None if row["value"] is None else row["value"] == good
    return found


def _texts(folders: Sequence[RunFolder], wanted: set[str]) -> Iterator[Guarded]:
    """Yield the prompts of the labelled answers, as the firewall looks at them."""
    for folder in folders:
        for task in tasks_from_run(folder, failed=False, scorer=None):
            if f"{folder.id}/{task.id}" in wanted and task.messages:
                yield Guarded(task.id, task.group, task.messages[-1].content)


def _inputs(run: EvalRun, metric: str) -> dict[str, str]:
    """Return the fingerprints of rubric and judging model of a judged metric."""
    judge, prints = _judge_of(run, metric), run.spec.fingerprints
    return {"scorer": prints[f"scorer:{metric}"], "judge": prints[f"judge:{judge}"]}


def _judge_of(run: EvalRun, metric: str) -> str:
    """Return the judging model's name. Raises `ConfigError` unless a judge gives the metric as pass or fail."""
    info = _info(run, metric)
    spec = run.spec.scorers[run.scorers.index(info)]
    if not spec.get("judge"):
        fix = f"calibrate one of: {', '.join(judged_metrics(run)) or 'none, this run has no judge'}"
        raise ConfigError(Problem("NOT_JUDGED", "no judge gives this metric", field="judge", got=metric, fix=fix))
    if not info.binary:
        fix = "a judge is calibrated on pass and fail; use a rubric with a binary scale"
        raise ConfigError(Problem("NOT_BINARY", "this metric is not binary", field="judge", got=metric, fix=fix))
    return str(spec["judge"])


def _info(run: EvalRun, metric: str) -> ScorerInfo:
    found = next((info for info in run.scorers if info.name == metric), None)
    if found is None:
        known_names = ", ".join(info.name for info in run.scorers)
        what = "the run has no such metric"
        raise ConfigError(Problem("UNKNOWN_METRIC", what, field="judge", got=metric, fix=f"it has: {known_names}"))
    return found


def _given(run: EvalRun, metric: str) -> bool:
    return any(info.name == metric for info in run.scorers)


def _served(model: dict[str, Any]) -> str:
    return str(model.get("model") or "")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
