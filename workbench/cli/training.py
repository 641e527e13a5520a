"""What `workbench train` prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from workbench.cli.progress import say
from workbench.cli.show import grid
from workbench.config.training_yaml import load_recipe
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, IncompleteRun, Problem
from workbench.jobs.reported import is_job, reporter
from workbench.jobs.supervision import Stopped
from workbench.training.checkpoints import last_complete
from workbench.training.folder import TrainFolder, TrainRun, find_folder, folders
from workbench.training.progress import Progress

if TYPE_CHECKING:
    from workbench.jobs.training import Audience
    from workbench.jobs.training_plan import TrainPlan

GB = 10**9


def run_recipe(bench: Workbench, recipe: Path, method: str, *, as_json: bool, quiet: bool) -> int:
    """Train a recipe; return the exit code."""
    from workbench.jobs.training import begin

    spec = load_recipe(recipe)
    if spec.method.kind != method:
        fix = f"run: workbench train {spec.method.kind} {recipe}"
        what = f"this recipe's method is {spec.method.kind}"
        raise ConfigError(Problem("WRONG_METHOD", what, str(recipe), field="method.kind", got=method, fix=fix))
    return _trained(bench, lambda show: begin(bench, spec, _audience(show, quiet)), spec.name, as_json, quiet)


def resume_run(bench: Workbench, run_id: str, *, as_json: bool, quiet: bool) -> int:
    """Go on with a run; return the exit code."""
    from workbench.jobs.training import go_on

    return _trained(bench, lambda show: go_on(bench, run_id, _audience(show, quiet)), run_id, as_json, quiet)


def _trained(
    bench: Workbench, work: Callable[[Callable[[Progress], None]], TrainRun], title: str, as_json: bool, quiet: bool
) -> int:
    try:
        with _watching(title, quiet) as show:
            run = work(show)
    except Stopped as stop:
        _say_how_to_resume(bench, f"Stopped by {stop}; a checkpoint was saved.")
        return stop.exit_code
    except IncompleteRun:
        _say_how_to_resume(bench, "Not finished.")
        raise
    click.echo(orjson.dumps(run.model_dump(mode="json"), option=orjson.OPT_INDENT_2).decode()) if as_json else _show(
        bench, run
    )
    return 0


def _say_how_to_resume(bench: Workbench, what: str) -> None:
    unfinished = [folder for folder in folders(bench.home) if not folder.summary.exists()]
    if unfinished:
        say(f"{what} Go on with: workbench train resume {unfinished[-1].id}")


@contextmanager
def watched(title: str, quiet: bool) -> Iterator[Audience]:
    """Yield the audience of a training that is shown as progress."""
    with _watching(title, quiet) as show:
        yield _audience(show, quiet)


def _audience(show: Callable[[Progress], None], quiet: bool) -> Audience:
    from workbench.jobs.training import Audience

    return Audience(show, (lambda _: None) if quiet else say)


def _show(bench: Workbench, run: TrainRun) -> None:
    folder = find_folder(bench.home, run.id)
    last, dev = run.last, run.dev
    click.echo(f"\n{run.id}: {run.state}{': ' + run.why if run.why else ''}")
    click.echo(f"  {run.steps} of {run.start.steps} steps in {run.seconds:.1f} s")
    if last is not None:
        click.echo(f"  training loss {last.loss:.4f}{_rewards(last.margin, last.reward_accuracy)}")
    if dev is not None:
        click.echo(f"  dev loss      {dev.loss:.4f}{_rewards(dev.margin, dev.reward_accuracy)}")
    click.echo(f"  made   {folder.path / run.made}\n  losses {folder.losses}")


def _rewards(margin: float | None, accuracy: float | None) -> str:
    return "" if margin is None else f", reward margin {margin:.3f}, accuracy {accuracy or 0.0:.2f}"


# ---------------------------------------------------------------- plan


def show_plan(bench: Workbench, recipe: Path, hardware: str, memory: float | None, *, as_json: bool) -> int:
    """Print what a recipe would take; return 0 where it fits."""
    from workbench.jobs.training_plan import plan_training

    plan = plan_training(bench, load_recipe(recipe), hardware, memory)
    if as_json:
        click.echo(orjson.dumps(plan.model_dump(mode="json"), option=orjson.OPT_INDENT_2).decode())
    else:
        _show_plan(plan)
    return 0 if plan.fits else 1


def _show_plan(plan: TrainPlan) -> None:
    share = plan.trainable / plan.parameters
    click.echo(f"{plan.name}: {plan.trainable:,} parameters trained of a base of {plan.parameters:,} ({share:.2%})")
    dropped = f", {plan.dropped} left out as too long" if plan.dropped else ""
    click.echo(
        f"{plan.rows:,} rows, the longest of {plan.longest:,} tokens{dropped}; {plan.tokens:,} tokens, "
        f"{plan.learnt:,} of them learnt; {plan.steps:,} steps, {plan.padded:,} tokens with padding"
    )
    grid(("memory for", "GB", "how"), [(p.name, f"{p.bytes / GB:.3f}", p.how) for p in plan.memory.parts if p.bytes])
    on = plan.hardware
    verdict = "fits" if plan.fits else "does NOT fit"
    click.echo(f"peak {plan.memory.peak / GB:.2f} GB, which {verdict} into {on.memory / GB:.1f} GB of {on.name}")
    for change in plan.changes:
        click.echo(f"  then {change}")
    cost = plan.cost
    click.echo(
        f"about {_duration(cost.seconds)}, {cost.kilowatt_hours:.3g} kWh, {cost.co2:.3g} kg CO2 "
        f"({cost.operations:.2g} operations; {cost.model})"
    )
    for note in plan.notes:
        click.echo(f"note: {note}")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


# ---------------------------------------------------------------- list


def list_runs(bench: Workbench, *, as_json: bool) -> None:
    """Print all training runs."""
    found = folders(bench.home)
    if as_json:
        click.echo(orjson.dumps([_told(folder) for folder in found], option=orjson.OPT_INDENT_2).decode())
    elif not found:
        click.echo("No training runs yet; start one with: workbench train sft RECIPE.yaml")
    else:
        grid(("run", "state", "steps", "dataset", "loss", "dev loss"), map(_line, found))


def _told(folder: TrainFolder) -> dict[str, object]:
    start, run = folder.started(), folder.finished()
    checkpoint, _ = (None, None) if run else last_complete(folder.checkpoints)
    return {
        "id": folder.id, "state": run.state if run else "unfinished", "steps": run.steps if run else None,
        "planned_steps": start.steps, "checkpoint": checkpoint.name if checkpoint else None,
        "method": start.spec.method.kind, "base": start.spec.base, "dataset": start.spec.dataset,
        "dev": start.spec.dev, "made": str(folder.path / run.made) if run else None,
        "loss": run.last.loss if run and run.last else None, "dev_loss": run.dev.loss if run and run.dev else None,
    }  # fmt: skip


def _line(folder: TrainFolder) -> tuple[str, ...]:
    told = _told(folder)
    steps = f"{told['steps'] or told['checkpoint'] or 0} / {told['planned_steps']}"
    losses = (f"{told[name]:.4f}" if told[name] is not None else "" for name in ("loss", "dev_loss"))
    return (folder.id, str(told["state"]), steps, str(told["dataset"]), *losses)


# ---------------------------------------------------------------- progress


@contextmanager
def _watching(title: str, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Yield what shows progress: a bar with the time left on a terminal, silence elsewhere."""
    if is_job():
        report = reporter(title)
        yield lambda now: report(now.step, now.steps, _extra(now))
        return
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    text = TextColumn("{task.fields[extra]}", markup=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), text)
    with Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, extra="")
        yield lambda now: bar.update(task, total=now.steps, completed=now.step, extra=_extra(now))


def _extra(now: Progress) -> str:
    row = now.row
    left = "" if now.left is None else f" · {_duration(now.left)} left"
    if row is None:
        return now.doing + left
    speed = "" if row.tokens_per_second is None else f" · {row.tokens_per_second:,.0f} tokens/s"
    margin = "" if row.margin is None else f" · margin {row.margin:.3f}"
    return f"{row.split} loss {row.loss:.4f}{margin}{speed}{left}"
