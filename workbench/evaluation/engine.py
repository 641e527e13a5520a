"""The run: ask the model, score the answers, journal both before they count.

A unit of work is one sample and one repeat. Workers take units from a short queue, so memory does not grow with the
dataset. What a unit already has in the journal is not made again. An answer or a verdict that was paid for is on disk
before its worker goes on; what costs nothing waits for the next commit.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from workbench.calling.budget import Budget
from workbench.datasets import Manifest, Sample
from workbench.errors import IncompleteRun, WorkbenchError
from workbench.models import Model, Output, OutputFailure, Request, Usage
from workbench.runs import RunSpec, Score, ScoreFailure
from workbench.scoring.base import Scorer, Tools
from workbench.store.journal import Entries, Journal

Placed = tuple[int, Sample]
"""A sample with its position in the dataset."""


class Rows(Protocol):
    """A stored dataset, read in batches."""

    @property
    def manifest(self) -> Manifest: ...

    def iter_samples(self, batch: int = 256) -> Iterator[list[Placed]]: ...

    def iter_plain(self, batch: int = 256) -> Iterator[list[tuple[int, str, dict[str, Any]]]]: ...


@dataclass(frozen=True)
class Work:
    """Everything an evaluation needs, opened and ready."""

    spec: RunSpec
    rows: Rows
    model: Model
    scorers: Sequence[Scorer]
    tools: Tools
    budget: Budget
    """The purse that model and judges share; a run that goes on brings what it has spent."""
    retry_failed: bool
    """Whether failed answers and scores in the journal are made again."""
    workers: int
    """Units under way at once: enough to keep the candidate and the judges busy."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The metrics' names, in the scorers' order."""
        return tuple(scorer.info().name for scorer in self.scorers)


@dataclass
class Progress:
    """What has happened so far; handed to the watcher after every unit."""

    total: int
    done: int = 0
    reused: int = 0
    """Units that were whole in the journal already."""
    failed: int = 0
    """Units whose answer, or any of whose scores, failed."""
    cost: float = 0.0


SILENT = 20
"""Requests in a row that reach no server, each after all its attempts, before a run stops and waits to be resumed."""


@dataclass
class Halt:
    """Why a run ends early. The first reason counts; units under way still end and are journalled."""

    event: asyncio.Event = field(default_factory=asyncio.Event)
    reason: WorkbenchError | None = None
    silent: int = 0
    """Requests in a row that reached nobody."""

    def because(self, reason: WorkbenchError) -> None:
        self.reason = self.reason or reason
        self.event.set()

    def heard(self, anybody: bool) -> None:
        """Note whether a request reached its server; end the run when nobody has been there for long."""
        self.silent = 0 if anybody else self.silent + 1
        if self.silent >= SILENT:
            what = f"the last {SILENT} requests reached no server; see that it runs, then go on with --retry-failed"
            self.because(IncompleteRun(what))


@dataclass(frozen=True)
class Unit:
    """One sample, one repeat, and what the journal already holds of it."""

    sample: Sample
    repeat: int
    output: bytes | None
    scored: frozenset[str]


async def evaluate(work: Work, journal: Journal, halt: Halt, watch: Callable[[Progress], None]) -> Progress:
    """Make every answer and score that the journal lacks.

    Raises the first error that concerns every sample, after the units under way have been journalled. When `halt` is
    set from outside, returns early with what is done.
    """
    progress = Progress(total=count(work) * work.spec.repeats)
    queue: asyncio.Queue[Unit | None] = asyncio.Queue(2 * work.workers)
    feeder = asyncio.create_task(_feed(work, journal, queue, halt, progress))
    workers = [asyncio.create_task(_work(work, journal, queue, halt, progress, watch)) for _ in range(work.workers)]
    try:
        await asyncio.gather(feeder, *workers)
    finally:
        for task in (feeder, *workers):
            task.cancel()
        await asyncio.gather(feeder, *workers, return_exceptions=True)
    if halt.reason is not None:
        raise halt.reason
    await journal.flush()
    return progress


def count(work: Work) -> int:
    """Return the number of samples the run covers."""
    n = work.rows.manifest.n
    return n if work.spec.limit is None else min(n, work.spec.limit)


def chosen(rows: Rows, limit: int | None, batch: int = 256) -> Iterator[list[Placed]]:
    """Yield the run's samples in the dataset's order."""
    kept = kept_places(rows, limit)
    for group in rows.iter_samples(batch):
        if few := group if kept is None else [placed for placed in group if placed[0] in kept]:
            yield few


