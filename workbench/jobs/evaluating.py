"""Evaluate from configuration: plan, open the models once, run every plan, close them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.errors import DataError, Problem
from workbench.evaluation.engine import Halt, Progress, Work
from workbench.evaluation.run import run
from workbench.jobs.beginnings import note_start
from workbench.jobs.correcting import corrections
from workbench.jobs.harness import before_tasks, load_tasks
from workbench.jobs.opening import Opened, open_models
from workbench.jobs.planning import Plan
from workbench.jobs.reported import note_made
from workbench.models import Output, OutputFailure, Request
from workbench.reports.run import write_reports
from workbench.runs import EvalRun
from workbench.store.cache import Verdicts
from workbench.store.home import RunFolder

Watcher = Callable[[str], AbstractContextManager[Callable[[Progress], None]]]
"""Opens a progress display of a given title."""


@dataclass(frozen=True)
class Job:
    """A plan and the folder it writes."""

    plan: Plan
    folder: RunFolder
    retry_failed: bool = False
    """Whether what failed so far is made again."""


async def evaluate_all(
    bench: Workbench, jobs: Sequence[Job], halt: Halt, watcher: Watcher, say: Callable[[str], None]
) -> list[EvalRun] | None:
    """Run every job. Returns `None` when halted before the last one ended; what is done is on disk."""
    names = {name for job in jobs for name in (job.plan.spec.model_name, *job.plan.spec.judges)}
    budget = Budget(max((job.plan.spec.budget for job in jobs if job.plan.spec.budget is not None), default=None))
    finished: list[EvalRun] = []
    with closing(Verdicts(bench.home.cache / "verdicts.sqlite")) as verdicts:
        async with open_models(bench, sorted(names), budget, say) as opened:
            for job in jobs:
                note_made("runs", job.folder.id)
                note_start(bench, job.folder, job.plan.spec, datetime.now(UTC))
                work = await _work(bench, job, opened, budget, verdicts)
                with watcher(job.plan.spec.evalset) as watch:
                    result = await run(work, job.folder, halt, watch, partial(_publish, bench))
                if result is None:
                    return None
                finished.append(result)
    return finished


def _publish(bench: Workbench, run: EvalRun, folder: RunFolder) -> None:
    write_reports(run, folder, corrections(bench, run, folder))


async def _work(bench: Workbench, job: Job, opened: Opened, budget: Budget, verdicts: Verdicts) -> Work:
    spec = job.plan.spec
    model = opened.models[spec.model_name]
    tasks = await load_tasks(bench, job.plan, opened)
    if tasks is not None and (spec.parent is None or spec.retry_failed):
        model = before_tasks(bench, spec.model_name, tasks, opened)
    busiest = max([model.concurrency, *(opened.models[name].concurrency for name in spec.judges)])
    if spec.parent is not None and not spec.retry_failed:
        model = SavedAnswers(job.folder.id)
    # Twice the requests, so that one is on the wire while another answer is being scored and written.
    return Work(
        spec=spec,
        rows=job.plan.rows,
        model=model,
        scorers=job.plan.scorers,
        tools=opened,
        budget=budget,
        retry_failed=job.retry_failed,
        workers=2 * busiest,
        verdicts=verdicts,
    )


class SavedAnswers:
    """Stands for the candidate where saved answers are scored anew: whoever asks it has lost one of them."""

    concurrency = 1

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Raise `DataError`: a missing answer must not be replaced by one that another model, or time, gives."""
        what = f"run {self._run_id} scores saved answers and lacks the one to sample '{request.sample_id}'"
        raise DataError(Problem("ANSWER_MISSING", what, fix="rescore the run it comes from again"))

    async def aclose(self) -> None:
        """Do nothing."""
