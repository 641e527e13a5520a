"""R4 on a real file system: a tmpfs of 16 MB, filled to a few kilobytes, is what a full disk is."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.faults.project import Project, project, server

SIZE = "16m"
SAMPLES = 300
IN_FLIGHT = 8


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 16 MB, which takes the right to do so."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"needs the right to mount a file system, which root has: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def at_home_on(disk: Path, bench: Project) -> None:
    config = yaml.safe_load((bench.folder / "workbench.yaml").read_text())
    (bench.folder / "home.yaml").write_text(yaml.safe_dump({**config, "home": str(disk / "home")}))


def fill(disk: Path, room: int) -> Path:
    """Leave so many bytes."""
    filler, state = disk / "filler", os.statvfs(disk)
    with filler.open("wb") as file:
        file.truncate(0)
        os.posix_fallocate(file.fileno(), 0, state.f_bavail * state.f_frsize - room)
    return filler


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 10))])
def test_a_full_disk_names_the_path_leaves_old_runs_readable_and_resumes(
    seed: int, small_disk: Path, tmp_path: Path
) -> None:
    room = 4096 * random.Random(seed).randint(4, 60)
    with server(tmp_path / "server", 1) as endpoint:
        bench = project(tmp_path, SAMPLES, endpoint.base_url, {"concurrency": IN_FLIGHT})
        at_home_on(small_disk, bench)
        assert bench.run("eval", "run", "-q", "--limit", "10").returncode == 0
        filler = fill(small_disk, room)
        full = bench.run("eval", "run", "-q")
        assert full.returncode == 4, full.stderr
        assert "no room to write" in full.stderr and str(small_disk) in full.stderr, f"{room} bytes: {full.stderr}"
        assert "Traceback" not in full.stderr
        shown = bench.run("eval", "show", "--json")
        assert shown.returncode == 0, "the old run is read from the full disk"
        filler.unlink()
        done = bench.run("eval", "run", "-q")
        assert done.returncode == 0, done.stderr
        requests = endpoint.requests()
    assert len({r["sha"] for r in requests}) == 2 * SAMPLES
    assert len(requests) - 2 * SAMPLES <= 2 * IN_FLIGHT


def test_a_disk_that_is_full_from_the_start_is_told_by_its_path(small_disk: Path, tmp_path: Path) -> None:
    bench = project(tmp_path, SAMPLES, "http://127.0.0.1:9/v1", {"concurrency": IN_FLIGHT})
    at_home_on(small_disk, bench)
    fill(small_disk, 0)
    full = bench.run("eval", "run", "-q")
    assert full.returncode == 4, full.stderr
    assert "no room to write" in full.stderr and str(small_disk) in full.stderr
