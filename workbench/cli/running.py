"""What `workbench eval run | rescore` do: plan, run, show; and how they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import click
import orjson

from workbench.cli.pricing import show_prices
from workbench.cli.progress import say, watching
from workbench.cli.show import WORST, show_run
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, LockedError, Problem, WorkbenchError
from workbench.evaluation.run import read_start
from workbench.jobs.correcting import corrections
from workbench.jobs.evaluating import Job, evaluate_all
from workbench.jobs.interrupted import Interrupted
from workbench.jobs.planning import Asked, Plan, folder_for, plan, refuse_changes, select
from workbench.jobs.rescoring import prepare, replan
from workbench.jobs.supervision import Stopped, supervise
from workbench.runs import EvalRun
from workbench.store.home import RunFolder


def run_evalsets(
    bench: Workbench, names: Sequence[str], asked: Asked, *, fresh: bool, as_json: bool, quiet: bool
) -> int:
    """Run the evalsets of these names, or all that have the use; return the exit code."""
    plans = plans_for(bench, names, asked)
    command = Interrupted(bench, plans)
    done = {} if fresh else {p.spec.evalset: found for p in plans if (found := command.finished(p)) is not None}
    for evalset, (folder, _) in done.items():
        say(f"{evalset} was finished when this command was interrupted: run {folder.id} (--new runs it again).")
    jobs = jobs_for(bench, [p for p in plans if p.spec.evalset not in done], fresh, quiet)
    command.begin([folder for folder, _ in done.values()], jobs)
    runs, code = evaluated(bench, jobs, quiet) if jobs else ([], 0)
    if code == 0:
        command.end()
        made = {job.plan.spec.evalset: (job.folder, run) for job, run in zip(jobs, runs, strict=True)}
        show_runs(bench, [(done | made)[p.spec.evalset] for p in plans], as_json)
    return code


def jobs_for(bench: Workbench, plans: Sequence[Plan], fresh: bool, quiet: bool) -> list[Job]:
    """Return a job a plan: an unfinished run of the same spec is taken up again unless a fresh one is wanted."""
    jobs = []
    for p in plans:
        folder, resumed = folder_for(bench, p.spec, fresh)
        if resumed and not quiet:
            say(f"Going on with the unfinished run {folder.id} (--new starts another).")
        jobs.append(Job(p, folder))
    return jobs


def price_evalsets(bench: Workbench, names: Sequence[str], asked: Asked, as_json: bool) -> None:
    """Show what running these evalsets would call and cost."""
    show_prices(bench, plans_for(bench, names, asked), as_json)


def plans_for(bench: Workbench, names: Sequence[str], asked: Asked) -> list[Plan]:
    """Return a plan for each evalset of these names, or for all that have the use."""
    return [plan(bench, replace(asked, evalset=e.name), e) for e in select(bench, names, asked.use)]


def go_on(
    bench: Workbench, run_id: str, *, retry_failed: bool, budget: float | None, as_json: bool, quiet: bool
) -> int:
    """Go on with an unfinished run."""
    folder = bench.home.run(run_id, finished=False)
    if folder.summary.exists():
        again = f"workbench eval rescore {folder.id} --retry-failed"
        fix = again if retry_failed else f"workbench eval show {folder.id}, or ask again what failed: {again}"
        raise ConfigError(Problem("FINISHED_RUN", "this run is finished", file=str(folder.path), fix=fix))
    before = read_start(folder).spec
    if budget is not None:
        before = before.model_copy(update={"budget": budget})
    now = replan(bench, before, parent=before.parent, retry_failed=before.retry_failed)
    refuse_changes(folder, now.spec)
    return _run(bench, [Job(now, folder, retry_failed)], as_json, quiet)


def rescore(bench: Workbench, run_id: str, *, retry_failed: bool, as_json: bool, quiet: bool) -> int:
    """Score a finished run's answers anew, into a new run."""
    old = bench.home.run(run_id)
    job, kept = prepare(bench, old, retry_failed)
    if not quiet:
        say(f"Answers of {old.id}; scores kept of: {', '.join(kept) or 'none'}.")
    return _run(bench, [job], as_json, quiet)


def _run(bench: Workbench, jobs: Sequence[Job], as_json: bool, quiet: bool) -> int:
    runs, code = evaluated(bench, jobs, quiet)
    if code == 0:
        show_runs(bench, [(job.folder, run) for job, run in zip(jobs, runs, strict=True)], as_json)
    return code


def evaluated(bench: Workbench, jobs: Sequence[Job], quiet: bool) -> tuple[list[EvalRun], int]:
    """Run every job; return the runs and 0, or none and the exit code of the signal that stopped them."""
    try:
        runs = supervise(lambda halt: evaluate_all(bench, jobs, halt, partial(watching, quiet=quiet), say))
    except Stopped as stop:
        _say_how_to_resume(jobs, f"Stopped by {stop}.")
        return [], stop.exit_code
    except LockedError:
        raise  # it goes on elsewhere
    except WorkbenchError:
        _say_how_to_resume(jobs, "Not finished.")
        raise
    return runs or [], 0


def _say_how_to_resume(jobs: Sequence[Job], what: str) -> None:
    for job in jobs:
        if job.folder.spec.exists() and not job.folder.summary.exists():
            say(f"{what} What was done is kept; go on with: workbench eval run --resume {job.folder.id}")


def show_runs(bench: Workbench, made: Sequence[tuple[RunFolder, EvalRun]], as_json: bool, worst: int = WORST) -> None:
    """Print finished runs, with what is known of their judges' errors; as JSON one object, or a list of several."""
    if as_json:
        plain = [_plain(bench, folder, run) for folder, run in made]
        click.echo(orjson.dumps(plain[0] if len(plain) == 1 else plain, option=orjson.OPT_INDENT_2).decode())
        return
    for folder, run in made:
        show_run(run, folder, worst, corrections(bench, run, folder))


def _plain(bench: Workbench, folder: RunFolder, run: EvalRun) -> dict[str, Any]:
    known = [one.model_dump(mode="json") for one in corrections(bench, run, folder)]
    return {**run.model_dump(mode="json"), **({"corrections": known} if known else {})}
