"""A judge's calibration: measured on the test part of adjudicated labels, once, and void when anything changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from workbench.calibration.biases import Bias, biases
from workbench.calibration.judged import Judged, Part, part_of
from workbench.calibration.measuring import Grade, Trust, by_slice, measure
from workbench.errors import DataError, Problem
from workbench.nouns import Many, Noun, fingerprint

LEAST_LABELS = 10
"""Answers of each human verdict that the test part must have: with fewer no rate is worth the opening."""


class Subject(Noun):
    """Which judge is measured, against which labels."""

    metric: str
    """The judged metric."""
    judge: str
    """The judging model's name in workbench.yaml."""
    inputs: dict[str, str]
    """Fingerprints of what can change a verdict: `scorer` (rubric, prompt) and `judge` (model, sampling)."""
    labels: str
    """Fingerprint of the pulled labels, or hash of a file of verdicts."""
    question: str
    """The question that people answered."""
    guideline: str
    """Version of the guideline under which they did."""
    pass_from: float | None = None
    """From which value the judge passes an answer, where the metric is not 0 or 1; up to which, if less is better."""


class Calibrated(Noun):
    """What is known of a judge. Without the test part opened it corrects nothing."""

    kind: Literal["calibrated"] = "calibrated"
    subject: Subject
    """Which judge, which labels."""
    parts: dict[Part, int]
    """Labelled answers by part."""
    n_spent: int = Field(ge=0)
    """Answers of the test part that another version of this judge was measured on; they count as dev."""
    dev: Trust
    """On the part to work on; looking at it costs nothing."""
    test: Trust | None = None
    """On the part that is opened once; `None`: not opened."""
    slices: Many[Trust] = ()
    """By tag: of the test part where it is opened, else of dev. Exploratory."""
    biases: Many[Bias] = ()
    """Length and family, on the same part."""
    grade: Grade
    """By the test part where it is opened, else by dev."""
    why: str
    """Why this grade."""
    opened: Many[str] = ()
    """Hashes of the families on which it was measured."""
    who: str = ""
    """Who opened the test part."""
    at: str = ""
    """When: ISO 8601 time, UTC."""

    def valid_for(self, inputs: Mapping[str, str]) -> str:
        """Return why it does not hold for a judge with these fingerprints; empty when it does."""
        if self.test is None:
            return "its test part was not opened"
        changed = sorted(name for name, value in self.subject.inputs.items() if inputs.get(name) != value)
        if changed:
            words = {"scorer": "the rubric or prompt", "judge": "the judging model"}
            return f"{' and '.join(words.get(name, name) for name in changed)} changed since"
        return ""


def calibrate(
    rows: Sequence[Judged],
    subject: Subject,
    earlier: Iterable[Calibrated],
    *,
    open_test: bool,
    who: str,
    at: str,
    learnt: frozenset[str] = frozenset(),
) -> Calibrated:
    """Return a judge's calibration. With `open_test` the test part is measured; that uses it up for later versions.

    A family of the test part on which another version of this metric's judge was measured is spent, and counts as dev.
    `learnt` holds the hashes of the families that the judge was trained on; they count as train, whatever their part.
    Raises `DataError` where too few test labels are left.
    """
    spent = _spent(earlier, subject)
    parts: dict[Part, list[Judged]] = {"train": [], "dev": [], "test": []}
    n_spent = 0
    for row in rows:
        part = part_of(row.group, subject.question)
        if part == "test" and hashed(row.group) in spent:
            part, n_spent = "dev", n_spent + 1
        if hashed(row.group) in learnt:
            part = "train"
        parts[part].append(row)
    shown = parts["test"] if open_test else parts["dev"]
    if open_test:
        _refuse_few(parts["test"], subject, n_spent)
    trust = measure(shown)
    grade, why = trust.grade()
    return Calibrated(
        subject=subject,
        parts={part: len(members) for part, members in parts.items()},
        n_spent=n_spent,
        dev=measure(parts["dev"]),
        test=trust if open_test else None,
        slices=tuple(by_slice(shown)),
        biases=tuple(biases(shown, subject.judge)),
        grade=grade,
        why=why,
        opened=tuple(sorted({hashed(r.group) for r in shown})) if open_test else (),
        who=who if open_test else "",
        at=at,
    )


def _spent(earlier: Iterable[Calibrated], subject: Subject) -> set[str]:
    """Return the families on which this metric's judge was measured while it was another one."""
    rule = subject.inputs, subject.pass_from
    mine = (c for c in earlier if c.subject.metric == subject.metric)
    return {family for c in mine if (c.subject.inputs, c.subject.pass_from) != rule for family in c.opened}


def _refuse_few(test: Sequence[Judged], subject: Subject, n_spent: int) -> None:
    passes = sum(row.human for row in test if row.judge is not None)
    fails = sum(not row.human for row in test if row.judge is not None)
    if min(passes, fails) >= LEAST_LABELS:
        return
    what = f"the test part has {passes} judged answers that people pass and {fails} that they fail"
    if n_spent:
        what += f"; {n_spent} more were used up by another version of this judge"
    fix = f"label more; {LEAST_LABELS} of each are the least, 50 of each are usual (workbench label next --judge NAME)"
    raise DataError(Problem("TOO_FEW_LABELS", what, field="labels", got=subject.metric, fix=fix))


def hashed(family: str) -> str:
    return fingerprint(family)[:16]
