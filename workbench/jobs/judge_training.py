"""A judge made of labels: a small encoder that learns to pass and fail as people do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.adapters.encoder_judge import Judgeable, Learning, chances, load, split_data, train
from workbench.adapters.sentence_transformers import folder_of
from workbench.calibration.book import calibrations
from workbench.calibration.calibrated import Calibrated, Subject, calibrate, hashed
from workbench.calibration.judged import Judged
from workbench.calibration.measuring import Trust, measure
from workbench.calibration.trained import QUESTION, TrainedJudge, best_threshold
from workbench.config.workbench_yaml import Workbench
from workbench.evaluation.run import read_run
from workbench.jobs.acting import who
from workbench.jobs.calibrating import Asked, judged_answers, now
from workbench.jobs.judge_labels import JudgeLabels, LabelledAnswer, both_kinds, judge_labels
from workbench.jobs.trained_judges import CARD
from workbench.nouns import fingerprint
from workbench.store.weights import hash_model_folder

LEAST = 20
"""Answers of each verdict without which nothing is learnt."""


@dataclass(frozen=True)
class EncoderAsked:
    """How an encoder is to be trained."""

    source: str
    """A finished run, or a file of labelled rows."""
    metric: str
    """The judged metric of a run whose rubric and labels it learns; of a file, the name of the judge."""
    base: str = "all-MiniLM-L6-v2"
    """Encoder to start from, by hub id or folder."""
    learning: Learning = field(default_factory=Learning)
    """Epochs, rate, seed."""


@dataclass(frozen=True)
class Made:
    """A trained judge and where it lies."""

    card: TrainedJudge
    folder: Path


def train_encoder(bench: Workbench, asked: EncoderAsked, say: Callable[[str], None]) -> Made:
    """Train an encoder on the labels of the parts train and dev, write it to the home, and return it.

    One family in four of dev is held back, to choose epoch and threshold. The test part is not looked at. Raises as
    `judge_labels` does, `DataError` for too few labels, `ModelError` for a base that is no encoder.
    """
    labels = judge_labels(bench, asked.source, asked.metric)
    learnt, held = labels.of("learn"), labels.of("check")
    both_kinds(learnt, "what it may learn from", LEAST)
    both_kinds(held, "what is held back to choose by", 5)
    base = folder_of(asked.base)
    say(f"learning from {len(learnt)} labels, {len(held)} held back, {len(labels.of('test'))} of the test part unseen")
    root = bench.home.root / "judges" / "trained"
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as work:
        found = train(base, _pairs(learnt), _pairs(held), asked.learning, Path(work), say)
        card = _card(bench, asked, labels, found)
        (Path(work) / CARD).write_bytes(card.json_bytes())
        folder = root / f"{asked.metric}-{hash_model_folder(Path(work))[:8]}"
        if not folder.exists():
            Path(work).rename(folder)
            Path(work).mkdir()  # what the context removes
    return Made(card, folder)


def open_test(bench: Workbench, made: Made, asked: EncoderAsked) -> Calibrated:
    """Measure a trained encoder on the test part of a file of labelled rows, and write it down: that uses it up."""
    labels = judge_labels(bench, asked.source, asked.metric)
    identity = fingerprint([hash_model_folder(made.folder), made.card.threshold])
    subject = Subject(
        metric=asked.metric,
        judge=made.folder.name,
        inputs={"scorer": "rows", "judge": identity},
        labels=labels.source,
        question=QUESTION,
        guideline=labels.source,
    )
    held_out = labels.of("test")
    rows = _judged(held_out, chances(*load(made.folder), [_pair(a) for a in held_out]), made.card.threshold)
    book = calibrations(bench.home.root)
    earlier, learnt = book.records(), frozenset(made.card.learnt)
    if same := [c for c in earlier if c.subject == subject and c.test is not None]:
        return same[-1]
    found = calibrate(rows, subject, earlier, open_test=True, who=who(), at=now(), learnt=learnt)
    book.add(found)
    return found


def _card(bench: Workbench, asked: EncoderAsked, labels: JudgeLabels, found: Sequence[float]) -> TrainedJudge:
    learnt, held = labels.of("learn"), labels.of("check")
    threshold = best_threshold(found, [answer.human for answer in held])
    return TrainedJudge(
        name=asked.metric,
        base=f"{asked.base}, files {hash_model_folder(folder_of(asked.base))[:12]}",
        source=labels.source,
        threshold=threshold,
        n_learnt=len(learnt),
        learnt=tuple(sorted({hashed(answer.group) for answer in learnt})),
        checked=measure(_judged(held, found, threshold)),
        prompted=prompted(bench, asked.source, asked.metric, held) if labels.scorer else None,
        epochs=asked.learning.epochs,
        rate=asked.learning.rate,
        seed=asked.learning.seed,
    )


def prompted(bench: Workbench, source: str, metric: str, held: Sequence[LabelledAnswer]) -> Trust:
    """Measure the run's own judge on the labels held back, to stand beside the trained one."""
    run = read_run(bench.home.run(source))
    _, rows = judged_answers(bench, [run.id], Asked(metric, every=True))
    wanted = {answer.id for answer in held}
    return measure([row for row in rows if row.id in wanted])


def _judged(answers: Sequence[LabelledAnswer], found: Sequence[float], threshold: float) -> list[Judged]:
    return [
        Judged(id=a.id, group=a.group, human=a.human, judge=chance >= threshold, length=len(a.output.text))
        for a, chance in zip(answers, found, strict=True)
    ]


def _pair(answer: LabelledAnswer) -> Judgeable:
    return split_data(answer.seen)


def _pairs(answers: Sequence[LabelledAnswer]) -> list[tuple[Judgeable, bool]]:
    return [(_pair(answer), answer.human) for answer in answers]
