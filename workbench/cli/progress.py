"""Progress: a bar with the time left on a terminal, a report to the page that started the job, silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from workbench.evaluation.engine import Progress
from workbench.jobs.reported import is_job, reporter


def say(text: str) -> None:
    """Tell the user what is happening; stdout stays free for results."""
    click.echo(text, err=True)


@contextmanager
def watching(title: str, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Yield the function that shows an evaluation's progress."""
    if is_job():
        report = reporter(title)
        yield lambda p: report(p.done, p.total, _extra(p).removeprefix(" · "))
    elif quiet or not sys.stderr.isatty():
        yield lambda _: None
    else:
        with _bar(title) as show:
            yield show


@contextmanager
def _bar(title: str) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[extra]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, extra="")

        def show(p: Progress) -> None:
            bar.update(task, total=p.total, completed=p.done, extra=_extra(p))

        yield show


def _extra(p: Progress) -> str:
    failed = f" · {p.failed} failed" if p.failed else ""
    return failed + (f" · cost {p.cost:.4f}" if p.cost else "")
