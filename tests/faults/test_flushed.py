"""R3: nothing is acknowledged before the kernel was told to flush it; `strace` sees the order of the calls."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ACKNOWLEDGING = """
import asyncio, os, sys
from pathlib import Path
from workbench.store.journal import Journal

async def main():
    async with Journal(Path(sys.argv[1])) as journal:
        for i in range(int(sys.argv[2])):
            journal.add_output(str(i), 0, b"x" * 500)
            await journal.durable()
            os.write(1, b"ack\\n")

asyncio.run(main())
"""
CALLS = "trace=openat,pwrite64,write,fdatasync,fsync"
OPENED = re.compile(r'openat\(.*"(?P<path>[^"]*)".*\) = (?P<fd>\d+)')
WRITTEN = re.compile(r"pwrite64\((?P<fd>\d+),")
FLUSHING = re.compile(r"(?P<pid>\d+) +f(?:data)?sync\((?P<fd>\d+)(?P<end>\) += 0| <unfinished)")
FLUSHED = re.compile(r"(?P<pid>\d+) +<\.\.\. f(?:data)?sync resumed>\) += 0")


def unflushed_acknowledgements(lines: list[str]) -> tuple[int, int]:
    """Return how many acknowledgements were written, and how many while a write to the journal was not flushed."""
    wal: set[str] = set()
    dirty: set[str] = set()
    flushing: dict[str, str] = {}
    acknowledged = early = 0
    for line in lines:
        if found := OPENED.search(line):
            (wal.add if found["path"].endswith("-wal") else wal.discard)(found["fd"])
        elif (found := WRITTEN.search(line)) and found["fd"] in wal:
            dirty.add(found["fd"])
        elif found := FLUSHING.search(line):
            if found["end"].startswith(")"):
                dirty.discard(found["fd"])
            else:
                flushing[found["pid"]] = found["fd"]
        elif found := FLUSHED.search(line):
            dirty.discard(flushing.pop(found["pid"]))
        elif 'write(1, "ack' in line:
            acknowledged += 1
            early += bool(dirty)
    return acknowledged, early


@pytest.mark.parametrize("commits", [50, pytest.param(1000, marks=pytest.mark.long)])
def test_what_is_acknowledged_has_been_flushed(commits: int, tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("needs strace: apt-get install strace")
    command = [sys.executable, "-c", ACKNOWLEDGING, str(tmp_path / "j.sqlite"), str(commits)]
    log = tmp_path / "calls"
    done = subprocess.run(["strace", "-f", "-e", CALLS, "-o", log, *command], capture_output=True, text=True)
    if "ptrace" in done.stderr.lower():
        pytest.skip(f"needs the right to trace a process: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    lines = log.read_text(errors="replace").splitlines()
    assert unflushed_acknowledgements(lines) == (commits, 0)
    assert sum(bool(FLUSHING.search(line)) for line in lines) >= commits


def test_an_acknowledgement_before_the_flush_would_be_seen() -> None:
    opened, written = '7 openat(AT_FDCWD, "/x/j.sqlite-wal", O_RDWR) = 5', "7 pwrite64(5, ..., 4096, 0) = 4096"
    started, ended, ack = (
        "7 fdatasync(5 <unfinished ...>",
        "7 <... fdatasync resumed>) = 0",
        '8 write(1, "ack\\n", 4) = 4',
    )
    assert unflushed_acknowledgements([opened, written, ack, started, ended]) == (1, 1)
    assert unflushed_acknowledgements([opened, written, started, ack, ended]) == (1, 1)
    assert unflushed_acknowledgements([opened, written, started, ended, ack]) == (1, 0)
