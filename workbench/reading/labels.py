"""Read labels: one annotator's answer a row, checked against the question's values and the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError, model_validator

from workbench.errors import Problem
from workbench.nouns import Many, Noun
from workbench.reading.csv_rows import plain_number
from workbench.reading.faults import told
from workbench.reading.rows import rows_in
from workbench.reading.source import open_source
from workbench.records import Label


class Question(Noun):
    """What may be answered: one of some words, or a number on a scale."""

    values: Many[str] = ()
    """Allowed words; empty for a scale."""
    low: float | None = None
    """Lowest number of the scale."""
    high: float | None = None
    """Highest number of the scale."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Question:
        scale = self.low is not None and self.high is not None
        if bool(self.values) == scale:
            raise ValueError("give either `values`, or `low` and `high`")
        return self


class LabelRow(NamedTuple):
    """One row of a label file."""

    line: int
    """1-based."""
    label: Label | None
    """The label; `None` if the row cannot be used."""
    problems: tuple[Problem, ...] = ()
    """What is wrong or, beside a label, unusual. Their gravity is `faults.gravity`."""


def labels_of(
    path: Path, questions: Mapping[str, Question], now: datetime, zone: tzinfo | None = None
) -> Iterator[LabelRow]:
    """Yield the labels of a file, times in UTC. Times without a zone are refused unless `zone` declares theirs."""
    source = open_source(path)
    spelled = source.kind in ("csv", "tsv")
    for row in rows_in(source):
        if isinstance(row.data, Problem):
            yield LabelRow(row.line, None, (row.data,))
            continue
        yield _label(row.data, questions, now, zone, spelled).placed(str(source), row.line)


class _Checked(NamedTuple):
    label: Label | None
    problems: tuple[Problem, ...] = ()
    exc: ValidationError | None = None

    def placed(self, file: str, line: int) -> LabelRow:
        if self.exc is not None:
            return LabelRow(line, None, tuple(told(self.exc, Label, file, line)))
        placed = (Problem(p.code, p.message, file, line, p.field, p.got, p.fix) for p in self.problems)
        return LabelRow(line, self.label, tuple(placed))


def _label(
    row: dict[str, Any], questions: Mapping[str, Question], now: datetime, zone: tzinfo | None, spelled: bool
) -> _Checked:
    """Check one row."""
    at = _time(row["at"], zone) if isinstance(row.get("at"), str) else row.get("at")
    name, value = row.get("question"), row.get("value")
    question = questions.get(name) if isinstance(name, str) else None
    found = [at] if isinstance(at, Problem) else []
    if isinstance(name, str) and question is None:
        fix = f"questions: {', '.join(questions)}"
        found.append(Problem("UNKNOWN_QUESTION", "no such question", field="question", got=repr(name), fix=fix))
    if question is not None and "value" in row:
        value, problem = _value(value, question, spelled)
        found += [problem] if problem else []
    if found:
        return _Checked(None, tuple(found))
    present = {**row, **({"at": at} if "at" in row else {}), **({"value": value} if "value" in row else {})}
    try:
        label = Label.model_validate(present)
    except ValidationError as exc:
        return _Checked(None, exc=exc)
    if label.at > now:
        late = Problem(
            "FUTURE_TIME", "the time lies in the future", field="at", got=str(row["at"]), fix="check the clock"
        )
        return _Checked(label, (late,))
    return _Checked(label)


def _value(value: Any, question: Question, spelled: bool) -> tuple[Any, Problem | None]:
    """Return an answer as the question wants it, or what is wrong with it."""
    if question.values:
        if isinstance(value, str) and value in question.values:
            return value, None
        fix = f"one of: {', '.join(question.values)}"
        return value, Problem(
            "LABEL_VALUE", "the label is not one of the question's", field="value", got=repr(value), fix=fix
        )
    if isinstance(value, str):
        number = plain_number(value) if spelled else None
        if number is None:
            fix = "write a plain number"
            return value, Problem("NUMBER_FORMAT", "this is no plain number", field="value", got=repr(value), fix=fix)
        value = number
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value, Problem(
            "FIELD_TYPE", "a score must be a number", field="value", got=repr(value), fix="write a number"
        )
    assert question.low is not None and question.high is not None  # the noun promises it
    if not question.low <= value <= question.high:
        what = f"the score is outside the scale {question.low:g} to {question.high:g}"
        return value, Problem("LABEL_SCALE", what, field="value", got=repr(value), fix="mend the score or the scale")
    return value, None


def _time(text: str, zone: tzinfo | None) -> datetime | Problem:
    """Return a time in UTC, or what is wrong with it."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        fix = "write 2026-01-31T12:00:00Z"
        return Problem("TIME_FORMAT", "this is no ISO 8601 time", field="at", got=repr(text), fix=fix)
    if time.tzinfo is not None:
        return time.astimezone(UTC)
    if zone is None:
        return Problem("TIME_NAIVE", "the time has no zone", field="at", got=repr(text), fix="add Z or an offset")
    early, late = (time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        what = "the clocks were changed at this time, so it means two moments or none"
        return Problem("TIME_AMBIGUOUS", what, field="at", got=repr(text), fix="add an offset")
    return early.astimezone(UTC)
