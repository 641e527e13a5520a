"""R5: several processes at one home, and R2: signals at any moment."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.faults.project import project, server
from tests.faults.test_kill import wait_for_answers

PROCESSES = 8
SAMPLES = 30


def test_eight_processes_at_one_home_each_make_their_own_whole_run(tmp_path: Path) -> None:
    with server(tmp_path / "server", 5) as endpoint:
        bench = project(tmp_path, SAMPLES, endpoint.base_url, {"concurrency": 4, "requests_per_minute": 60_000})
        running = [bench.start("eval", "run", "-q", "--new") for _ in range(PROCESSES)]
        ended = [(process.communicate(timeout=300)[1], process.returncode) for process in running]
        requests = endpoint.requests()
    assert [code for _, code in ended] == [0] * PROCESSES, ended
    runs = bench.runs()
    assert len(runs) == PROCESSES
    for run in runs:
        for table, rows in (("samples", SAMPLES), ("scores", 2 * SAMPLES)):
            assert pq.read_table(run / f"{table}.parquet").num_rows == rows
    calls = Counter(r["sha"] for r in requests)
    assert len(calls) == 2 * SAMPLES and max(calls.values()) <= PROCESSES
    assert bench.run("eval", "ls", "--json").stdout.count('"finished"') == PROCESSES


ENDS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.mark.parametrize(("signals", "samples"), [(3, 120), pytest.param(100, 1500, marks=pytest.mark.long)])
def test_signals_at_any_moment_each_end_the_run_in_time_and_it_can_go_on(
    signals: int, samples: int, tmp_path: Path
) -> None:
    rng = random.Random(0)
    with server(tmp_path / "server", latency_ms=100) as endpoint:
        bench = project(tmp_path, samples, endpoint.base_url, {"concurrency": 4})
        for _ in range(signals):
            with bench.start("eval", "run", "-q") as process:
                wait_for_answers(endpoint, len(endpoint.requests()) + 1, process)
                time.sleep(rng.uniform(0, 0.3))
                number, twice = rng.choice(list(ENDS)), rng.random() < 0.5
                began = time.monotonic()
                process.send_signal(number)
                if twice:
                    time.sleep(rng.uniform(0, 0.05))
                    process.send_signal(number)
                _, said = process.communicate(timeout=30)
                took = time.monotonic() - began
            assert process.returncode == ENDS[number], said
            assert took <= 5, "reliability.md, R2: within 5 seconds"
            assert "Traceback" not in said
        (run,) = bench.runs()
        assert not (run / "summary.json").exists(), "it came to its end before the last signal"
        assert bench.run("eval", "run", "-q", timeout=300).returncode == 0
    assert pq.read_table(run / "samples.parquet").num_rows == samples
