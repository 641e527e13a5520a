"""What `workbench synth` does."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from workbench.cli.pricing import NOTE
from workbench.cli.progress import say, watching
from workbench.cli.show import grid
from workbench.config.synth_yaml import load_synthesis
from workbench.config.workbench_yaml import Workbench
from workbench.errors import LockedError, WorkbenchError
from workbench.jobs.pricing import total
from workbench.jobs.supervision import Stopped, supervise
from workbench.jobs.synth import Synthesis, SynthRun, prepare, synthesise
from workbench.reports.words import money


def price_recipe(bench: Workbench, path: Path, *, as_json: bool) -> None:
    """Print what a recipe would call and cost."""
    estimates = prepare(bench, load_synthesis(path, bench)).estimate()
    if as_json:
        plain = [e.model_dump(mode="json") for e in estimates]
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return
    rows = [
        (e.role, e.model, f"{e.calls:,}", f"{e.input_tokens:,}", f"{e.output_tokens:,}", money(e.cost))
        for e in estimates
    ]
    grid(("role", "model", "calls", "tokens in", "tokens out", "cost"), rows)
    cost = total(estimates)
    click.echo(f"Cost: {'about ' + money(cost) if cost is not None else 'unknown, a model has no price'}.\n{NOTE}")


def run_recipe(
    bench: Workbench, path: Path, budget: float | None, *, retry_failed: bool, as_json: bool, quiet: bool
) -> int:
    """Make what a recipe says and show it; return the exit code."""
    recipe = load_synthesis(path, bench)
    work = prepare(bench, recipe if budget is None else recipe.model_copy(update={"budget": budget}))
    try:
        with watching(recipe.name, quiet) as show:
            run = supervise(lambda halt: synthesise(work, halt, show, say, retry_failed=retry_failed))
    except Stopped as stop:
        _say_how_to_resume(work, f"Stopped by {stop}.")
        return stop.exit_code
    except LockedError:
        raise  # it goes on elsewhere
    except WorkbenchError:
        _say_how_to_resume(work, "Not finished.")
        raise
    if run is not None:
        click.echo(run.model_dump_json(indent=2)) if as_json else _show(run)
    return 0


def _say_how_to_resume(work: Synthesis, what: str) -> None:
    if (work.folder / "replies.sqlite").exists():
        say(f"{what} What was answered is kept; the same command goes on.")


def _show(run: SynthRun) -> None:
    click.echo(f"{run.recipe}: {run.asked:,} {run.kind} asked for, {run.kept:,} kept, for use {run.use}\n")
    if run.dropped:
        grid(("dropped", "n", "such as"), [(s.reason, f"{s.n:,}", ", ".join(s.examples)) for s in run.dropped])
        click.echo()
    click.echo(
        f"{run.requests:,} replies, {run.reused:,} of them kept before, {run.failed:,} failed; {money(run.cost)}"
    )
    if run.dataset:
        click.echo(f"dataset {run.dataset}")
    click.echo(f"records {run.records}")
