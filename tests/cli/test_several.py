"""Several evalsets in one command: interrupted, and typed again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from workbench.errors import IncompleteRun
from workbench.evaluation.engine import Work
from workbench.evaluation.run import run
from workbench.jobs import evaluating
from workbench.runs import EvalRun

CONFIG = Path("workbench.yaml")
RUNS, COMMANDS = Path(".workbench/runs"), Path(".workbench/commands")


@pytest.fixture
def two(workbench: Command) -> Command:
    """Make a project of two evalsets."""
    second = Path("evalsets/second")
    shutil.copytree("evalsets/first", second)
    spec = (second / "evalset.yaml").read_text()
    (second / "evalset.yaml").write_text(spec.replace("name: first", "name: second"))
    return workbench


@pytest.fixture
def interrupted(two: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Stop the one command over both evalsets when the first is finished."""

    async def until_the_second(work: Work, *rest: Any) -> EvalRun | None:
        if work.spec.evalset == "second":
            raise IncompleteRun("stopped here")
        return await run(work, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(evaluating, "run", until_the_second)
        assert two("eval", "run", "-q").code == 4
    assert (len(runs_of("first")), len(runs_of("second"))) == (1, 0)
    return two


def runs_of(evalset: str) -> list[str]:
    return sorted(path.name for path in RUNS.glob(f"*-{evalset}-*"))


def test_what_was_finished_before_a_kill_is_skipped_with_a_word_and_shown_with_the_rest(two: Command) -> None:
    CONFIG.write_text(CONFIG.read_text().replace("kind: scripted", "kind: scripted\n    latency: 1.5"))
    words = [sys.executable, "-m", "workbench", "eval", "run", "-q"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as live:
        while not any(RUNS.glob("*-second-*/journal.sqlite")):
            assert live.poll() is None
        os.kill(live.pid, signal.SIGKILL)
    (first,), (second,) = runs_of("first"), runs_of("second")
    done = two("eval", "run", "-q", "--json")
    assert done.code == 0
    assert f"first was finished when this command was interrupted: run {first} (--new runs it again)." in done.err
    assert [run["id"] for run in json.loads(done.out)] == [first, second]


def test_when_the_command_has_come_to_its_end_it_runs_all_again(interrupted: Command) -> None:
    assert "first was finished when this command was interrupted" in interrupted("eval", "run", "-q").err
    assert (len(runs_of("first")), len(runs_of("second"))) == (1, 1)
    assert not list(COMMANDS.iterdir())
    assert "interrupted" not in interrupted("eval", "run", "-q").err
    assert (len(runs_of("first")), len(runs_of("second"))) == (2, 2)


def test_new_runs_all_of_it_again(interrupted: Command) -> None:
    done = interrupted("eval", "run", "-q", "--new")
    assert done.code == 0 and "interrupted" not in done.err
    assert (len(runs_of("first")), len(runs_of("second"))) == (2, 1)


def test_another_command_is_not_the_interrupted_one(interrupted: Command) -> None:
    assert interrupted("eval", "run", "-q", "--limit", "2").code == 0
    assert (len(runs_of("first")), len(runs_of("second"))) == (2, 1)


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
