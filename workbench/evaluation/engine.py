"""The run: ask the model, score the answers, journal both before they count.

A unit of work is one sample and one repeat. The feeder takes units a chunk at a time and makes what needs nobody: what
the journal, the recorded answers or the response cache hold is looked up for all of them at once. Workers take what is
left from a short queue, so memory does not grow with the dataset. An answer or a verdict that was paid for is on disk
before its worker goes on; what costs nothing waits for the next commit.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Protocol, TypeVar

from workbench.calling.budget import Budget
from workbench.datasets import Manifest
from workbench.errors import IncompleteRun, WorkbenchError
from workbench.models import Model, Output, OutputFailure, Recorded, Remembers, Request, Usage
from workbench.nouns import fingerprint
from workbench.reading.stored import StoredRow
from workbench.runs import RunSpec, Score, ScoreFailure
from workbench.scoring.base import Asking, Scorer, Tools
from workbench.store.cache import Verdicts, verdict_key
from workbench.store.journal import Entries, Journal

T = TypeVar("T")
CHUNK = 512
"""Units that are looked up together in journal, recorded answers and response cache, each with one query."""


class Rows(Protocol):
    """A stored dataset, read in batches."""

    @property
    def manifest(self) -> Manifest: ...

    def iter_rows(self, batch: int = 256) -> Iterator[list[StoredRow]]: ...


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
    verdicts: Verdicts | None = None
    """Verdicts given before; `None`: they are not kept."""

    @cached_property
    def named(self) -> dict[str, Scorer]:
        """The scorers by the names of their metrics, in order."""
        return {scorer.info().name: scorer for scorer in self.scorers}

    @cached_property
    def rules(self) -> dict[str, str]:
        """What decides a verdict beside sample and answer, by metric; only where the judge's answers may be kept."""
        prints = self.spec.fingerprints
        return {
            name: fingerprint([prints[f"scorer:{name}"], *(prints[f"judge:{judge}"] for judge in scorer.judges())])
            for name, scorer in self.named.items()
            if isinstance(scorer, Asking) and all(self.spec.judges[judge].get("cache") for judge in scorer.judges())
        }


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


@dataclass
class Unit:
    """One sample, one repeat: what there is of it, and what is still to be made."""

    row: StoredRow
    repeat: int
    payload: bytes | None
    """The answer as the journal holds it."""
    lacking: dict[str, Scorer]
    """Scorers whose score is still to be made, by name."""
    keys: dict[str, bytes] = field(default_factory=dict)
    """Under which a verdict is kept, by scorer."""
    asked: dict[str, Request] = field(default_factory=dict)
    """What a judge is still to be asked, by scorer."""
    failed: bool = False
    """Whether the answer, or a score made just now, failed."""

    @property
    def answered(self) -> bool:
        """Whether there is an answer to score."""
        return self.payload is not None and self.payload.startswith(SUCCESS)

    @property
    def whole(self) -> bool:
        """Whether nothing is to be made any more; a failed answer is not scored."""
        return self.payload is not None and not (self.answered and self.lacking)

    @property
    def said(self) -> bytes:
        """The JSON of the answer."""
        assert self.payload is not None and self.answered
        return self.payload[len(SUCCESS) : -1]

    @cached_property
    def output(self) -> Output:
        """The answer, for those who read it."""
        return Output.model_validate_json(self.said)

    def request(self) -> Request:
        """Return what the candidate is asked."""
        return Request(messages=self.row.sample.messages, sample_id=self.row.id, repeat=self.repeat)


async def evaluate(work: Work, journal: Journal, halt: Halt, watch: Callable[[Progress], None]) -> Progress:
    """Make every answer and score that the journal lacks.

    Raises the first error that concerns every sample, after the units under way have been journalled. When `halt` is
    set from outside, returns early with what is done.
    """
    progress = Progress(total=count(work) * work.spec.repeats)
    queue: asyncio.Queue[Unit | None] = asyncio.Queue(2 * work.workers)
    feeder = asyncio.create_task(_feed(work, journal, queue, halt, progress, watch))
    workers = [asyncio.create_task(_work(work, journal, queue, halt, progress, watch)) for _ in range(work.workers)]
    try:
        await asyncio.gather(feeder, *workers)
    finally:
        for task in (feeder, *workers):
            task.cancel()
        await asyncio.gather(feeder, *workers, return_exceptions=True)
    if halt.reason is not None:
        raise halt.reason
    if work.verdicts is not None:
        work.verdicts.flush()
    await journal.flush()
    return progress