def kept_places(rows: Rows, limit: int | None) -> frozenset[int] | None:
    """Return the positions that a limit keeps, `None` for all.

    They are those whose ids hash lowest: a random-looking choice that is the same on every machine and grows without
    changing when the limit grows.
    """
    if limit is None or limit >= rows.manifest.n:
        return None
    places = (
        (hashlib.sha256(sample.id.encode("utf-8", "surrogatepass")).digest(), place)
        for group in rows.iter_samples()
        for place, sample in group
    )
    return frozenset(place for _, place in heapq.nsmallest(limit, places))


# ---------------------------------------------------------------- feeding


async def _feed(
    work: Work, journal: Journal, queue: asyncio.Queue[Unit | None], halt: Halt, progress: Progress
) -> None:
    names = frozenset(work.names)
    for group in chosen(work.rows, work.spec.limit):
        entries = await journal.entries([sample.id for _, sample in group])
        for _, sample in group:
            for repeat in range(work.spec.repeats):
                if halt.event.is_set():
                    break
                unit = _unit(sample, repeat, entries)
                if _is_whole(unit, names):
                    progress.done += 1
                    progress.reused += 1
                else:
                    await queue.put(unit)
        if halt.event.is_set():
            break
    for _ in range(work.workers):
        await queue.put(None)


def _unit(sample: Sample, repeat: int, entries: Entries) -> Unit:
    scored = (
        frozenset(name for s, r, name in entries.scores if s == sample.id and r == repeat)
        if entries.scores
        else frozenset()
    )
    return Unit(sample, repeat, entries.outputs.get((sample.id, repeat)), scored)


def _is_whole(unit: Unit, names: frozenset[str]) -> bool:
    if unit.output is None:
        return False
    return unit.output.startswith(FAILURE) or names <= unit.scored


# ---------------------------------------------------------------- working


async def _work(
    work: Work,
    journal: Journal,
    queue: asyncio.Queue[Unit | None],
    halt: Halt,
    progress: Progress,
    watch: Callable[[Progress], None],
) -> None:
    while (unit := await queue.get()) is not None:
        if halt.event.is_set():
            continue  # empty the queue, so that the feeder can end
        try:
            whole = await _do(work, journal, unit, halt, progress)
        except WorkbenchError as exc:
            halt.because(exc)
        else:
            progress.done += whole
            watch(progress)


async def _do(work: Work, journal: Journal, unit: Unit, halt: Halt, progress: Progress) -> bool:
    """Make what a unit lacks; return whether it is whole now, or was left half-way because the run halts."""
    sample, repeat = unit.sample, unit.repeat
    if unit.output is None:
        request = Request(messages=sample.messages, sample_id=sample.id, repeat=repeat)
        output = await work.model.generate(request)
        journal.add_output(sample.id, repeat, encode(output))
        await _settle(journal, output.usage, progress)
        if output.usage.attempts:
            halt.heard(not (isinstance(output, OutputFailure) and output.kind == "connection"))
    else:
        output = decode_output(unit.output)
    if isinstance(output, OutputFailure):
        progress.failed += 1
        return True
    failed = False
    for name, scorer in zip(work.names, work.scorers, strict=True):
        if halt.event.is_set():
            return False
        if name not in unit.scored:
            score = await _score(scorer, sample, output, work.tools)
            failed |= isinstance(score, ScoreFailure) and score.kind != "not_applicable"
            journal.add_score(sample.id, repeat, name, encode(score))
            await _settle(journal, score.usage, progress)
    progress.failed += failed
    return True


async def _score(scorer: Scorer, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
    try:
        return await scorer.score(sample, output, tools)
    except WorkbenchError:
        raise  # concerns the whole run
    except Exception as exc:  # a scorer that breaks on one sample must neither end the run nor vanish from the mean
        return ScoreFailure(kind="scorer_error", message=f"{type(exc).__name__}: {exc}"[:500])


async def _settle(journal: Journal, usage: Usage | None, progress: Progress) -> None:
    """Wait for the disk when something was paid for."""
    if usage is not None and usage.attempts:
        progress.cost += usage.cost or 0.0
        await journal.durable()


# ---------------------------------------------------------------- journal payloads

SUCCESS = b'{"ok":'
FAILURE = b'{"failed":'
NOT_APPLICABLE = FAILURE + b'{"kind":"not_applicable"'


def encode(value: Output | OutputFailure | Score | ScoreFailure) -> bytes:
    """Return a journal payload: the value's JSON, marked as success or failure."""
    mark = FAILURE if isinstance(value, OutputFailure | ScoreFailure) else SUCCESS
    return mark + value.model_dump_json().encode() + b"}"


def decode_output(payload: bytes) -> Output | OutputFailure:
    """Read what `encode` wrote for an answer."""
    if payload.startswith(FAILURE):
        return OutputFailure.model_validate_json(payload[len(FAILURE) : -1])
    return Output.model_validate_json(payload[len(SUCCESS) : -1])
