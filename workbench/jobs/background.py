"""Long work as processes of their own: started from a page, followed, stopped and gone on with.

What may be started is the table below, `workbench` commands and their options, never a shell. A job is a folder:
`command.json` what, by whom and when · `lock` held while it lives · `state.json` its processes and its end · `log` ·
`progress.json` · `made.jsonl` the runs it writes · `stops.jsonl` who asked it to stop.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import orjson
from pydantic import ValidationError

from workbench.config.workbench_yaml import Workbench
from workbench.errors import DataError, Problem
from workbench.jobs.launchable import refuse_unknown
from workbench.jobs.process_times import started_at
from workbench.jobs.reported import JOB, Made, Reported
from workbench.nouns import Many, Noun
from workbench.store.files import write_atomic
from workbench.store.home import Home
from workbench.store.lock import owner_of

N = TypeVar("N", bound=Noun)
JOB_ID = re.compile(r"[0-9]{8}-[0-9]{9}-[a-z0-9-]{1,60}")
WHO = "WORKBENCH_WHO"
"""Environment variable by which a job's command knows who asked for it: `jobs.acting.who`."""
TAIL = 64 * 1024
"""Bytes of a log that are shown."""
State = Literal["running", "stopping", "done", "fail", "incomplete", "stopped", "failed", "lost"]
ENDED: dict[int, State] = {0: "done", 1: "fail", 4: "incomplete", 130: "stopped", 137: "stopped", 143: "stopped"}
"""What an exit code means; any other is `failed`."""


class Started(Noun):
    """What `command.json` holds."""

    argv: Many[str]
    """The command's words, without `workbench`."""
    words: Many[str]
    """The whole command line."""
    folder: str
    """Folder it runs in: that of workbench.yaml."""
    environment: dict[str, str]
    """Variables it is given besides those of the server."""
    by: str
    """Who asked for it."""
    at: str
    """When: ISO 8601 time, UTC."""
    resumes: str = ""
    """Id of the job that it goes on with."""


class Ran(Noun):
    """What `state.json` holds: written when it begins, and again when it ends."""

    pid: int
    """Process that waits for the command."""
    pid_started: str
    """When that began: `process_times.started_at`."""
    command_pid: int
    """The command's own process."""
    command_started: str
    """When that began."""
    code: int | None = None
    """Exit code; `None` while it runs, and for ever where it could not say."""
    ended: str = ""
    """When: ISO 8601 time, UTC."""


class Stop(Noun):
    """Somebody asked a job to stop."""

    by: str
    """Who."""
    at: str
    """When: ISO 8601 time, UTC."""


class Job(Noun):
    """A job as it stands now."""

    id: str
    """Name of its folder."""
    path: str
    """The folder."""
    command: Started
    """What, by whom, when."""
    state: State
    """`running` · `stopping`: asked to stop, not at its end · `done` · `fail`: the answer is no (a gate, a lint) ·
    `incomplete`: can be gone on with · `stopped` · `failed`: see the log · `lost`: it ended without a word, because it
    was killed or the machine went down."""
    code: int | None = None
    """Exit code."""
    ended: str = ""
    """When it ended: ISO 8601 time, UTC."""
    progress: Reported | None = None
    """How far it is."""
    made: Many[Made] = ()
    """Runs it writes."""
    stops: Many[Stop] = ()
    """Who asked it to stop: the first request lets work under way end, the second ends at once, the third kills."""

    def alive(self) -> bool:
        """Return whether it still runs."""
        return self.state in ("running", "stopping")

    def resumable(self) -> bool:
        """Return whether `resume` goes on with it."""
        return self.state in ("incomplete", "stopped", "failed", "lost")


def start(bench: Workbench, argv: Sequence[str], by: str, resumes: str = "") -> Job:
    """Start a `workbench` command as a job. Raises `ConfigError` for one that may not be started."""
    refuse_unknown(argv)
    now = datetime.now(UTC)
    folder = (
        _jobs(bench.home) / f"{now:%Y%m%d-%H%M%S}{now.microsecond // 1000:03d}-{_words(argv)}-{secrets.token_hex(2)}"
    )
    command = Started(
        argv=tuple(argv),
        words=(sys.executable, "-m", "workbench", "--config", str(bench.file), *argv),
        folder=str(bench.file.parent),
        environment={WHO: by, JOB: str(folder.absolute()), "PYTHONUNBUFFERED": "1"},
        by=by,
        at=now.isoformat(timespec="seconds"),
        resumes=resumes,
    )
    write_atomic(folder / "command.json", command.json_bytes())
    _launch(folder)
    return job(bench.home, folder.name)


