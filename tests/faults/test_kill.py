"""SIGKILL at any moment: nothing acknowledged is lost, nothing is there twice, little is paid for again."""

from __future__ import annotations

import logging
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.project import Project, Server, project, server

IN_FLIGHT = 16
SAMPLES = 1000
KILLS_A_RUN = 4


def trials() -> list[object]:
    """Four kills of a small run by default, forty of large ones when long tests are asked for."""
    return [(0, 250), *(pytest.param(seed, SAMPLES, marks=pytest.mark.long) for seed in range(10))]


@pytest.mark.parametrize(("seed", "samples"), trials())
def test_a_run_that_is_killed_again_and_again_ends_like_one_that_is_not(
    seed: int, samples: int, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    with server(tmp_path / "server", latency_ms=20) as endpoint:
        bench = project(tmp_path, samples, endpoint.base_url, {"concurrency": IN_FLIGHT, "timeout": 5})
        assert bench.run("eval", "run", "-q", home="straight").returncode == 0
        paid_straight = len(endpoint.requests())
        assert paid_straight == 2 * samples
        acknowledged: dict[tuple[object, ...], bytes] = {}
        for kill in range(KILLS_A_RUN):
            answered = paid_straight + (kill + rng.random()) / KILLS_A_RUN * 2 * samples * 0.9
            kill_when_answered(bench, endpoint, int(answered), rng.uniform(0, 0.05))
            acknowledged |= still_there(bench, acknowledged)
        assert acknowledged, "the kills came before anything was acknowledged; this trial shows nothing"
        done = bench.run("eval", "run", "-q")
        assert done.returncode == 0, done.stderr
        assert bench.tables() == bench.tables("straight")
        again = Counter(r["sha"] for r in endpoint.requests()[paid_straight:])
    repeated = sum(again.values()) - len(again)
    logging.info(f"seed {seed}: {KILLS_A_RUN} kills, {len(acknowledged)} rows acknowledged, {repeated} calls repeated")
    assert len(again) == 2 * samples
    assert repeated <= 2 * IN_FLIGHT * KILLS_A_RUN  # the candidate and the judge have so many in flight each


def kill_when_answered(bench: Project, endpoint: Server, answered: int, pause: float) -> None:
    """Start the run and kill it a moment after the endpoint has answered so many requests in all."""
    with bench.start("eval", "run", "-q") as process:
        wait_for_answers(endpoint, answered, process)
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)


def wait_for_answers(endpoint: Server, n: int, process: subprocess.Popen[str], patience: float = 90) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if len(endpoint.requests()) >= n:
            return
        assert process.poll() is None, f"the run ended before {n} answers: {process.communicate()}"
        time.sleep(0.01)
    raise AssertionError(f"no {n} answers within {patience} s")


def still_there(bench: Project, before: dict[tuple[object, ...], bytes]) -> dict[tuple[object, ...], bytes]:
    """Return what the journal holds after a kill; what it held after earlier kills must still be there, unchanged."""
    (run,) = bench.runs()
    db = sqlite3.connect(run / "journal.sqlite")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    now = {("output", s, r): p for s, r, p in db.execute("SELECT * FROM outputs")}
    now |= {("score", s, r, name): p for s, r, name, p in db.execute("SELECT * FROM scores")}
    db.close()
    lost = {key for key, payload in before.items() if now.get(key) != payload}
    assert not lost, f"{len(lost)} acknowledged rows are gone or changed"
    return now


def test_a_kill_while_the_tables_are_written_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    with server(tmp_path / "server", latency_ms=0) as endpoint:
        bench = project(tmp_path, 300, endpoint.base_url, {"concurrency": IN_FLIGHT})
        assert bench.run("eval", "run", "-q", home="straight").returncode == 0
        paid = len(endpoint.requests())
        for _ in range(3):
            with bench.start("eval", "run", "-q") as process:
                kill_at_the_first_table(bench, process)
            (run,) = bench.runs()
            if (run / "summary.json").exists():
                break  # it was quicker than the kill; then it must be whole, which is checked below
            assert not any(run.glob("summary.json*"))
        done = bench.run("eval", "run", "--resume", "latest", "-q")
        assert done.returncode in (0, 2), done.stderr  # 2: already finished
        assert bench.tables() == bench.tables("straight")
        assert len(endpoint.requests()) == 2 * paid, "every answer was in the journal; none is asked again"


def kill_at_the_first_table(bench: Project, process: subprocess.Popen[str]) -> None:
    """Kill the run as soon as a table, or the beginning of one, appears in its folder."""
    while process.poll() is None:
        for run in bench.runs():
            if any("samples.parquet" in path.name for path in run.iterdir()):
                process.kill()
                return


def test_one_signal_ends_the_run_resumably_and_says_how_to_go_on(tmp_path: Path) -> None:
    with server(tmp_path / "server", latency_ms=50) as endpoint:
        bench = project(tmp_path, 240, endpoint.base_url, {"concurrency": 8})
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with bench.start("eval", "run", "-q") as process:
                wait_for_answers(endpoint, len(endpoint.requests()) + 60, process)
                began = time.monotonic()
                process.send_signal(number)
                _, said = process.communicate(timeout=30)
                took = time.monotonic() - began
            assert process.returncode == code, said
            assert "go on with: workbench eval run --resume" in said
            assert took < 5, "reliability.md, R2: within 5 seconds"
        done = bench.run("eval", "run", "--resume", "latest", "-q")
        assert done.returncode == 0, done.stderr
        requests = endpoint.requests()
    assert len({r["sha"] for r in requests}) == 480
    assert len(requests) <= 480 + 2 * 2 * 8


def test_two_signals_end_the_run_at_once(tmp_path: Path) -> None:
    with server(tmp_path / "server", latency_ms=2500) as endpoint:
        bench = project(tmp_path, 50, endpoint.base_url, {"concurrency": 8})
        with bench.start("eval", "run", "-q") as process:
            wait_for_answers(endpoint, 1, process)
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        assert process.returncode == 130


def test_a_second_process_is_refused_and_named_the_owner(tmp_path: Path) -> None:
    with server(tmp_path / "server", latency_ms=200) as endpoint:
        bench = project(tmp_path, 200, endpoint.base_url, {"concurrency": 4})
        with bench.start("eval", "run", "-q") as process:
            wait_for_answers(endpoint, 1, process)
            second = bench.run("eval", "run", "-q")
            process.kill()
        assert second.returncode == 5
        assert f"is being written by process {process.pid}" in second.stderr
