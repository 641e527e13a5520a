"""Run a command and print what it took, as JSON. Usage: launch.py LOG COMMAND...

A program of its own and small, because Linux counts the memory of the process that starts a command as the command's
own peak (`ru_maxrss` survives `exec`): started from a benchmark of 300 MB, nothing would ever need less than that.
"""

from __future__ import annotations

import json
import os
import sys
import time


def launch(log: str, command: list[str]) -> dict[str, float]:
    """Run a command to its end, its output going to `log`; return seconds, CPU seconds, peak memory in MB and code."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    streams = [(os.POSIX_SPAWN_DUP2, file, 1), (os.POSIX_SPAWN_DUP2, file, 2)]
    began = time.monotonic()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=streams)
    _, status, usage = os.wait4(pid, 0)  # with the children that the command itself waited for
    wall = time.monotonic() - began
    peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)  # macOS counts bytes, Linux KiB
    code = os.waitstatus_to_exitcode(status)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak_mb": peak, "code": code}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(launch(sys.argv[1], sys.argv[2:])))