def jobs(home: Home) -> list[Job]:
    """Return every job, newest first; one whose files are damaged is left out."""
    found: list[Job] = []
    for folder in sorted(_jobs(home).glob("*/command.json"), reverse=True):
        with suppress(DataError):
            found.append(job(home, folder.parent.name))
    return found


def job(home: Home, job_id: str) -> Job:
    """Return one job; `latest` is the newest. Raises `DataError`."""
    known = [path.parent.name for path in sorted(_jobs(home).glob("*/command.json"))]
    if job_id == "latest" and known:
        job_id = known[-1]
    if job_id not in known or not JOB_ID.fullmatch(job_id):
        raise DataError(Problem("UNKNOWN_JOB", "no job has this id", got=job_id, fix="see `workbench jobs ls`"))
    folder = _jobs(home) / job_id
    command, ran = _read(folder / "command.json", Started), _read(folder / "state.json", Ran)
    if command is None:
        what = "what was started cannot be read"
        raise DataError(Problem("DAMAGED_JOB", what, str(folder / "command.json"), fix="remove the job's folder"))
    stops = _lines(folder / "stops.jsonl", Stop)
    return Job(
        id=job_id,
        path=str(folder),
        command=command,
        state=_state(folder, ran, bool(stops)),
        code=ran.code if ran else None,
        ended=ran.ended if ran else "",
        progress=_read(folder / "progress.json", Reported),
        made=tuple(_lines(folder / "made.jsonl", Made)),
        stops=tuple(stops),
    )


def log(found: Job, limit: int = TAIL) -> str:
    """Return the end of what a job said, whole lines where it is long. It holds model text: hostile until escaped."""
    try:
        with (Path(found.path) / "log").open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return text if size <= limit else text.partition("\n")[2]


def cancel(found: Job, by: str) -> None:
    """Ask a job to stop; again: at once; a third time: kill it. Does nothing where it has ended."""
    ran = _read(Path(found.path) / "state.json", Ran)
    if ran is None or ran.code is not None:
        return
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with (Path(found.path) / "stops.jsonl").open("ab") as file:
        file.write(Stop(by=by, at=now).json_bytes() + b"\n")
    with suppress(ProcessLookupError):
        if _is(ran.pid, ran.pid_started):
            os.kill(ran.pid, signal.SIGTERM)
        elif _is(ran.command_pid, ran.command_started):  # who waited for it was killed
            os.kill(ran.command_pid, signal.SIGKILL if len(found.stops) > 1 else signal.SIGTERM)


def resume(bench: Workbench, found: Job, by: str) -> Job:
    """Go on with a job that did not come to its end: a training from its checkpoint, all else by the same command."""
    argv = list(found.command.argv)
    trained = [made.id for made in found.made if made.kind == "training"]
    if argv[:1] == ["train"] and trained:
        argv = ["train", "resume", trained[-1]]
    return start(bench, argv, by, resumes=found.id)


def _launch(folder: Path) -> None:
    """Start the process that runs the command, the job's lock already held by it."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        # It forks and leaves at once, so that nobody has to wait for the job's end.
        words = [sys.executable, "-m", "workbench.jobs.wrapped", str(folder), str(handle)]
        with (folder / "log").open("ab") as log:
            subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(handle,))
    finally:
        os.close(handle)


def _state(folder: Path, ran: Ran | None, asked: bool) -> State:
    if ran is not None and ran.code is not None:
        return ENDED.get(ran.code, "failed")
    if owner_of(folder) is not None:
        return "stopping" if asked else "running"
    ran = _read(folder / "state.json", Ran)  # it may have ended between the two looks
    return "lost" if ran is None or ran.code is None else ENDED.get(ran.code, "failed")


def _is(pid: int, started: str) -> bool:
    return started_at(pid) == started


def _jobs(home: Home) -> Path:
    return home.root / "jobs"


def _words(argv: Sequence[str]) -> str:
    return re.sub(r"[^a-z0-9]+", "-", "-".join(argv[:3]).lower()).strip("-")[:40]


def _read(path: Path, noun: type[N]) -> N | None:
    """Return what a small file holds, or `None` where it is not there or not whole."""
    try:
        return noun.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _lines(path: Path, noun: type[N]) -> list[N]:
    try:
        return [noun.model_validate(orjson.loads(line)) for line in path.read_bytes().splitlines()]
    except (OSError, ValidationError, orjson.JSONDecodeError):
        return []
