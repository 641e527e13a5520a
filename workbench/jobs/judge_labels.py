"""Labelled answers to train a judge on: of a run, or of a file of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError

from workbench.calibration.trained import QUESTION, use_of
from workbench.config.workbench_yaml import Workbench
from workbench.curation.leaks import Guarded
from workbench.datasets import Sample
from workbench.errors import ConfigError, DataError, Problem
from workbench.evaluation.run import read_run
from workbench.jobs.firewall import guard
from workbench.jobs.human_verdicts import human_verdicts
from workbench.jobs.judged_metrics import scorer_of
from workbench.jobs.run_answers import run_answers
from workbench.models import Output
from workbench.nouns import Many, Noun, fingerprint
from workbench.reading.faults import told
from workbench.reading.rows import rows_of
from workbench.records import Message, Passage
from workbench.scoring.judge import RubricJudge, judged_data


class LabelledRow(Noun):
    """A row of a file of labelled answers."""

    id: str = Field(min_length=1)
    """Unique name."""
    group: str = ""
    """Its prompt family; left empty, it is made from the question."""
    question: str = Field(min_length=1)
    """What was asked."""
    answer: str = Field(min_length=1)
    """What was answered."""
    passes: bool
    """What people say of it."""
    passages: Many[str] = ()
    """Passages that it should rest on."""
    reference: str = ""
    """A right answer."""


@dataclass(frozen=True)
class LabelledAnswer:
    """An answer that people passed or failed, and what a judge would see of it."""

    id: str
    sample: Sample
    output: Output
    seen: str
    """Question, passages, reference and answer, under headings."""
    human: bool

    @property
    def group(self) -> str:
        """Its prompt family."""
        return self.sample.family()


@dataclass(frozen=True)
class JudgeLabels:
    """All labelled answers of one source."""

    source: str
    """What it is, with a hash of the labels."""
    answers: tuple[LabelledAnswer, ...]
    scorer: RubricJudge | None
    """The rubric judge of a run."""

    def of(self, use: str) -> list[LabelledAnswer]:
        """Return those that are for `learn`, `check` or `test`."""
        return [answer for answer in self.answers if use_of(answer.group) == use]


def judge_labels(bench: Workbench, source: str, metric: str) -> JudgeLabels:
    """Return the labelled answers of a run, by its judge `metric`, or of a file of rows (`.jsonl`, `.csv`, `.parquet`).

    Raises `DataError` where there are none, `LeakageError` where they are of a gate set, and `ConfigError` for a
    metric that no rubric judge of pass and fail gives.
    """
    path = Path(source)
    found = _of_file(path) if path.suffix in (".jsonl", ".csv", ".parquet") else _of_run(bench, source, metric)
    if not found.answers:
        fix = "label some: workbench label next, push and pull; or name a file of rows with `passes`"
        raise DataError(Problem("TOO_FEW_LABELS", "nothing of it is labelled", field="labels", got=source, fix=fix))
    texts = (Guarded(a.id, a.group, a.sample.question()) for a in found.answers if use_of(a.group) != "test")
    guard(texts, bench, what=f"the labels of {found.source}")
    return found


def _of_run(bench: Workbench, run_id: str, metric: str) -> JudgeLabels:
    folder = bench.home.run(run_id)
    scorer = scorer_of(read_run(folder), metric)
    if not isinstance(scorer, RubricJudge) or not scorer.info().binary:
        fix = "name a metric of a rubric_judge with a binary scale"
        raise ConfigError(Problem("NOT_BINARY", "only a rubric judge of pass and fail is trained", got=metric, fix=fix))
    human = human_verdicts(bench)
    found = [
        LabelledAnswer(f"{folder.id}/{a.id}", a.sample, a.output, scorer.seen(a.sample, a.output), said)
        for a in run_answers(folder)
        if a.output.text.strip() and (said := human.passed.get((a.id, (a.output.text,)))) is not None
    ]
    return JudgeLabels(f"run {folder.id}, labels {human.fingerprint()[:12]}", tuple(found), scorer)


def _of_file(path: Path) -> JudgeLabels:
    rows: list[LabelledRow] = []
    problems: list[Problem] = []
    for row in rows_of(path):
        if isinstance(row.data, Problem):
            problems.append(row.data)
            continue
        try:
            rows.append(LabelledRow.model_validate(row.data))
        except ValidationError as exc:
            problems += told(exc, LabelledRow, str(path), row.line)
    if problems:
        raise DataError(problems)
    digest = fingerprint([row.model_dump(mode="json") for row in rows])[:12]
    return JudgeLabels(f"{path.name}, rows {digest}", tuple(map(_labelled, rows)), None)


def _labelled(row: LabelledRow) -> LabelledAnswer:
    passages = tuple(Passage(id=str(i), text=text) for i, text in enumerate(row.passages, 1))
    sample = Sample(
        id=row.id,
        group=row.group,
        messages=(Message(role="user", content=row.question),),
        references=(row.reference,) if row.reference else (),
        contexts=passages,
    )
    seen = judged_data(sample, row.answer, passages, include_reference=True)
    return LabelledAnswer(row.id, sample, Output(text=row.answer), seen, row.passes)


def both_kinds(answers: Sequence[LabelledAnswer], what: str, least: int) -> None:
    """Raise `DataError` unless there are `least` answers that people pass, and as many that they fail."""
    passed = sum(answer.human for answer in answers)
    if min(passed, len(answers) - passed) < least:
        told_of = f"{what} has {passed} answers that people pass and {len(answers) - passed} that they fail"
        raise DataError(Problem("TOO_FEW_LABELS", told_of, field="labels", got=QUESTION, fix=f"label {least} of each"))
