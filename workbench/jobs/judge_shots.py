"""Examples for a judge's prompt: chosen from the train labels by how the judge does with them on the dev labels."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.calibration.judged import Judged, part_of
from workbench.calibration.measuring import Trust, measure
from workbench.calibration.trained import QUESTION
from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.evaluation.run import read_run
from workbench.jobs.judge_labels import LabelledAnswer, both_kinds, judge_labels
from workbench.jobs.opening import Opened, open_models
from workbench.runs import Score
from workbench.scoring.judge import RubricJudge
from workbench.scoring.shots import Shot


@dataclass(frozen=True)
class ShotsAsked:
    """How examples are to be chosen."""

    run: str
    """A finished run."""
    metric: str
    """Its judged metric, of a rubric_judge of pass and fail."""
    shots: int = 4
    """Examples a choice, half of them passes."""
    tries: int = 4
    """Choices that are tried, beside none."""
    dev: int = 60
    """Labels of the part to work on that they are tried on."""
    seed: int = 0
    """Of the choices."""
    budget: float | None = None
    """Money after which it stops."""


@dataclass(frozen=True)
class Tried:
    """One choice of examples, and how the judge did with it."""

    shots: tuple[Shot, ...]
    trust: Trust


@dataclass(frozen=True)
class Choices:
    """What was tried; the first is the judge without examples."""

    tries: tuple[Tried, ...]
    folder: Path
    """The evalset's."""

    def best(self) -> Tried | None:
        """Return the choice with the best balanced accuracy; `None` where none does better than no examples."""
        best = max(self.tries, key=lambda tried: tried.trust.balanced or 0.0)
        return best if best.shots and (best.trust.balanced or 0) > (self.tries[0].trust.balanced or 0) else None


async def choose_shots(bench: Workbench, asked: ShotsAsked, say: Callable[[str], None]) -> Choices:
    """Try choices of examples, all of train families, on dev families. Raises as `judge_labels` does."""
    labels = judge_labels(bench, asked.run, asked.metric)
    scorer = labels.scorer
    if scorer is None:
        fix = "name a finished run: the judge is asked about its answers"
        raise ConfigError(Problem("NOT_JUDGED", "a file of rows has no judge", field="run", got=asked.run, fix=fix))
    train = [a for a in labels.answers if part_of(a.group, QUESTION) == "train"]
    dev = [a for a in labels.answers if part_of(a.group, QUESTION) == "dev"]
    both_kinds(train, "the train part", max(1, asked.shots // 2))
    both_kinds(dev, "the dev part", 5)
    draw = random.Random(asked.seed)
    dev = draw.sample(dev, min(asked.dev, len(dev)))
    choices = [(), *(_choice(train, scorer, asked.shots, draw) for _ in range(asked.tries))]
    async with open_models(bench, scorer.judges(), Budget(asked.budget), say) as opened:
        say(f"{len(choices)} choices x {len(dev)} labels of the dev part")
        shown = [scorer.model_copy(update={"shots": shots}) for shots in choices]
        tries = [Tried(s.shots, await verdicts_on(s, dev, opened)) for s in shown]
    return Choices(tuple(tries), bench.evalsets / read_run(bench.home.run(asked.run)).spec.evalset)


def _choice(train: Sequence[LabelledAnswer], scorer: RubricJudge, n: int, draw: random.Random) -> tuple[Shot, ...]:
    """Draw half passes and half fails, each of another family as far as there are some, in a drawn order."""
    found: list[LabelledAnswer] = []
    for verdict, many in ((True, n - n // 2), (False, n // 2)):
        mine = [a for a in train if a.human is verdict]
        draw.shuffle(mine)
        seen: set[str] = {a.group for a in found}
        mine.sort(key=lambda a: a.group in seen)  # stable: the drawn order within
        found += mine[:many]
    draw.shuffle(found)
    return tuple(shot_of(answer, scorer) for answer in found)


def shot_of(answer: LabelledAnswer, scorer: RubricJudge) -> Shot:
    """Return a labelled answer as an example of what people say."""
    sample = answer.sample
    return Shot(
        id=answer.id,
        group=answer.group,
        question=sample.question(),
        answer=answer.output.text,
        reference=next(iter(sample.references), "") if scorer.include_reference else "",
        passages=tuple(p.text for p in sample.contexts) if scorer.include_contexts else (),
        verdict="pass" if answer.human else "fail",
    )


async def verdicts_on(scorer: RubricJudge, answers: Sequence[LabelledAnswer], opened: Opened) -> Trust:
    """Put labelled answers to a judge and return how it does."""
    slots = asyncio.Semaphore(2 * opened.models[scorer.judge].concurrency)

    async def judged(answer: LabelledAnswer) -> Judged:
        async with slots:
            score = await scorer.score(answer.sample, answer.output, opened)
        verdict = bool(score.value) if isinstance(score, Score) else None
        return Judged(id=answer.id, group=answer.group, human=answer.human, judge=verdict)

    return measure(await asyncio.gather(*map(judged, answers)))
