"""R1's named points: killed there, a run loses nothing it acknowledged, asks little again and ends like any other."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.faults.dying import POINTS
from tests.faults.project import ENVIRONMENT, Project, Server, project, server
from workbench.store.charges import Charges
from workbench.store.journal import Journal

IN_FLIGHT = 16
SAMPLES = 60
AT = {"sent": 2 * SAMPLES, "received": 2 * SAMPLES, "cached": 2 * SAMPLES, "mid_commit": 6}
"""How often a run comes past a point; the others it passes once."""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("server"), latency_ms=30) as running:
        yield running


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, endpoint: Server) -> Project:
    made = project(tmp_path_factory.mktemp("bench"), SAMPLES, endpoint.base_url, {"concurrency": IN_FLIGHT})
    assert made.run("eval", "run", "-q", home="straight").returncode == 0
    return made


def die(bench: Project, point: str, nth: int, *words: str, home: str) -> None:
    command = bench.command(*words, home=home)
    command[1:3] = ["-m", "tests.faults.dying", point, str(nth)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=ENVIRONMENT)
    assert done.returncode == -signal.SIGKILL, f"it did not come to {point} number {nth}: {done.stderr}"


def whole(bench: Project, home: str) -> None:
    (run,) = bench.runs(home)
    db = sqlite3.connect(run / "journal.sqlite")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def trials() -> list[object]:
    """A tenth of the 40 kills by default; the others, and two more points, when long tests are asked for."""
    first = [(point, 0) for point in ("sent", "received", "mid_commit", "finalise")]
    rest = [(point, trial) for point in POINTS for trial in range(10) if (point, trial) not in first]
    return [*first, *(pytest.param(*later, marks=pytest.mark.long) for later in rest)]


@pytest.mark.parametrize(("point", "trial"), trials())
def test_a_run_killed_at_a_named_point_ends_like_one_that_was_not(
    bench: Project, endpoint: Server, point: str, trial: int
) -> None:
    rng = random.Random(f"{point} {trial}")
    nth, home = rng.randint(1, int(AT.get(point, 1) * 0.9) or 1), f"{point}-{trial}"
    paid = len(endpoint.requests())
    die(bench, point, nth, "eval", "run", "-q", home=home)
    whole(bench, home)
    if point == "finalised":
        assert bench.run("eval", "show", home=home).returncode == 0, "a summary is written last: the run is finished"
    else:
        done = bench.run("eval", "run", "-q", home=home)
        assert done.returncode == 0, done.stderr
    assert bench.tables(home) == bench.tables("straight")
    asked = Counter(r["sha"] for r in endpoint.requests()[paid:])
    assert len(asked) == 2 * SAMPLES
    assert sum(asked.values()) - len(asked) <= (0 if point.startswith("final") else 2 * IN_FLIGHT)


def priced(folder: Path, endpoint: Server, **limits: int) -> Project:
    """Return a project of 20 samples whose every call costs the same and comes alone."""
    made = project(folder, 20, endpoint.base_url, {"concurrency": 1, **limits})
    config = yaml.safe_load((folder / "workbench.yaml").read_text())
    for model in config["models"].values():
        model["price"] = {"input": 1000, "output": 1000}
    (folder / "workbench.yaml").write_text(yaml.safe_dump(config))
    return made


def charged(bench: Project) -> float:
    (run,) = bench.runs()
    with Charges(run / "charges.txt") as charges:
        return charges.before


async def spent_by_the_journal(run: Path) -> float:
    async with Journal(run / "journal.sqlite") as journal:
        return await journal.spent()


def test_an_answer_that_reached_the_cache_but_not_the_journal_is_still_charged(
    tmp_path: Path, endpoint: Server
) -> None:
    bench = priced(tmp_path, endpoint)
    die(bench, "cached", 4, "eval", "run", "-q", home="home")
    paid, spent = len(endpoint.requests()), charged(bench)
    assert asyncio.run(spent_by_the_journal(bench.runs()[0])) < spent
    stopped = bench.run("eval", "run", "-q", "--budget", f"{spent:.9f}")
    assert stopped.returncode == 4, stopped.stderr
    assert f"is spent ({spent:.6g} so far)" in stopped.stderr
    assert len(endpoint.requests()) == paid


def test_a_request_that_ended_in_an_error_is_still_charged(tmp_path: Path) -> None:
    with server(tmp_path / "server", 1, [{"fault": "empty_choices", "share": 1.0}]) as faulty:
        bench = priced(tmp_path, faulty, attempts=5)
        first = bench.run("eval", "run", "-q", "--budget", "0.000001")
        assert first.returncode == 4, first.stderr
        asked = len(faulty.requests())
        assert asked <= 2, "each worker's first reply spends the budget; none is asked again"
        again = bench.run("eval", "run", "-q", "--budget", "0.000001")
        assert again.returncode == 4 and "the budget of 1e-06 is spent" in again.stderr
        assert len(faulty.requests()) == asked, "nothing was journalled, and yet it is not forgotten"
