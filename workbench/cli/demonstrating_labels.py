"""The demo's labelling: simulated annotators answer in the real Argilla, unless they have."""

from __future__ import annotations

from contextlib import closing

import click

from workbench.adapters.argilla_server import run as run_argilla
from workbench.cli.labelling import counting, pull
from workbench.cli.looping import show_rates
from workbench.cli.progress import say
from workbench.config.workbench_yaml import Workbench
from workbench.errors import LabellingError
from workbench.jobs import demo
from workbench.jobs.labelling import Wish, connected, push_tasks, queue_disagreements
from workbench.jobs.loop import ADJUDICATOR, PEOPLE, Queue, Said, label
from workbench.simulated.annotators import Truth


def labelled(outer: Workbench, bench: Workbench, queue: Queue, quiet: bool) -> dict[str, object]:
    """Have a queue labelled and pulled; return what was said now. Raises `LabellingError`."""
    if demo.was_labelled(bench, queue):
        say(f"{queue.name}: labelled and pulled before.")
        return {"annotators": "simulated", "answers": []}
    home = (bench.home.root / bench.config.labelling.argilla).absolute()
    if run_argilla(["up"], home, outer.file.absolute().parent, quiet=True):
        raise LabellingError(f"Argilla's server did not start; see {home} for its log")
    known = demo.accepted(bench)
    wish = Wish(queue.name, queue.template, queue.name, overlap=len(PEOPLE), suggestions=False)
    with closing(connected(bench)) as server, counting(queue.name, quiet) as watch:
        done = push_tasks(bench, server, queue.tasks, wish, watch)
    click.echo(f"{queue.name}: {done.added} added, {done.updated} updated, {done.unchanged} were there already")
    said = label(bench, queue.name, PEOPLE, known) + _decided(bench, queue.name, known, quiet)
    show_rates((*PEOPLE, ADJUDICATOR), said)
    pull(bench, queue.name, "adjudicated,majority", (), as_json=False, quiet=quiet)
    return {"annotators": "simulated", "answers": [one.__dict__ for one in said]}


def _decided(bench: Workbench, name: str, known: Truth, quiet: bool) -> list[Said]:
    """Have the adjudicator decide what the others differ on."""
    with closing(connected(bench)) as server, counting(name, quiet) as watch:
        queue, differ = queue_disagreements(bench, server, name, watch)
    if differ == (0, 0, 0):
        return []
    click.echo(f"{queue}: they differ on {sum(differ)} records, which {ADJUDICATOR.name} decides")
    return label(bench, queue, [ADJUDICATOR], known)
