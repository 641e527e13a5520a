"""A judge made of labels: a LoRA adapter on a base that generates, taught to reply as a rubric judge should have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from workbench.calibration.calibrated import hashed
from workbench.calibration.measuring import Trust
from workbench.calibration.trained import TrainedJudge
from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.datasets import Conversation, Lineage, Use
from workbench.errors import ConfigError, Problem
from workbench.jobs.judge_labels import JudgeLabels, LabelledAnswer, both_kinds, judge_labels
from workbench.jobs.judge_shots import shot_of, verdicts_on
from workbench.jobs.judge_training import LEAST, prompted
from workbench.jobs.opening import open_models
from workbench.jobs.trained_judges import CARD
from workbench.jobs.training import Audience, begin
from workbench.models import LocalSpec, Sampling
from workbench.reading.storing import Origin, store_rows
from workbench.records import Turn
from workbench.scoring.judge import RubricJudge
from workbench.scoring.rubrics import parse_rubric
from workbench.store.files import write_atomic
from workbench.store.weights import hash_model_folder
from workbench.training.folder import TrainFolder, TrainRun, find_folder
from workbench.training.spec import Lora, Sft, TrainSpec

SHORTEST = 256
"""Tokens of a reply, at most, where the run's own judge does not say."""


@dataclass(frozen=True)
class LoraAsked:
    """How a judge is to be tuned."""

    source: str
    """A finished run, or a file of labelled rows."""
    metric: str
    """The judged metric of a run whose prompt and labels it learns; of a file, the name of the judge."""
    base: str
    """Base model: a folder, relative to workbench.yaml."""
    rubric: Path | None = None
    """The rubric that a file's rows are judged by; of a run it is the judge's own."""
    rank: int = 16
    """Rank of the adapter."""
    epochs: float = 3.0
    """Passes over the labels."""
    rate: float | None = None
    """Peak learning rate; `None`: that of a recipe which names none."""
    seed: int = 0
    """Of everything random."""


@dataclass(frozen=True)
class MadeLora:
    """A tuned judge, its training run, and how workbench.yaml names it."""

    card: TrainedJudge
    run: TrainRun
    spec: LocalSpec


def train_lora(bench: Workbench, asked: LoraAsked, audience: Audience) -> MadeLora:
    """Tune a base on verdict conversations of the labels' parts train and dev, and measure it on what is held back.

    One family in four of dev is held back, and watched while training; the test part is not looked at. The card lies in
    the training run's folder. Raises as `judge_labels` does, `DataError` for too few labels, and as `train sft` does.
    """
    labels = _with_rubric(judge_labels(bench, asked.source, asked.metric), asked)
    learnt, held = labels.of("learn"), labels.of("check")
    both_kinds(learnt, "what it may learn from", LEAST)
    both_kinds(held, "what is held back to look at", 5)
    audience.say(f"learning from {len(learnt)} labels, {len(held)} held back, {len(labels.of('test'))} unseen")
    run = begin(bench, _recipe(bench, asked, labels, learnt, held), audience)
    folder = find_folder(bench.home, run.id)
    spec = _served(bench, asked, folder)
    checked = asyncio.run(_measured(bench, labels, spec, held, audience))
    card = _card(bench, asked, labels, learnt, checked, held)
    write_atomic(folder.path / CARD, card.json_bytes())
    return MadeLora(card, run, spec)


def conversations(scorer: RubricJudge, answers: Sequence[LabelledAnswer]) -> list[Conversation]:
    """Return each labelled answer as the judge is asked about it, with the reply that it should have given.

    Only that last turn is learnt; examples that the prompt shows are not.
    """
    scale, made = scorer.the_rubric().scale, []
    for answer in answers:
        asked = scorer.request(answer.sample, answer.output).messages
        turns = [Turn(role=m.role, content=m.content, learnt=False) for m in asked]
        reply = Turn(role="assistant", content=shot_of(answer, scorer).reply(scale))
        lineage = Lineage(sources=(answer.id,), recipe="verdicts")
        made.append(Conversation(id=answer.id, group=answer.group, messages=(*turns, reply), lineage=lineage))
    return made


