"""Answers of a run that are known to be wrong, or right: by people, by a metric, or made from the references."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, DataError, Problem
from workbench.evaluation.arms import Finished, sample_scores
from workbench.jobs.human_verdicts import human_verdicts
from workbench.jobs.judged_metrics import info_of, passes
from workbench.jobs.run_answers import RunAnswer, run_answers
from workbench.runs import EvalRun
from workbench.store.home import RunFolder


@dataclass(frozen=True)
class KnownAnswers:
    """Answers whose verdict is known."""

    wrong: list[RunAnswer]
    right: list[RunAnswer]
    by: str
    """Who says so: `people`, a metric's name, or `made`."""


def known_answers(
    bench: Workbench, run: EvalRun, folder: RunFolder, *, gold: str, made: bool, limit: int, seed: int
) -> KnownAnswers:
    """Return a stable choice of at most `limit` wrong answers, and of as many right ones where there are any.

    Raises `DataError` where none is known to be wrong, `ConfigError` for a metric that is not 0 or 1.
    """
    answers = list(run_answers(folder))
    if made:
        wrong, right, by = _made(answers), _references(answers), "made"
    elif gold:
        known = _by_metric(run, folder, gold)
        wrong, right, by = *_sorted(answers, {a.id: known.get(a.sample.id) for a in answers}), gold
    else:
        human = human_verdicts(bench)
        wrong, right = _sorted(answers, {a.id: human.passed.get((a.id, (a.output.text,))) for a in answers})
        by = "people"
    found = KnownAnswers(_some(wrong, limit, seed), _some(right, limit, seed), by)
    if not found.wrong:
        what = f"no answer of this run is known to be wrong by {by}"
        fix = "name a metric that knows, --gold exact_match; or --made: right answers to other questions"
        raise DataError(Problem("NO_WRONG_ANSWERS", what, file=str(folder.path), fix=fix))
    return found


def _made(answers: Sequence[RunAnswer]) -> list[RunAnswer]:
    """Return each sample with the first reference of another family's sample, where that is none of its own."""
    donors = [a for a in answers if a.sample.references]
    found = []
    for at, answer in enumerate(donors):
        own = {r.strip().casefold() for r in answer.sample.references}
        others = (*donors[at + 1 :], *donors[:at])
        given = (o.sample.references[0] for o in others if o.group != answer.group)
        wrong = next((text for text in given if text.strip().casefold() not in own), None)
        if wrong is not None:
            found.append(_answering(answer, wrong))
    return found


def _references(answers: Sequence[RunAnswer]) -> list[RunAnswer]:
    return [_answering(a, a.sample.references[0]) for a in answers if a.sample.references]


def _answering(answer: RunAnswer, text: str) -> RunAnswer:
    return RunAnswer(answer.id, answer.sample, answer.output.model_copy(update={"text": text}))


def _by_metric(run: EvalRun, folder: RunFolder, gold: str) -> dict[str, bool | None]:
    """Return which samples a metric knows to be right or wrong: those whose answers are all one of both."""
    info = info_of(run, gold)
    if not info.binary:
        what, fix = "what is wrong must be told by 0 and 1", "name a metric of pass and fail, such as exact_match"
        raise ConfigError(Problem("NOT_BINARY", what, field="gold", got=gold, fix=fix))
    found: dict[str, bool | None] = {}
    for id, scores in sample_scores([Finished(run, folder)], gold).items():
        said = {passes(value, info, None) for value in scores.values}
        found[id] = said.pop() if len(said) == 1 else None
    return found


def _sorted(answers: Sequence[RunAnswer], known: dict[str, bool | None]) -> tuple[list[RunAnswer], list[RunAnswer]]:
    """Return the wrong answers, and the right ones."""
    return [a for a in answers if known[a.id] is False], [a for a in answers if known[a.id] is True]


def _some(answers: Sequence[RunAnswer], limit: int, seed: int) -> list[RunAnswer]:
    told = [a for a in answers if a.output.text.strip()]
    return sorted(told, key=lambda a: hashlib.sha256(f"{seed}:{a.id}".encode("utf-8", "surrogatepass")).hexdigest())[
        :limit
    ]
