"""What `workbench train sweep` does and prints."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.progress import say
from workbench.cli.running import evaluated, jobs_for
from workbench.cli.show import grid
from workbench.cli.training import watched
from workbench.config.sweep_yaml import load_sweep
from workbench.config.workbench_yaml import Workbench
from workbench.evaluation.arms import Finished
from workbench.jobs.planning import finished_run
from workbench.jobs.supervision import Stopped
from workbench.jobs.sweep import Sweep, Sweeping, chosen, confirmed, finished
from workbench.reports.words import interval_text, number, p_value, signed


def sweep_and_show(bench: Workbench, file: Path, *, as_json: bool, quiet: bool) -> int:
    """Train what is missing, choose, confirm and show; return the exit code."""
    spec, recipe = load_sweep(file)
    sweeping = Sweeping(bench, spec, recipe)
    sweeping.check()
    made: dict[str, str] = {}
    for name in sweeping.wanted():
        training = _train(sweeping, name, quiet)
        if isinstance(training, int):
            return training
        made[name] = training
    if code := _evaluate(sweeping, spec.evalset, list(made.values()), quiet):
        return code
    sweep = sweeping.write(chosen(sweeping, {n: _found(sweeping, spec.evalset, t) for n, t in made.items()}))
    if sweep.winner != recipe.name:
        on = spec.confirm or spec.evalset
        two = [made[recipe.name], made[sweep.winner]]
        if code := _evaluate(sweeping, on, two, quiet):
            return code
        sweep = sweeping.write(confirmed(sweep, *(_found(sweeping, on, training) for training in two)))
    click.echo(sweep.model_dump_json(indent=2)) if as_json else _show(sweep, sweeping)
    return 0


def _train(sweeping: Sweeping, name: str, quiet: bool) -> str | int:
    """Return the id of a trial's finished training run, or the exit code of what stopped it."""
    from workbench.jobs.training import begin, go_on

    spec = sweeping.wanted()[name]
    folder = sweeping.trained(spec)
    if folder is not None and folder.summary.exists():
        return folder.id
    say(f"trial {name}: {'going on' if folder is not None else 'training'}")
    try:
        with watched(name, quiet) as audience:
            bench = sweeping.bench
            done = begin(bench, spec, audience) if folder is None else go_on(bench, folder.id, audience)
    except Stopped as stop:
        say(f"Stopped by {stop}; a checkpoint was saved. The same command goes on with the sweep.")
        return stop.exit_code
    return done.id


def _evaluate(sweeping: Sweeping, evalset: str, made: list[str], quiet: bool) -> int:
    """Run what is missing; return the exit code."""
    plans = [sweeping.plan(evalset, training) for training in made]
    missing = [p for p in plans if finished_run(sweeping.bench, p.spec) is None]
    if not missing:
        return 0
    return evaluated(sweeping.bench, jobs_for(sweeping.bench, missing, fresh=False, quiet=quiet), quiet)[1]


def _found(sweeping: Sweeping, evalset: str, training: str) -> Finished:
    found = finished(sweeping, evalset, training)
    assert found is not None, "it was evaluated just now"
    return found


def _show(sweep: Sweep, sweeping: Sweeping) -> None:
    rows = [
        (t.name, "—" if t.rank is None else str(t.rank), f"{t.learning_rate:g}", number(t.value), str(t.n),
         number(t.dev_loss), "winner" if t.name == sweep.winner else "", t.training)
        for t in sweep.trials
    ]  # fmt: skip
    grid(("trial", "rank", "rate", sweep.metric, "n", "dev loss", "", "training"), rows)
    m = sweep.confirmation
    if m is None:
        click.echo("The recipe as it is wins: there is nothing to confirm.")
    else:
        held = "holds" if sweep.holds else "is not confirmed: a lucky draw among the trials explains it as well"
        click.echo(
            f"On {sweep.confirmed_on}: winner minus recipe {signed(m.delta)} {interval_text(m.interval)}, "
            f"p {p_value(m.p)}, n {m.n}: it {held}."
        )
    click.echo(f"written to {sweeping.file}")