def _with_rubric(labels: JudgeLabels, asked: LoraAsked) -> JudgeLabels:
    """Return labels with the judge whose prompt is learnt. Raises `ConfigError` for a file without a rubric."""
    if labels.scorer is not None:
        return labels
    if asked.rubric is None:
        fix = "name one of pass and fail: --rubric rubrics/correct.md"
        what = "a judge that replies is taught by a rubric, and a file of rows has none"
        raise ConfigError(Problem("NO_RUBRIC", what, field="rubric", got=asked.source, fix=fix))
    content = parse_rubric(asked.rubric.read_text(encoding="utf-8"), str(asked.rubric))
    if content.scale != "binary":
        what, fix = "labels are pass or fail, and this rubric has steps", "name a rubric with `scale: binary`"
        raise ConfigError(Problem("NOT_BINARY", what, str(asked.rubric), fix=fix))
    scorer = RubricJudge(
        kind="rubric_judge", name=asked.metric, judge=asked.metric, rubric=str(asked.rubric), content=content
    )
    return replace(labels, scorer=scorer)


def _recipe(
    bench: Workbench,
    asked: LoraAsked,
    labels: JudgeLabels,
    learnt: Sequence[LabelledAnswer],
    held: Sequence[LabelledAnswer],
) -> TrainSpec:
    return TrainSpec(
        name=f"{asked.metric}-judge",
        base=asked.base,
        dataset=_stored(bench, asked, labels, learnt, "train"),
        dev=_stored(bench, asked, labels, held, "dev"),
        method=Sft(kind="sft"),
        adapter=Lora(kind="lora", rank=asked.rank),
        epochs=asked.epochs,
        learning_rate=asked.rate,
        seed=asked.seed,
    )


def _stored(
    bench: Workbench, asked: LoraAsked, labels: JudgeLabels, answers: Sequence[LabelledAnswer], use: Use
) -> str:
    """Store verdict conversations and return `name@fingerprint`."""
    assert labels.scorer is not None
    rule = {"command": "judge train lora", "labels": labels.source, "judge": labels.scorer.info().version}
    origin = Origin(f"{asked.metric}-verdicts", "conversations", use, rule)
    manifest = store_rows(
        conversations(labels.scorer, answers), origin, bench.home.root, datetime.now(UTC)
    ).manifest  # fmt: skip
    return f"{manifest.name}@{manifest.fingerprint}"


def _served(bench: Workbench, asked: LoraAsked, folder: TrainFolder) -> LocalSpec:
    """Return the tuned judge as a model, asked as the local model of workbench.yaml that may say most."""
    local = [s for s in bench.config.models.values() if isinstance(s, LocalSpec) and bench.path(s.base).is_dir()]
    beside = [s.sampling.max_tokens for s in local if bench.path(s.base).parent == bench.path(asked.base).parent]
    sampling = Sampling(max_tokens=max(beside, default=SHORTEST))
    return LocalSpec(kind="local", base=asked.base, adapter=str(folder.adapter.absolute()), sampling=sampling)


async def _measured(
    bench: Workbench, labels: JudgeLabels, spec: LocalSpec, held: Sequence[LabelledAnswer], audience: Audience
) -> Trust:
    """Serve the tuned judge as any model is, and put the labels held back to it."""
    assert labels.scorer is not None
    name = "tuned"
    models = {**bench.config.models, name: spec}
    with_it = replace(bench, config=bench.config.model_copy(update={"models": models}))
    async with open_models(with_it, [name], Budget(None), audience.say) as opened:
        return await verdicts_on(labels.scorer.model_copy(update={"judge": name}), held, opened)


def _card(
    bench: Workbench,
    asked: LoraAsked,
    labels: JudgeLabels,
    learnt: Sequence[LabelledAnswer],
    checked: Trust,
    held: Sequence[LabelledAnswer],
) -> TrainedJudge:
    of_run = labels.source.startswith("run ")
    return TrainedJudge(
        name=asked.metric,
        base=f"{asked.base}, files {hash_model_folder(bench.path(asked.base))[:12]}",
        source=labels.source,
        n_learnt=len(learnt),
        learnt=tuple(sorted({hashed(answer.group) for answer in learnt})),
        checked=checked,
        prompted=prompted(bench, asked.source, asked.metric, held) if of_run else None,
        epochs=asked.epochs,
        rate=asked.rate,
        seed=asked.seed,
    )
