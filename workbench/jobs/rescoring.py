"""Score a finished run's answers with the evalset's scorers as they are now."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from workbench.config.workbench_yaml import Workbench
from workbench.errors import DataError, Problem
from workbench.evaluation.asked_again import failed_in_tables, note
from workbench.evaluation.restore import restore
from workbench.evaluation.run import begin, read_run
from workbench.jobs.evaluating import Job
from workbench.jobs.planning import Asked, Plan, plan, select
from workbench.runs import RunSpec
from workbench.store.home import RunFolder
from workbench.store.journal import Journal


def prepare(bench: Workbench, old: RunFolder, retry_failed: bool = False) -> tuple[Job, list[str]]:
    """Make a run folder whose journal holds the old answers and the scores that still stand; return it and their names.

    A score stands when its scorer's whole spec and its judge are what they were. Raises `DataError` when the rows
    changed, for then the answers are to other questions, and when failed answers are to be asked of a changed model.
    """
    parent = read_run(old)
    before = parent.spec
    now = replan(bench, before, parent=old.id, retry_failed=retry_failed)
    for name in ("rows", "model") if retry_failed else ("rows",):
        if before.fingerprints[name] != now.spec.fingerprints[name]:
            fix = "start a new run: workbench eval run"
            raise DataError(Problem("CHANGED_INPUT", f"{name} changed since this run", file=str(old.path), fix=fix))
    prints = before.fingerprints, now.spec.fingerprints
    kept = [s.info().name for s in now.scorers if _stands(s.info().name, s.judges(), *prints)]
    folder = bench.home.new_run(now.spec, datetime.now(UTC))
    # The answers first: a folder without spec.json is no run, so a kill in between leaves none that lacks answers.
    asyncio.run(_fill(old, folder, kept, retry_failed))
    note(folder, {*parent.asked_again, *(failed_in_tables(old) if retry_failed else ())})
    begin(now.spec, now.rows.manifest, folder)
    return Job(now, folder), kept


def replan(bench: Workbench, before: RunSpec, *, parent: str | None, retry_failed: bool = False) -> Plan:
    """Plan again what an earlier run was asked, with everything as it is now.

    Only the candidate of a run that scores saved answers stays who it was: it gave them, whatever its name means now.
    """
    asked = Asked(before.evalset, before.use, before.model_name, before.limit, before.repeats, before.budget)
    now = plan(bench, asked, select(bench, [before.evalset], before.use)[0], parent)
    spec = now.spec.model_copy(update={"retry_failed": retry_failed})
    if parent is not None and not retry_failed:
        prints = {**spec.fingerprints, "model": before.fingerprints["model"]}
        spec = spec.model_copy(update={"model": before.model, "fingerprints": prints})
    return replace(now, spec=spec)


def _stands(name: str, judges: tuple[str, ...], before: dict[str, str], now: dict[str, str]) -> bool:
    keys = [f"scorer:{name}", *(f"judge:{judge}" for judge in judges)]
    return all(before.get(key) == now[key] for key in keys)


async def _fill(old: RunFolder, new: RunFolder, keep: list[str], retry_failed: bool) -> None:
    new.path.mkdir(parents=True)
    async with Journal(new.journal) as journal:
        await restore(old, journal, keep, retry_failed)