def count(work: Work) -> int:
    """Return the number of samples the run covers."""
    n = work.rows.manifest.n
    return n if work.spec.limit is None else min(n, work.spec.limit)


def chosen(rows: Rows, limit: int | None, batch: int = 256) -> Iterator[list[StoredRow]]:
    """Yield the run's samples in the dataset's order."""
    kept = kept_places(rows, limit)
    for group in rows.iter_rows(batch):
        if few := group if kept is None else [row for row in group if row.position in kept]:
            yield few


async def with_entries(
    groups: Iterable[list[StoredRow]], journal: Journal
) -> AsyncGenerator[tuple[list[StoredRow], Entries]]:
    """Yield groups of samples with what the journal holds of them; the next one is looked up while one is worked on."""
    ahead: tuple[list[StoredRow], asyncio.Task[Entries]] | None = None
    try:
        for group in groups:
            looked_up = asyncio.create_task(journal.entries([row.id for row in group]))
            await asyncio.sleep(0)  # the journal's thread begins
            if ahead is not None:
                yield ahead[0], await ahead[1]
            ahead = group, looked_up
        if ahead is not None:
            yield ahead[0], await ahead[1]
    finally:
        if ahead is not None:
            ahead[1].cancel()


def kept_places(rows: Rows, limit: int | None) -> frozenset[int] | None:
    """Return the positions that a limit keeps, `None` for all.

    They are those whose ids hash lowest: a random-looking choice that is the same on every machine and grows without
    changing when the limit grows.
    """
    if limit is None or limit >= rows.manifest.n:
        return None
    places = (
        (hashlib.sha256(row.id.encode("utf-8", "surrogatepass")).digest(), row.position)
        for group in rows.iter_rows()
        for row in group
    )
    return frozenset(place for _, place in heapq.nsmallest(limit, places))


# ---------------------------------------------------------------- feeding: what needs nobody, many units at a time


