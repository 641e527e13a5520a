"""What the pages of error analysis do. Each function asks for the role by itself, whoever calls it, and signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dashboards import access, acting, data
from workbench.failures.entries import AnswerId, Note, Pick, Undo, Version
from workbench.failures.failure import Wanted
from workbench.failures.taxonomy import Taxonomy
from workbench.jobs import failures
from workbench.jobs.background import Job
from workbench.jobs.failures_sending import Sending, Sent, send


def code(of: AnswerId, text: str, tags: Sequence[str], correction: str = "") -> Note:
    """Write a note of the person here. Raises `AccessRefused`, `ConfigError`, `DataError`."""
    here = access.act("code")
    return failures.code(data.bench(), of, here.name, text=text, tags=tags, correction=correction)


def undo(line_id: str) -> Undo:
    """Take back a line of one's own; a curator takes back others' too."""
    here = access.act("code")
    return failures.undo(data.bench(), line_id, here.name, others=access.may("send"))


def pick(better: AnswerId, worse: AnswerId) -> Pick:
    """Write down which of two answers is better."""
    here = access.act("pick")
    return failures.pick(data.bench(), better, worse, here.name)


def save_taxonomy(taxonomy: Taxonomy, why: str, before: str) -> Version:
    """Save a version of the taxonomy."""
    here = access.act("adjudicate")
    return failures.save_taxonomy(data.bench(), taxonomy, here.name, why, before)


def send_on(wanted: Sending) -> Sent:
    """Send failures on, signed by the person here. Rows that are learnt from take the right to build."""
    here = access.act("send" if wanted.to == "argilla" else "build")
    return send(data.bench(), replace(wanted, by=here.name))


def cluster(run_id: str, wanted: Wanted, by: str, namer: str = "") -> Job:
    """Start a job that clusters the failures of a filter."""
    said = {"--metric": wanted.metric, "--slice": wanted.slice, "--cause": wanted.cause, "--error": wanted.error,
            "--human": wanted.human, "--text": wanted.text, "--name-with": namer or None}  # fmt: skip
    words = [f"{name}={value}" for name, value in said.items() if value is not None]
    words += [] if wanted.below is None else [f"--below={wanted.below:g}"]
    words += [] if wanted.coded is None else ["--coded" if wanted.coded else "--not-coded"]
    return acting.start(["failures", "cluster", run_id, f"--by={by}", *words])
