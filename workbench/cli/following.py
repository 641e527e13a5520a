"""Show a job's log, and follow it to its end."""

from __future__ import annotations

from pathlib import Path
from time import sleep

import click

from workbench.jobs.background import Job, job
from workbench.reports.escaping import visible
from workbench.store.home import Home

PAUSE = 0.3
"""Seconds between two looks."""


def follow_log(home: Home, found: Job, follow: bool) -> None:
    """Print the log, text as text; with `follow`, until the job has ended."""
    at = 0
    while True:
        alive = job(home, found.id).alive()  # asked before the log is read, so that its last words are not missed
        at = _print(Path(found.path) / "log", at, whole=not (follow and alive))
        if not (follow and alive):
            return
        sleep(PAUSE)


def _print(path: Path, at: int, *, whole: bool) -> int:
    """Print what was added since; return where it ended: at a line's end, unless all is wanted."""
    try:
        with path.open("rb") as file:
            file.seek(at)
            added = file.read()
    except FileNotFoundError:
        return at
    added = added if whole else added[: added.rfind(b"\n") + 1]
    if added:
        click.echo(visible(added.decode("utf-8", "replace")), nl=False)
    return at + len(added)
