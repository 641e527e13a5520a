"""A training run that is killed goes on from its last complete checkpoint and makes the same adapter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def trials(folder: Path, n: int, seed: int, method: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.faults.training_kills", str(folder), str(n), str(seed), method]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def check(found: list[dict[str, Any]]) -> None:
    for one in found:
        assert one["killed"], one
        assert one["resumed"] == 0, one
        assert one["same_names"], one
        assert one["worst"] <= 1e-6, one
    assert any(one["during_save"] for one in found)


def test_a_killed_run_makes_the_same_adapter_as_one_that_was_not(tmp_path: Path) -> None:
    check(trials(tmp_path, 2, seed=1, method="sft"))


@pytest.mark.long
@pytest.mark.parametrize("method", ["sft", "dpo", "kto", "orpo"])
def test_killed_runs_make_the_same_adapter_wherever_they_are_killed(tmp_path: Path, method: str) -> None:
    found = trials(tmp_path, 20, seed=2, method=method)
    check(found)
    assert sum(one["during_save"] for one in found) == 10
    assert any(one["halves"] for one in found), "no kill left half a checkpoint: the trials prove too little"
