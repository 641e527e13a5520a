"""Compare two models' answers by hand, blinded: who stands left is decided by a seed, and each pick becomes a label."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.datasets import family_of
from workbench.errors import ConfigError, DataError, LeakageError, Problem
from workbench.evaluation.arms import Finished
from workbench.evaluation.comparable import why_other_samples
from workbench.jobs.opening import open_models
from workbench.labelling.by_hand import GUIDELINE, ByHand, Preferred, Strength, book_of, standing
from workbench.labelling.tasks import blinded_order
from workbench.models import Output, OutputFailure, Request
from workbench.nouns import fingerprint
from workbench.records import Label, Message, Passage, Record
from workbench.runs import Interval
from workbench.statistics.intervals import wilson
from workbench.tables import Row, connection, rows


@dataclass(frozen=True)
class Duel:
    """Two answers to one prompt, as they are put before a person."""

    record: Record
    """With both answers; the first is the first model's."""
    sources: tuple[str, ...]
    """`<run>/<sample>` of each; empty in a chat."""
    order: tuple[int, ...]
    """Which output stands left, and which right."""

    @property
    def left(self) -> str:
        return self.record.outputs[self.order[0]]

    @property
    def right(self) -> str:
        return self.record.outputs[self.order[1]]


@dataclass(frozen=True)
class Tally:
    """How two models' answers fared by hand."""

    first: int
    second: int
    ties: int
    share: float | None
    """Share of decided comparisons that the second model won; `None` without any."""
    interval: Interval | None
    """Wilson's 95 % interval."""

    @property
    def n(self) -> int:
        return self.first + self.second + self.ties


def samples_to_compare(bench: Workbench, run_a: str, run_b: str, seed: int = 0) -> list[str]:
    """Return the samples that both runs answered, and differently, in an order by lot.

    Raises `LeakageError` for runs on a gate set, which nothing may be learnt from, `DataError` where they ran on other
    samples or are one run.
    """
    a, b = _both(bench, run_a, run_b)
    query = """SELECT x.sample_id AS id FROM a x JOIN b y USING (sample_id, repeat)
               WHERE repeat = 0 AND x.failure IS NULL AND y.failure IS NULL AND trim(x.output) <> trim(y.output)
               ORDER BY sample_id"""
    with connection(a=a.folder.samples, b=b.folder.samples) as db:
        found = [row["id"] for row in rows(db, query)]
    random.Random(seed).shuffle(found)
    return found


def duel_of(bench: Workbench, run_a: str, run_b: str, sample_id: str, seed: str) -> Duel:
    """Return the two answers to one sample, left and right by a seed of one's own. Raises as `samples_to_compare`."""
    a, b = _both(bench, run_a, run_b)
    first, second = (_answer(one, sample_id) for one in (a, b))
    sources = (f"{a.run.id}/{sample_id}", f"{b.run.id}/{sample_id}")
    models = (first["served_model"] or a.run.spec.model_name, second["served_model"] or b.run.spec.model_name)
    record = Record(
        id=f"{sample_id}~{fingerprint([*sources, first['output'], second['output']])[:10]}",
        messages=tuple(Message.model_validate(m) for m in orjson.loads(first["messages"])),
        outputs=(first["output"], second["output"]),
        contexts=tuple(Passage.model_validate(p) for p in orjson.loads(first["given_contexts"] or "[]")),
        origin=f"run:{a.run.id}",
        group=first["family"],
        tags={**dict(first["tags"] or {}), **_named(models)},
    )
    return Duel(record, sources, blinded_order(seed, record.id, 2))


def ask_both(bench: Workbench, models: tuple[str, str], messages: Sequence[Message], seed: str) -> Duel:
    """Ask two models the same, and return their answers as a duel. Raises `DataError` where one did not answer."""
    if models[0] == models[1]:
        fix = "name two models"
        raise ConfigError(Problem("UNLIKE_RUNS", "a model is not compared with itself", got=models[0], fix=fix))
    asked = tuple(messages)
    name = fingerprint([[m.model_dump() for m in asked], *models])[:12]
    first, second = asyncio.run(_asked(bench, models, Request(messages=asked, sample_id=f"chat-{name}")))
    record = Record(
        id=f"chat~{fingerprint([name, first, second])[:12]}", messages=asked, outputs=(first, second), origin="chat",
        group=family_of(asked), tags=_named(models),
    )  # fmt: skip
    return Duel(record, (), blinded_order(seed, record.id, 2))


