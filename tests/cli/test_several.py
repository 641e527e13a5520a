"""Several evalsets in one command: interrupted, and typed again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command

CONFIG = Path("workbench.yaml")
RUNS, COMMANDS = Path(".workbench/runs"), Path(".workbench/commands")


@pytest.fixture
def interrupted(workbench: Command) -> Command:
    """Make a project of two evalsets whose one command was killed when the first was finished."""
    second = Path("evalsets/second")
    shutil.copytree("evalsets/first", second)
    spec = (second / "evalset.yaml").read_text()
    (second / "evalset.yaml").write_text(spec.replace("name: first", "name: second"))
    plain = CONFIG.read_text()
    # The answer to the second evalset's own question takes so long that the kill comes in time.
    rows = (second / "samples.jsonl").read_text()
    (second / "samples.jsonl").write_text(rows.replace('"capital-1"', '"slow"'))
    CONFIG.write_text(plain.replace("kind: scripted", "kind: scripted\n    latency: 1.5"))
    words = [sys.executable, "-m", "workbench", "eval", "run", "-q"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as live:
        while not any(RUNS.glob("*-second-*/journal.sqlite")):
            assert live.poll() is None
        os.kill(live.pid, signal.SIGKILL)
    assert len(list(RUNS.glob("*/summary.json"))) == 1
    return workbench


def runs_of(evalset: str) -> list[str]:
    return sorted(path.name for path in RUNS.glob(f"*-{evalset}-*"))


def test_what_was_finished_is_skipped_with_a_word_and_shown_with_the_rest(interrupted: Command) -> None:
    (first,), (second,) = runs_of("first"), runs_of("second")
    done = interrupted("eval", "run", "-q", "--json")
    assert done.code == 0
    assert f"first was finished when this command was interrupted: run {first} (--new runs it again)." in done.err
    assert [run["id"] for run in json.loads(done.out)] == [first, second]
    assert not list(COMMANDS.iterdir()), "the command has come to its end"
    again = interrupted("eval", "run", "-q")
    assert "interrupted" not in again.err
    assert (len(runs_of("first")), len(runs_of("second"))) == (2, 2)


def test_new_runs_all_of_it_again(interrupted: Command) -> None:
    done = interrupted("eval", "run", "-q", "--new")
    assert done.code == 0 and "interrupted" not in done.err
    assert (len(runs_of("first")), len(runs_of("second"))) == (2, 2)


def test_another_command_is_not_the_interrupted_one(interrupted: Command) -> None:
    assert interrupted("eval", "run", "-q", "--limit", "2").code == 0
    assert (len(runs_of("first")), len(runs_of("second"))) == (2, 2)


def test_what_changed_in_the_meantime_is_run_again(interrupted: Command) -> None:
    samples = Path("evalsets/first/samples.jsonl")
    samples.write_text(samples.read_text().replace("capital of Peru", "capital of Chile"))
    done = interrupted("eval", "run", "-q")
    assert done.code == 0 and "interrupted" not in done.err
    assert (len(runs_of("first")), len(runs_of("second"))) == (2, 1)


def test_a_damaged_record_only_costs_the_run_that_it_would_have_spared(interrupted: Command) -> None:
    for record in COMMANDS.iterdir():
        record.write_text('{"runs": ')
    assert interrupted("eval", "run", "-q").code == 0
    assert (len(runs_of("first")), len(runs_of("second"))) == (2, 1)
