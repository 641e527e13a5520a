"""Run one command of a job to its end and write down how it ended: `python -m workbench.jobs.wrapped FOLDER`.

A process of its own session, whose parent leaves at once: it outlives the page, the browser and the server that started
it. The job's lock comes with it as an open file, and goes on to the command: the kernel gives the lock back when both
are gone, however they went, so that "runs" is never a guess, also after a restart of the machine.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from workbench.jobs.process_times import started_at

KILL_AFTER = 3
"""The first request to stop lets work under way end, the second ends at once, the third kills."""


def main(folder: Path, lock: int) -> None:
    """Leave the parent, run the command, pass signals on, and note the exit code."""
    if os.fork():
        os._exit(0)
    os.setsid()
    command = json.loads((folder / "command.json").read_bytes())
    with (folder / "log").open("ab", buffering=0) as log:
        child = subprocess.Popen(
            command["words"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=command["folder"],
            pass_fds=(lock,),
            env={**os.environ, **command["environment"]},
        )
    received: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        received.append(number)
        child.send_signal(signal.SIGKILL if len(received) >= KILL_AFTER else signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    state: dict[str, object] = {"pid": os.getpid(), "pid_started": started_at(os.getpid())}
    state |= {"command_pid": child.pid, "command_started": started_at(child.pid)}
    _write(folder / "state.json", state)
    code = child.wait()
    code = 128 - code if code < 0 else code  # as a shell tells a signal
    _write(folder / "state.json", state | {"code": code, "ended": datetime.now(UTC).isoformat(timespec="seconds")})


def _write(path: Path, value: dict[str, object]) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