def pick(
    bench: Workbench, duel: Duel, better: str, strength: Strength, by: str, now: datetime
) -> ByHand:  # fmt: skip
    """Write down what a person said of a duel: `left`, `right`, `tie`, or `""`, which takes it back."""
    if duel.record.outputs[0].strip() == duel.record.outputs[1].strip():
        what, fix = "both answers are the same: there is nothing to prefer", "go on to the next"
        raise DataError(Problem("SAME_ANSWERS", what, got=duel.record.id, fix=fix))
    said: dict[str, str] = {}
    if better:
        said["preferred"] = _preferred(duel, better)
        said |= {} if said["preferred"] == "tie" else {"strength": strength}
    labels = tuple(
        Label(record_id=duel.record.id, question=question, value=value, annotator=by, guideline=GUIDELINE, at=now)
        for question, value in said.items()
    )
    line = ByHand(record=duel.record, sources=duel.sources, order=duel.order, by=by, labels=labels)
    book_of(bench.home.root).add(line)
    return line


def said_by(bench: Workbench, by: str) -> dict[str, ByHand]:
    """Return what one person's word is on each record, by its id."""
    return {line.record.id: line for line in standing(book_of(bench.home.root).records()) if line.by == by}


def tally(bench: Workbench, models: tuple[str, str], sources: tuple[str, str] | None = None) -> Tally:
    """Return how two models fared against each other by hand, over all who compared; `sources`: of two runs alone."""
    lines = [line for line in standing(book_of(bench.home.root).records()) if _of(line, models, sources)]
    said = [line.said("preferred") for line in lines]
    first, second, ties = said.count("1"), said.count("2"), said.count("tie")
    n = first + second
    return Tally(first, second, ties, second / n if n else None, wilson(second, n) if n else None)


def _of(line: ByHand, models: tuple[str, str], sources: tuple[str, str] | None) -> bool:
    if sources is None:
        return line.record.tags.get("models") == ",".join(models) and not line.sources
    return tuple(source.partition("/")[0] for source in line.sources) == sources


def _named(models: tuple[str, str]) -> dict[str, str]:
    return {"models": ",".join(name.replace(",", " ") for name in models)}


def _preferred(duel: Duel, better: str) -> Preferred:
    """Return a side of the page as an output of the record."""
    if better == "tie":
        return "tie"
    if better not in ("left", "right"):
        what, fix = "this is no side", "say left, right or tie"
        raise ConfigError(Problem("USAGE", what, got=better, fix=fix))
    place = duel.order[0 if better == "left" else 1]
    return "1" if place == 0 else "2"


def _both(bench: Workbench, run_a: str, run_b: str) -> tuple[Finished, Finished]:
    a, b = (Finished.read(bench.home.run(run_id)) for run_id in (run_a, run_b))
    for one in (a, b):
        if one.run.spec.use == "gate":
            what = "this run is on a gate set: what is said of it must not be learnt from"
            fix = "evaluate the models on the dev side: workbench eval run --use dev"
            raise LeakageError(Problem("GATE_RUN", what, str(one.folder.path), got=one.run.id, fix=fix))
    if a.run.id == b.run.id:
        raise DataError(Problem("UNLIKE_RUNS", "a run is not compared with itself", got=a.run.id, fix="name two runs"))
    if why := why_other_samples([a], [b]):
        raise DataError(Problem("UNLIKE_RUNS", why, got=f"{a.run.id}, {b.run.id}", fix="name runs on the same set"))
    return a, b


def _answer(finished: Finished, sample_id: str) -> Row:
    query = """SELECT messages, given_contexts, family, tags, output, served_model FROM samples
               WHERE sample_id = ? AND repeat = 0 AND failure IS NULL"""
    with connection(samples=finished.folder.samples) as db:
        found = rows(db, query, [sample_id])
    if not found:
        what, fix = "this run has no answer to this sample", "go on to the next"
        raise DataError(Problem("UNKNOWN_SAMPLE", what, str(finished.folder.path), got=sample_id, fix=fix))
    return found[0]


async def _asked(bench: Workbench, models: tuple[str, str], request: Request) -> tuple[str, str]:
    async with open_models(bench, models, Budget(None), lambda _: None) as opened:
        one, other = await asyncio.gather(*(opened.models[name].generate(request) for name in models))
    return _text(one, models[0]), _text(other, models[1])


def _text(answer: Output | OutputFailure, model: str) -> str:
    if isinstance(answer, Output):
        return answer.text
    what = f"the model gave no answer: {answer.message}"
    raise DataError(Problem("NO_ANSWER", what, got=model, fix="look whether it is served: workbench doctor"))
