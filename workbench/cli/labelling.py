"""What `workbench label` does: one function a command; stdout holds the result, stderr the talk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import ValidationError

from workbench.cli.progress import say, watching
from workbench.cli.show import grid
from workbench.config.evalset_yaml import load_evalset
from workbench.config.labelling_yaml import find_templates, load_template
from workbench.config.workbench_yaml import Workbench
from workbench.datasets import Use
from workbench.errors import ConfigError, Problem
from workbench.evaluation.engine import Progress
from workbench.jobs.labelling import Wish, connected, pull_dataset, push_tasks, queue_disagreements
from workbench.jobs.labelling_progress import read_progress
from workbench.jobs.labelling_sources import tasks_from_evalset, tasks_from_file, tasks_from_run
from workbench.labelling.resolving import POLICIES, Resolution
from workbench.labelling.snapshot import Snapshot
from workbench.labelling.tasks import Task


@dataclass(frozen=True)
class Origin:
    """Where the records come from: a file, a run or an evalset."""

    file: Path | None
    run: str | None
    failed: bool
    judge: str | None
    evalset: str | None
    use: Use

    def named(self) -> str:
        """Return it in a word, for messages."""
        return str(self.file or self.run or self.evalset or "")

    def tasks(self, bench: Workbench) -> list[Task]:
        """Return its records. Raises `ConfigError` unless it is one of the three."""
        given = [value for value in (self.file, self.run, self.evalset) if value is not None]
        if len(given) != 1 or ((self.failed or self.judge) and self.run is None):
            what = "records come from one of --from, --run and --evalset; --failed and --judge belong to --run"
            raise ConfigError(Problem("USAGE", what, fix="see workbench label push --help"))
        if self.file is not None:
            return tasks_from_file(self.file)
        if self.run is not None:
            return tasks_from_run(bench.home.run(self.run), failed=self.failed, scorer=self.judge)
        return tasks_from_evalset(load_evalset(bench.evalsets / str(self.evalset), bench), self.use, bench.home)


def push(bench: Workbench, origin: Origin, wish: Wish, *, as_json: bool, quiet: bool) -> None:
    """Push records and say what was done."""
    tasks = origin.tasks(bench)
    try:
        with closing(connected(bench)) as server, counting(wish.dataset, quiet) as watch:
            done = push_tasks(bench, server, tasks, wish, watch)
    except KeyboardInterrupt:
        say("Stopped. What was pushed stays; type the same command to go on.")
        raise
    if as_json:
        _print(done._asdict())
    else:
        click.echo(f"{wish.dataset}: {done.added} added, {done.updated} updated, {done.unchanged} were there already")


def pull(
    bench: Workbench, name: str, policies: str | None, weights: Sequence[str], *, as_json: bool, quiet: bool
) -> None:
    """Pull a dataset and show what came."""
    how = None if policies is None and not weights else resolution(policies or "", weights)
    with closing(connected(bench)) as server, counting(name, quiet) as watch:
        snapshot = pull_dataset(bench, server, name, watch, how)
    if as_json:
        _print(snapshot.manifest.model_dump(mode="json"))
    else:
        _show(snapshot)


def adjudicate(bench: Workbench, name: str, *, as_json: bool, quiet: bool) -> None:
    """Queue disagreements and say how many."""
    with closing(connected(bench)) as server, counting(name, quiet) as watch:
        queue, done = queue_disagreements(bench, server, name, watch)
    if as_json:
        _print({"queue": queue, **done._asdict()})
    else:
        click.echo(f"{queue}: {done.added} added, {done.updated} updated, {done.unchanged} were there already")


def resolution(policies: str, weights: Sequence[str]) -> Resolution:
    """Return how conflicts are resolved. Raises `ConfigError`."""
    try:
        pairs = [word.rpartition("=") for word in weights]
        told = {name: float(number) for name, _, number in pairs}
        return Resolution.model_validate({"policies": [word for word in policies.split(",") if word], "weights": told})
    except ValueError as exc:
        why = exc.errors()[0]["msg"].removeprefix("Value error, ") if isinstance(exc, ValidationError) else str(exc)
        fix = f"--resolve takes some of {', '.join(POLICIES)}, by comma; --weight takes NAME=N"
        raise ConfigError(Problem("USAGE", why, field="--resolve", got=policies, fix=fix)) from exc


def progress(bench: Workbench, name: str, *, as_json: bool) -> None:
    """Show how far a dataset is."""
    live = read_progress(bench, name)
    found, overlap = live.progress, live.overlap
    if as_json:
        people = [person._asdict() for person in found.annotators]
        _print(found._asdict() | {"annotators": people, "overlap": overlap})
        return
    wanted = f"{overlap} answer{'s' if overlap > 1 else ''} each"
    click.echo(f"{name}: {found.completed} of {found.total} records have {wanted} ({live.guideline})\n")
    rows = [(p.name, str(p.submitted), str(p.drafts), str(p.discarded)) for p in found.annotators]
    grid(("annotator", "submitted", "drafts", "discarded"), rows)


def datasets(bench: Workbench, *, as_json: bool) -> None:
    """Show the workspace's datasets."""
    with closing(connected(bench)) as server:
        names = server.datasets()
    if as_json:
        _print(names)
    elif names:
        click.echo("\n".join(names))
    else:
        click.echo("No datasets yet; make one with: workbench label push")


def templates(bench: Workbench, *, as_json: bool) -> None:
    """Show all templates."""
    found = [(place, load_template(bench, place.name)) for place in find_templates(bench)]
    if as_json:
        _print([template.spec.model_dump(mode="json") | {"own": place.own} for place, template in found])
        return
    rows = [(t.name, t.version, "own" if place.own else "built in", t.spec.description) for place, t in found]
    grid(("template", "guideline", "", "what"), rows)


def _show(snapshot: Snapshot) -> None:
    """Print what a snapshot holds."""
    m = snapshot.manifest
    click.echo(f"{m.name}: {m.n_labels} labels in {m.n_submitted} submitted answers under {m.form.version}")
    click.echo(
        f"{m.n_labelled} of {m.n_records} records labelled, {m.n_complete} with {m.overlap} or more answers; "
        f"left out: {m.n_drafts} drafts, {m.n_discarded} discarded\n"
    )
    grid(("annotator", "submitted"), [(name, str(n)) for name, n in m.annotators.items()])
    if m.resolution is not None:
        told = ", ".join(f"{by} {n}" for by, n in sorted(m.resolved.items()))
        click.echo(f"\nresolved by {', then '.join(m.resolution.policies)}: {told}")
    click.echo(f"\n{snapshot.path}")


@contextmanager
def counting(title: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield the function that shows a count with the time left."""
    with watching(title, quiet) as show:
        yield lambda done, total: show(Progress(done=done, total=total, failed=0, cost=0.0))


def _print(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
