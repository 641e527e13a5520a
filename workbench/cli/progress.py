"""Progress on stderr: a bar with the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from workbench.evaluation.engine import Progress

EVERY = 10.0
"""Seconds between two lines where stderr is no terminal."""


def say(text: str) -> None:
    """Tell the user what is happening; stdout stays free for results."""
    click.echo(text, err=True)


@contextmanager
def watching(title: str, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Yield the function that shows an evaluation's progress."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar(title) as show:
            yield show
    else:
        yield _lines(title)


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


def _lines(title: str) -> Callable[[Progress], None]:
    first: tuple[float, int] | None = None  # the pace is taken from the first answer on: a server may have to start
    last = time.monotonic()
    said = False

    def show(p: Progress) -> None:
        nonlocal first, last, said
        now = time.monotonic()
        first = first or (now, p.done)
        if now - last < EVERY and not (said and p.done == p.total):
            return
        last, said = now, True
        made = p.done - first[1]
        left = f", about {(now - first[0]) / made * (p.total - p.done):.0f} s left" if made else ""
        say(f"{title}: {p.done}/{p.total}{_extra(p)}{left}")

    return show


def _extra(p: Progress) -> str:
    failed = f" · {p.failed} failed" if p.failed else ""
    return failed + (f" · cost {p.cost:.4f}" if p.cost else "")
