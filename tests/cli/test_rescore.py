"""Scores change, answers do not: whose they are, what they cost and that none is made up survives every rescore."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from workbench.jobs import rescoring

EVALSET = Path("evalsets/first/evalset.yaml")
CONFIG = Path("workbench.yaml")
RECORDED = "models:\n  production: {kind: recorded, path: log.jsonl}\ncandidate: production\n"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def runs() -> list[Path]:
    return sorted(Path(".workbench/runs").iterdir())


def mean(run: dict[str, Any], scorer: str) -> float | None:
    (value,) = [m["value"] for m in run["metrics"] if m["scorer"] == scorer and not m["slice"]]
    found: float | None = value
    return found


def test_saved_answers_stay_those_of_the_model_that_gave_them(workbench: Command) -> None:
    before = json.loads(workbench("eval", "run", "-q", "--json").out)
    edit(CONFIG, "capital-1: Paris", "capital-1: London")
    after = json.loads(workbench("eval", "rescore", "-q", "--json").out)
    assert mean(after, "exact_match") == mean(before, "exact_match")
    assert after["spec"]["model"] == before["spec"]["model"]
    assert after["spec"]["fingerprints"]["model"] == before["spec"]["fingerprints"]["model"]


def test_failed_answers_are_not_asked_of_another_model(workbench: Command) -> None:
    workbench("eval", "run", "-q")
    edit(CONFIG, "capital-1: Paris", "capital-1: London")
    refused = workbench("eval", "rescore", "--retry-failed")
    assert refused.code == 3
    assert "model changed since this run" in refused.err


def test_a_rescore_that_was_cut_short_asks_nobody_for_the_answers_it_lacks(workbench: Command) -> None:
    workbench("eval", "run", "-q")
    workbench("eval", "rescore", "-q")
    child = runs()[-1]
    for name in ("summary.json", "samples.parquet", "scores.parquet"):
        (child / name).unlink()
    done = workbench("eval", "run", "--resume", child.name)
    assert done.code == 3
    assert "scores saved answers and lacks the one to sample" in done.err


def test_a_rescore_killed_while_it_copies_leaves_no_run_behind(
    workbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbench("eval", "run", "-q")

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rescoring, "restore", killed)
    assert workbench("eval", "rescore", "-q").code == 130
    assert len(json.loads(workbench("eval", "ls", "--json").out)) == 1


def test_a_missing_table_is_told_and_leaves_no_run_behind(workbench: Command) -> None:
    workbench("eval", "run", "-q")
    (runs()[0] / "scores.parquet").unlink()
    done = workbench("eval", "rescore")
    assert done.code == 3
    assert "scores.parquet: a table of this run cannot be read" in done.err
    assert len(json.loads(workbench("eval", "ls", "--json").out)) == 1


def test_what_answers_cost_and_how_long_they_took_is_still_known_but_not_paid_again(workbench: Command) -> None:
    rows = [{"id": i, "output": "Paris", "cost": 7.0, "latency": 2.0} for i in ("capital-1", "capital-2", "sum-1")]
    Path("log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    CONFIG.write_text(RECORDED)
    edit(EVALSET, "  - kind: token_f1\n", "  - kind: cost\n    max_cost: 0.5\n")
    assert mean(json.loads(workbench("eval", "run", "-q", "--json").out), "cost") == 0.0
    edit(EVALSET, "max_cost: 0.5", "max_cost: 0.6")
    again = json.loads(workbench("eval", "rescore", "-q", "--json").out)
    assert mean(again, "cost") == 0.0
    assert again["candidate"]["cost"] == 0.0
    assert again["latency"]["p50"] == 2.0


def test_the_order_of_recorded_answers_changes_no_identity(workbench: Command) -> None:
    rows = [json.dumps({"id": i, "output": "Paris"}) + "\n" for i in ("capital-1", "capital-2", "sum-1")]
    CONFIG.write_text(RECORDED)
    prints = []
    for order in (rows, rows[::-1]):
        Path("log.jsonl").write_text("".join(order))
        prints.append(json.loads(workbench("eval", "run", "-q", "--json").out)["spec"]["fingerprints"])
    assert prints[0] == prints[1]


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir()], ids=["missing", "a folder"])
def test_a_recorded_file_that_is_none_is_told_without_a_traceback(workbench: Command, make: Any) -> None:
    CONFIG.write_text(RECORDED)
    make(Path("log.jsonl"))
    done = workbench("eval", "run")
    assert done.code == 3
    assert "log.jsonl" in done.err and "Traceback" not in done.err


def test_a_damaged_unfinished_run_hinders_no_other(workbench: Command) -> None:
    workbench("eval", "run", "-q")
    run = runs()[0]
    (run / "summary.json").unlink()
    (run / "spec.json").write_text('{"half')
    assert workbench("eval", "run", "-q").code == 0


def test_repeats_that_fail_are_counted_once_a_sample(workbench: Command) -> None:
    CONFIG.write_text(
        "models:\n  candidate: {kind: scripted, faults: [{kind: timeout, every: 2}]}\ncandidate: candidate\n"
    )
    run = json.loads(workbench("eval", "run", "-q", "--json", "--repeats", "4").out)
    for metric in (m for m in run["metrics"] if not m["slice"]):
        assert metric["n"] + metric["n_failed"] + metric["n_not_applicable"] == 3
        assert metric["n_partial"] <= metric["n"]
    assert any(m["n_partial"] for m in run["metrics"])


def test_retrying_waits_for_the_run_that_is_under_way(workbench: Command, tmp_path: Path) -> None:
    CONFIG.write_text("models:\n  candidate: {kind: scripted, latency: 30}\ncandidate: candidate\n")
    words = [sys.executable, "-m", "workbench", "eval"]
    with subprocess.Popen([*words, "run", "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as live:
        while not any(Path(".workbench").glob("runs/*/journal.sqlite")):
            assert live.poll() is None
        again = subprocess.run([*words, "run", "--resume", "latest", "--retry-failed"], capture_output=True, text=True)
        assert again.returncode == 5, again.stderr
        os.kill(live.pid, signal.SIGKILL)
    assert f"process {live.pid}" in again.stderr
