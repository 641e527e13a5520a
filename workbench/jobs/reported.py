"""What a command tells whoever started it as a job: how far it is, and which runs it writes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Literal

from pydantic import Field

from workbench.nouns import Noun

JOB = "WORKBENCH_JOB"
"""Environment variable that names the job's folder; not set where a person typed the command."""
EVERY = 0.5
"""Seconds between two reports."""


class Reported(Noun):
    """How far a job is."""

    title: str
    """What it is busy with."""
    done: int = Field(ge=0)
    """Units done."""
    total: int = Field(ge=0)
    """Of how many; 0: unknown."""
    note: str = ""
    """What else is known, such as failures, cost, loss."""
    seconds: float = Field(ge=0)
    """Since it began to count."""
    begun: int = Field(0, ge=0)
    """Units that were done when it began to count."""

    def left(self) -> float | None:
        """Return the seconds that remain at the speed so far; `None` before anything was done."""
        made = self.done - self.begun
        return None if made <= 0 or not self.total else self.seconds / made * max(0, self.total - self.done)


class Made(Noun):
    """A run that a job writes."""

    kind: Literal["runs", "training"]
    """Folder of the home."""
    id: str
    """The run."""


def is_job() -> bool:
    """Return whether this process was started as a job."""
    return JOB in os.environ


def reporter(title: str) -> Callable[[int, int, str], None]:
    """Return the function that reports `(done, total, note)`, twice a second at most; the last unit always."""
    folder, begin = Path(os.environ[JOB]), monotonic()
    last, first = -EVERY, -1

    def report(done: int, total: int, note: str = "") -> None:
        nonlocal last, first
        now = monotonic() - begin
        first = done if first < 0 else first
        if now - last >= EVERY or (total and done >= total):
            last = now
            told = Reported(title=title, done=done, total=total, note=note, seconds=now, begun=first)
            temporary = folder / f".progress.{os.getpid()}"  # no flush: losing it costs nothing
            temporary.write_bytes(told.json_bytes())
            temporary.replace(folder / "progress.json")

    return report


def note_made(kind: Literal["runs", "training"], run_id: str) -> None:
    """Note a run that this job writes; does nothing where a person typed the command."""
    if is_job():
        with (Path(os.environ[JOB]) / "made.jsonl").open("ab") as file:
            file.write(Made(kind=kind, id=run_id).json_bytes() + b"\n")
