"""What pages do to jobs. Each function asks for the role by itself, whoever calls it."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import access, data
from workbench.jobs import background
from workbench.jobs.background import Job

WHAT: dict[str, access.Act] = {
    "eval": "evaluate",
    "rag": "evaluate",
    "judge": "evaluate",
    "gate": "gate",
    "train": "train",
    "model": "train",
    "label": "send",
    "failures": "send",
    "synth": "build",
    "pairs": "build",
    "evalset": "build",
    "data": "build",
}
"""The act that a command of this name is."""


def what(argv: Sequence[str]) -> access.Act:
    """Return the act that starting this command is; of one that is not listed, the rarest right."""
    return WHAT.get(argv[0] if argv else "", "promote")


def start(argv: Sequence[str]) -> Job:
    """Start a `workbench` command as a job. Raises `AccessRefused`, `ConfigError`."""
    here = access.act(what(argv))
    return background.start(data.bench(), argv, here.name)


def resume(job: Job) -> Job:
    """Go on with a job: the same role as for starting it."""
    here = access.act(what(job.command.argv))
    return background.resume(data.bench(), job, here.name)


def may_cancel(job: Job) -> bool:
    """Return whether the person here may stop it; for drawing alone."""
    return access.person().name == job.command.by or access.may("stop")


def cancel(job: Job) -> None:
    """Ask a job to stop. Whoever started it may, and who has the role."""
    here = access.person()
    if here.name != job.command.by:
        access.act("stop")
    background.cancel(job, here.name)
