"""Score a finished run's answers with the evalset's scorers as they are now."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from workbench.config.workbench_yaml import Workbench
from workbench.errors import DataError, Problem
from workbench.evaluation.engine import FAILURE
from workbench.evaluation.restore import restore
from workbench.evaluation.run import begin, read_run
from workbench.jobs.evaluating import Job
from workbench.jobs.planning import Asked, plan, select
from workbench.store.home import RunFolder
from workbench.store.journal import Journal


def prepare(bench: Workbench, old: RunFolder, retry_failed: bool = False) -> tuple[Job, list[str]]:
    """Make a run folder whose journal holds the old answers and the scores that still stand; return it and their names.

    A score stands when its scorer's whole spec and its judge are what they were. Raises `DataError` when the rows or
    the candidate changed: then the answers are no longer answers to these samples by this model.
    """
    before = read_run(old).spec
    asked = Asked(before.evalset, before.use, before.model_name, before.limit, before.repeats, before.budget)
    now = plan(bench, asked, select(bench, [before.evalset], before.use)[0], parent=old.id)
    for name in ("rows", "model") if retry_failed else ("rows",):
        if before.fingerprints[name] != now.spec.fingerprints[name]:
            raise DataError(
                Problem(
                    "CHANGED_INPUT",
                    f"{name} changed since this run",
                    file=str(old.path),
                    fix="start a new run: workbench eval run",
                )
            )
    kept = [
        s.info().name
        for s in now.scorers
        if _stands(s.info().name, s.judges(), before.fingerprints, now.spec.fingerprints)
    ]
    folder = bench.home.new_run(now.spec, datetime.now(UTC))
    begin(now.spec, now.rows.manifest, folder)
    asyncio.run(_fill(old, folder, kept, retry_failed))
    return Job(now, folder), kept


def _stands(name: str, judges: tuple[str, ...], before: dict[str, str], now: dict[str, str]) -> bool:
    keys = [f"scorer:{name}", *(f"judge:{judge}" for judge in judges)]
    return all(before.get(key) == now[key] for key in keys)


async def _fill(old: RunFolder, new: RunFolder, keep: list[str], retry_failed: bool) -> None:
    async with Journal(new.journal) as journal:
        await restore(old, journal, keep, retry_failed)


def forget_failures(folder: RunFolder) -> int:
    """Drop failed answers and scores from an unfinished run's journal, so that they are made again; return how many."""
    return asyncio.run(_forget(folder))


async def _forget(folder: RunFolder) -> int:
    async with Journal(folder.journal) as journal:
        return await journal.forget(FAILURE, but_not=FAILURE + b'{"kind":"not_applicable"')