async def _feed(
    work: Work,
    journal: Journal,
    queue: asyncio.Queue[Unit | None],
    halt: Halt,
    progress: Progress,
    watch: Callable[[Progress], None],
) -> None:
    """Finish the units that need nobody, and queue the others for the workers."""
    try:
        groups = chosen(work.rows, work.spec.limit, max(1, CHUNK // work.spec.repeats))
        async with aclosing(with_entries(groups, journal)) as looked_up:
            async for group, entries in looked_up:
                units = _unfinished(work, group, entries, progress)
                await _at_hand(work, journal, units)
                for unit in units:
                    if halt.event.is_set():
                        break
                    if unit.whole:
                        progress.done += 1
                        progress.failed += unit.failed
                    else:
                        await queue.put(unit)
                watch(progress)
                if halt.event.is_set():
                    break
    except WorkbenchError as exc:
        halt.because(exc)
    for _ in range(work.workers):
        await queue.put(None)


def _unfinished(work: Work, group: Sequence[StoredRow], entries: Entries, progress: Progress) -> list[Unit]:
    """Return the units of some samples that are not whole in the journal."""
    units = []
    for row in group:
        for repeat in range(work.spec.repeats):
            lacking = {name: s for name, s in work.named.items() if (row.id, repeat, name) not in entries.scores}
            unit = Unit(row, repeat, entries.outputs.get((row.id, repeat)), lacking)
            if unit.whole:
                progress.done += 1
                progress.reused += 1
            else:
                units.append(unit)
    return units


async def _at_hand(work: Work, journal: Journal, units: Sequence[Unit]) -> None:
    """Make what needs no waiting: answers and verdicts that are kept, and scores that are arithmetic."""
    _recall(work, journal, [unit for unit in units if unit.payload is None])
    for name, scorer in work.named.items():
        mine = [unit for unit in units if unit.answered and name in unit.lacking]
        if isinstance(scorer, Asking):
            _judged(work, journal, name, scorer, _not_judged_before(work, journal, name, mine))
        elif scorer.alone:
            for unit in mine:
                _scored(work, journal, unit, name, await _score(name, scorer, unit, work.tools))
                await asyncio.sleep(0)  # others have their turn: arithmetic on long texts takes its time
        await asyncio.sleep(0)


def _recall(work: Work, journal: Journal, units: Sequence[Unit]) -> None:
    """Take over the answers that are recorded, or that the candidate gave before."""
    found: Sequence[bytes | OutputFailure | None] = ()
    if isinstance(work.model, Recorded):
        found = work.model.recorded([(unit.row.id, unit.repeat) for unit in units]) if units else ()
    elif isinstance(work.model, Remembers):
        found = work.model.kept([unit.request() for unit in units]) if units else ()
    for unit, output in zip(units, found, strict=False):
        if output is not None:
            _answered(journal, unit, SUCCESS + output + b"}" if isinstance(output, bytes) else encode(output))


def _not_judged_before(work: Work, journal: Journal, name: str, units: Sequence[Unit]) -> Sequence[Unit]:
    """Take over verdicts on the very same answer to the very same sample; return the units without one."""
    if work.verdicts is None or name not in work.rules or not units:
        return units
    for unit in units:
        unit.keys[name] = verdict_key(work.rules[name], unit.row.text, unit.said)
    found = work.verdicts.find([unit.keys[name] for unit in units])
    for unit in units:
        if (score := found.get(unit.keys[name])) is not None:
            del unit.lacking[name]
            journal.add_score(unit.row.id, unit.repeat, name, SUCCESS + score + b"}")
    return [unit for unit in units if name in unit.lacking]


def _judged(work: Work, journal: Journal, name: str, scorer: Asking, units: Sequence[Unit]) -> None:
    """Score the answers for which no judge is needed, or whose verdict is kept."""
    asked: list[tuple[Unit, Request]] = []
    for unit in units:
        prepared = _guarded(partial(_prepared, scorer, unit))
        if isinstance(prepared, Request):
            asked.append((unit, prepared))
        else:
            _scored(work, journal, unit, name, prepared)
    replies = work.tools.kept(scorer.judges()[0], [request for _, request in asked]) if asked else ()
    for (unit, request), reply in zip(asked, replies, strict=True):
        if reply is None:
            unit.asked[name] = request
        else:
            said = Output.model_validate_json(reply)
            _scored(work, journal, unit, name, _guarded(partial(scorer.read, said, unit.output)))


def _prepared(scorer: Asking, unit: Unit) -> Score | ScoreFailure | Request:
    sample = unit.row.sample
    return scorer.settled(sample, unit.output) or scorer.request(sample, unit.output)


# ---------------------------------------------------------------- working: what is asked of somebody


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
            await _do(work, journal, unit, halt, progress)
        except WorkbenchError as exc:
            halt.because(exc)
        else:
            progress.done += unit.whole
            progress.failed += unit.whole and unit.failed
            watch(progress)


async def _do(work: Work, journal: Journal, unit: Unit, halt: Halt, progress: Progress) -> None:
    """Make what a unit lacks; leave it half-way when the run halts."""
    if unit.payload is None:
        output = await work.model.generate(unit.request())
        _answered(journal, unit, encode(output))
        await _settle(journal, output.usage, progress)
        if output.usage.attempts:
            halt.heard(not (isinstance(output, OutputFailure) and output.kind == "connection"))
        for name in [name for name in unit.lacking if unit.answered]:
            _not_judged_before(work, journal, name, [unit])
    if not unit.answered:
        return
    for name, scorer in list(unit.lacking.items()):
        if halt.event.is_set():
            return
        score = await _score(name, scorer, unit, work.tools)
        _scored(work, journal, unit, name, score)
        await _settle(journal, score.usage, progress)


async def _score(name: str, scorer: Scorer, unit: Unit, tools: Tools) -> Score | ScoreFailure:
    try:
        if isinstance(scorer, Asking) and (request := unit.asked.pop(name, None)) is not None:
            return scorer.read(await tools.ask(scorer.judges()[0], request), unit.output)
        return await scorer.score(unit.row.sample, unit.output, tools)
    except WorkbenchError:
        raise  # concerns the whole run
    except Exception as exc:  # a scorer that breaks on one sample must neither end the run nor vanish from the mean
        return _broken(exc)


def _guarded(make: Callable[[], T]) -> T | ScoreFailure:
    """Do a part of what a scorer does, with the same care."""
    try:
        return make()
    except WorkbenchError:
        raise
    except Exception as exc:
        return _broken(exc)


def _broken(exc: Exception) -> ScoreFailure:
    return ScoreFailure(kind="scorer_error", message=f"{type(exc).__name__}: {exc}"[:500])


def _answered(journal: Journal, unit: Unit, payload: bytes) -> None:
    unit.payload = payload
    unit.failed |= not unit.answered
    journal.add_output(unit.row.id, unit.repeat, payload)


def _scored(work: Work, journal: Journal, unit: Unit, name: str, score: Score | ScoreFailure) -> None:
    del unit.lacking[name]
    unit.failed |= isinstance(score, ScoreFailure) and score.kind != "not_applicable"
    journal.add_score(unit.row.id, unit.repeat, name, encode(score))
    if work.verdicts is not None and name in unit.keys and isinstance(score, Score):
        work.verdicts.note(unit.keys[name], score)


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
