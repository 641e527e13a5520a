"""Resuming a run that was killed half-way: how soon does the first new call reach the endpoint?"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.endpoint import Endpoint, endpoint
from benchmarks.figures import Figure, Goal
from benchmarks.process import ENVIRONMENT, ROOT
from benchmarks.project import JUDGED, write_project
from benchmarks.setting import Setting

NAME = "resume"
KILLED = "killed"
POLL = 0.01
PATIENCE = 600.0


def resume(setting: Setting) -> list[Figure]:
    """Measure seconds from the start of `workbench eval run --resume` to its first request."""
    n, seconds = setting.sizes.many, []
    with endpoint() as server:
        project = write_project(setting.folder / NAME, n, JUDGED, server.base_url, setting.sizes.in_flight)
        setting.say(f"a run of {n:,} is killed half-way")
        _run_until(project.run(KILLED), server, n // 2, setting.log())
        for number in setting.each_round():
            setting.say(f"round {number}")
            home = f"home-{number}"
            shutil.copytree(project.folder / KILLED, project.folder / home)
            command = project.command("eval", "run", "--resume", "latest", home=home)
            began = _run_until(command, server, 1, setting.log())
            first = server.seen().first
            assert first is not None
            seconds.append(first - began)
    return [Figure(NAME, f"first new call of a half-done run of {n:,}", "s", tuple(seconds), Goal("<=", 2))]


def _run_until(command: list[str], server: Endpoint, calls: int, log: Path) -> float:
    """Start a command, kill it as soon as the endpoint saw so many calls, and return when it was started."""
    server.reset(20)  # slow enough that a run of 80 cannot end between two looks at the endpoint
    with log.open("wb") as output:
        began = time.monotonic()
        with subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT, env=ENVIRONMENT) as process:
            try:
                while server.seen().n < calls:
                    if process.poll() is not None or time.monotonic() - began > PATIENCE:
                        raise RuntimeError(f"{' '.join(command)}\n{log.read_text(errors='replace')[-2000:]}")
                    time.sleep(POLL)
            finally:
                process.kill()
    return began
