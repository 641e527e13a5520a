"""One evaluation from start to finish: own the folder, ask and score, compact, sum up, publish."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import orjson
from pydantic import ValidationError

import workbench
from workbench.datasets import Manifest
from workbench.errors import DataError, Problem
from workbench.evaluation.asked_again import failed_in_journal, note, noted
from workbench.evaluation.compact import compact
from workbench.evaluation.engine import FAILURE, NOT_APPLICABLE, Halt, Progress, Work, evaluate
from workbench.evaluation.seals import seals
from workbench.evaluation.summary import sum_up
from workbench.nouns import Noun
from workbench.runs import EvalRun, RunSpec
from workbench.store.charges import Charges
from workbench.store.files import told_when_full, write_atomic
from workbench.store.home import RunFolder
from workbench.store.journal import Journal
from workbench.store.lock import owning
from workbench.store.memory import give_back

N = TypeVar("N", bound=Noun)
Publish = Callable[[EvalRun, RunFolder], None]
"""Writes what people read of a finished run into its folder; reports lie in a higher layer and are passed in."""
PACKAGES = ("aiohttp", "pydantic", "duckdb", "pyarrow", "scipy", "sacrebleu", "rouge-score", "transformers")
VERSION = re.compile(r"^Version: (\S+)", re.MULTILINE)
"""In a package's metadata; to parse them whole, descriptions and all, takes 3 ms a package."""


class Start(Noun):
    """What `spec.json` holds: what was asked for, of what, when and on what."""

    spec: RunSpec
    """What was asked for."""
    dataset: Manifest
    """What it runs on."""
    started: str
    """ISO 8601 time, UTC."""
    environment: dict[str, str]
    """Versions of what can change a number."""


async def run(
    work: Work, folder: RunFolder, halt: Halt, watch: Callable[[Progress], None], publish: Publish
) -> EvalRun | None:
    """Evaluate into `folder`, which is new or holds an unfinished run of the same spec.

    Returns `None` when halted from outside before the end: the journal keeps what is done. Raises `LockedError` when
    another process owns the folder and `IncompleteRun` when the budget is spent or the disk is full.
    """
    give_back()  # what reading the rows in took
    with told_when_full(folder.path), owning(folder.path), Charges(folder.charges) as charges:
        start = begin(work.spec, work.rows.manifest, folder)
        async with Journal(folder.journal) as journal:
            with work.budget.carried(max(charges.before, await journal.spent()), charges.add):
                if work.retry_failed:
                    note(folder, await failed_in_journal(journal))
                    await journal.forget(FAILURE, but_not=NOT_APPLICABLE)
                await evaluate(work, journal, halt, watch)
            if halt.event.is_set():
                return None
            await compact(work, journal, folder)
        return finish(start, work, folder, publish)


def begin(spec: RunSpec, dataset: Manifest, folder: RunFolder) -> Start:
    """Write down what is asked for, or read what an unfinished run began with."""
    if folder.spec.exists():
        return read_start(folder)
    start = Start(spec=spec, dataset=dataset, started=_now(), environment=environment())
    write_atomic(folder.spec, orjson.dumps(start.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
    return start


def finish(start: Start, work: Work, folder: RunFolder, publish: Publish) -> EvalRun:
    """Sum the tables up, publish, write the summary, and remove the journal that all this replaces."""
    infos = tuple(scorer.info() for scorer in work.scorers)
    sums = sum_up(folder, infos)
    result = EvalRun(
        id=folder.id,
        state="finished",
        spec=start.spec,
        dataset=start.dataset,
        n_attempted=sums.counts.attempted,
        n_output=sums.counts.answered,
        n_output_failed=sums.counts.attempted - sums.counts.answered,
        output_failures=sums.counts.failures,
        scorers=infos,
        metrics=sums.metrics,
        candidate=sums.candidate,
        judging=sums.judging,
        latency=sums.latency,
        started=start.started,
        ended=_now(),
        environment=start.environment,
        tables=seals(folder),
        asked_again=noted(folder),
    )
    publish(result, folder)
    write_atomic(folder.summary, orjson.dumps(result.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
    folder.charges.unlink(missing_ok=True)
    for suffix in ("", "-wal", "-shm"):
        folder.journal.with_name(folder.journal.name + suffix).unlink(missing_ok=True)
    return result


def read_start(folder: RunFolder) -> Start:
    """Read what a run was asked to do."""
    return _read(folder.spec, Start)


def read_run(folder: RunFolder) -> EvalRun:
    """Read a finished run. Raises `DataError` when it is not finished."""
    if not folder.summary.exists():
        problem = Problem(
            "UNFINISHED_RUN",
            "this run is not finished",
            file=str(folder.path),
            fix=f"workbench eval run --resume {folder.id}",
        )
        raise DataError(problem)
    return _read(folder.summary, EvalRun)


def _read(path: Path, noun: type[N]) -> N:
    try:
        return noun.model_validate_json(path.read_bytes())
    except ValidationError as exc:
        raise DataError(Problem("DAMAGED_RUN", f"cannot be read: {exc.errors()[0]['msg']}", file=str(path))) from exc


def environment() -> dict[str, str]:
    """Return the versions of Python, the platform, the workbench and the packages that can change a number."""
    # `platform.platform()` would start a process and search the interpreter's file for its C library, 20 ms.
    machine = "-".join((platform.system(), platform.release(), platform.machine()))
    found = {"workbench": workbench.__version__, "python": platform.python_version(), "platform": machine}
    for package in PACKAGES:
        try:
            told = VERSION.search(metadata.distribution(package).read_text("METADATA") or "")
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed cannot have changed a number
        if told is not None:
            found[package] = told[1]
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
