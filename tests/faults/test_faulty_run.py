"""A whole run against a faulty endpoint, or on a full disk: everything asked is accounted for, in every number."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from tests.faults.project import ENVIRONMENT, Project, project, server
from tests.faults.test_kill import wait_for_answers
from workbench.simulated.plan import FaultName

REFUSES_EVERYBODY = {"401"}
"""Faults that end the run, because no other request would fare better."""
PER_SAMPLE = [f for f in get_args(FaultName) if f not in REFUSES_EVERYBODY]
PATIENCE = {
    "concurrency": 8,
    "timeout": 1.0,
    "attempts": 3,
    "backoff": 0.01,
    "max_backoff": 0.02,
    "total_timeout": 20.0,
}


def finished(bench: Project) -> dict[str, Any]:
    done = bench.run("eval", "run", "-q", "--json", timeout=300)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def assert_adds_up(result: dict[str, Any], n: int) -> None:
    """Check the accounts: asked = answered + failed, and for every metric n = scored + failed + not applicable."""
    assert result["n_attempted"] == n == result["n_output"] + result["n_output_failed"]
    assert sum(result["output_failures"].values()) == result["n_output_failed"]
    for m in result["metrics"]:
        if not m["slice"]:
            assert m["n"] + m["n_failed"] + m["n_not_applicable"] == n, m
            assert sum(m["failures"].values()) == m["n_failed"] + m["n_not_applicable"]
            low, high = m["worst_case"]["low"], m["worst_case"]["high"]
            assert low <= (m["value"] if m["value"] is not None else high) <= high + 1e-12


DEFAULT = {"429", "slow_drip", "reset_mid_body", "null_content", "out_of_range_score", "prose_score"}
"""Faults tried at every change; `make faults` tries them all."""
TRIALS = [f if f in DEFAULT else pytest.param(f, marks=pytest.mark.long) for f in PER_SAMPLE]


@pytest.mark.parametrize("fault", TRIALS)
def test_each_fault_on_a_share_of_requests_is_counted_and_none_disappears(fault: str, tmp_path: Path) -> None:
    with server(tmp_path / "server", 1, [{"fault": fault, "share": 0.3}]) as endpoint:
        bench = project(tmp_path, 40, endpoint.base_url, PATIENCE)
        result = finished(bench)
        requests = endpoint.requests()
    assert_adds_up(result, 40)
    attempts = Counter(r["sha"] for r in requests)
    assert max(attempts.values()) <= PATIENCE["attempts"]
    assert result["candidate"]["calls"] + result["judging"]["calls"] == len(requests)
    assert any(r["fault"] for r in requests), "the fault never struck; this trial shows nothing"


def test_a_mix_of_all_faults_is_accounted_for_and_400_is_never_retried(tmp_path: Path) -> None:
    faults = [{"fault": fault, "share": 0.1 / len(PER_SAMPLE) * 4} for fault in PER_SAMPLE]
    with server(tmp_path / "server", 1, faults) as endpoint:
        result = finished(project(tmp_path, 150, endpoint.base_url, {**PATIENCE, "concurrency": 16}))
        requests = endpoint.requests()
    assert_adds_up(result, 150)
    rejected = {r["sha"] for r in requests if r["fault"] in ("400", "413")}
    for sha in rejected:
        seen = [r["fault"] for r in requests if r["sha"] == sha]
        assert seen[-1] in ("400", "413") and not set(seen[:-1]) & {"400", "413"}
    assert len({r["fault"] for r in requests}) > 12


def test_a_refused_key_stops_the_run_at_once_and_keeps_what_was_done(tmp_path: Path) -> None:
    with server(tmp_path / "server", 1, [{"fault": "401", "every": 100}]) as endpoint:
        bench = project(tmp_path, 200, endpoint.base_url, {"concurrency": 4})
        done = bench.run("eval", "run", "-q")
        refused = len(endpoint.requests())
    assert done.returncode == 2
    assert "401" in done.stderr and "Traceback" not in done.stderr
    assert 100 <= refused <= 100 + 8
    assert "unfinished" in bench.run("eval", "ls").stdout


def test_a_server_that_goes_away_stops_the_run_which_can_be_taken_up_again(tmp_path: Path) -> None:
    limits = {"concurrency": 4, "timeout": 1.0, "attempts": 2, "backoff": 0.01, "max_backoff": 0.01}
    with server(tmp_path / "server", 20) as endpoint:
        bench = project(tmp_path, 300, endpoint.base_url, limits)
        with bench.start("eval", "run", "-q") as process:
            wait_for_answers(endpoint, 40, process)
            port = endpoint.base_url.split(":")[2].split("/")[0]
            endpoint.stop()
            _, said = process.communicate(timeout=60)
    assert process.returncode == 4, said
    assert "reached no server" in said and "workbench eval run --resume" in said
    with server(tmp_path / "again", 1, port=int(port)) as endpoint:
        done = bench.run("eval", "run", "--resume", "latest", "--retry-failed", "-q", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_output"] == 300


def test_the_budget_stops_the_run_within_what_is_in_flight_and_raising_it_goes_on(tmp_path: Path) -> None:
    with server(tmp_path / "server", 5) as endpoint:
        bench = project(tmp_path, 100, endpoint.base_url, {"concurrency": 4})
        config = yaml.safe_load((tmp_path / "workbench.yaml").read_text())
        for model in config["models"].values():
            model["price"] = {"input": 1000, "output": 1000}
        (tmp_path / "workbench.yaml").write_text(yaml.safe_dump(config))
        stopped = bench.run("eval", "run", "-q", "--budget", "3")
        assert stopped.returncode == 4
        assert "the budget of 3 is spent" in stopped.stderr and "workbench eval run --resume" in stopped.stderr
        paid = len(endpoint.requests())
        still = bench.run("eval", "run", "--resume", "latest", "-q")
        assert still.returncode == 4, "a resumed run does not get its budget anew"
        assert len(endpoint.requests()) == paid
        done = bench.run("eval", "run", "--resume", "latest", "-q", "--budget", "1000")
        assert done.returncode == 0, done.stderr
        assert len(endpoint.requests()) == 200
    assert 0 < paid < 200


def small_files() -> None:
    """Let no file grow beyond 400 kB: the kernel then refuses writes as it does on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))


def test_a_full_disk_names_the_path_leaves_old_runs_readable_and_resumes(tmp_path: Path) -> None:
    with server(tmp_path / "server", 1) as endpoint:
        bench = project(tmp_path, 1000, endpoint.base_url, {"concurrency": 16})
        assert bench.run("eval", "run", "-q", "--limit", "10").returncode == 0
        command = bench.command("eval", "run", "-q")
        full = subprocess.run(
            command, capture_output=True, text=True, timeout=120, env=ENVIRONMENT, preexec_fn=small_files
        )
        assert full.returncode == 4, full.stderr
        assert "no room to write" in full.stderr and str(tmp_path) in full.stderr
        assert bench.run("eval", "show", bench.runs()[0].name).returncode == 0
        paid = len(endpoint.requests())
        done = bench.run("eval", "run", "--resume", "latest", "-q")
        assert done.returncode == 0, done.stderr
        requests = endpoint.requests()
    assert len({r["sha"] for r in requests}) == 2000
    assert len(requests) - 2000 <= 2 * 16 and paid > 20
