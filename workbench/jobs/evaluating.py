"""Evaluate from configuration: plan, open the models once, run every plan, close them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.evaluation.engine import Halt, Progress, Work
from workbench.evaluation.run import run
from workbench.jobs.opening import Opened, open_models
from workbench.jobs.planning import Plan
from workbench.reports.run import write_reports
from workbench.runs import EvalRun
from workbench.store.home import RunFolder
from workbench.store.journal import Journal

Watcher = Callable[[str], AbstractContextManager[Callable[[Progress], None]]]
"""Opens a progress display of a given title."""


@dataclass(frozen=True)
class Job:
    """A plan and the folder it writes."""

    plan: Plan
    folder: RunFolder


async def evaluate_all(
    bench: Workbench, jobs: Sequence[Job], halt: Halt, watcher: Watcher, say: Callable[[str], None]
) -> list[EvalRun] | None:
    """Run every job. Returns `None` when halted before the last one ended; what is done is on disk."""
    names = {name for job in jobs for name in (job.plan.spec.model_name, *job.plan.spec.judges)}
    budget = Budget(max((job.plan.spec.budget for job in jobs if job.plan.spec.budget is not None), default=None))
    finished: list[EvalRun] = []
    async with open_models(bench, sorted(names), budget, say) as opened:
        for job in jobs:
            budget.charge(await _spent(job.folder))
            with watcher(job.plan.spec.evalset) as watch:
                result = await run(_work(job.plan, opened), job.folder, halt, watch, write_reports)
            if result is None:
                return None
            finished.append(result)
    return finished


async def _spent(folder: RunFolder) -> float:
    """Return what an unfinished run has cost so far: a resumed run does not get its budget anew."""
    if not folder.journal.exists():
        return 0.0
    async with Journal(folder.journal) as journal:
        return await journal.spent()


def _work(plan: Plan, opened: Opened) -> Work:
    model = opened.models[plan.spec.model_name]
    busiest = max([model.concurrency, *(opened.models[name].concurrency for name in plan.spec.judges)])
    # Twice the requests, so that one is on the wire while another answer is being scored and written.
    return Work(plan.spec, plan.rows, model, plan.scorers, opened, workers=2 * busiest)
