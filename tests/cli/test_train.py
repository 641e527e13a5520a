"""`workbench train` as a user meets it: what it refuses, how it shows its progress, how it stops and goes on."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.training.project import conversations, recipe, stored, write_project
from workbench.cli import training
from workbench.config.workbench_yaml import Workbench


@pytest.fixture
def bench(workbench: Command) -> Workbench:
    return write_project(Path.cwd())


def chats(bench: Workbench, n: int = 16, **more: Any) -> str:
    """Store rows and return their set, pinned."""
    return stored(bench, "chats", "conversations", more.pop("use", "train"), conversations(n, **more))


def test_a_gate_set_an_empty_dev_set_and_the_wrong_verb_are_refused(workbench: Command, bench: Workbench) -> None:
    gate = stored(bench, "guard", "conversations", "gate", conversations(4, seed=9))
    recipe(bench, gate)
    done = workbench("train", "sft", "recipe.yaml")
    assert (done.code, "GATE_DATASET" in done.err) == (3, True)
    recipe(bench, chats(bench), dev=stored(bench, "look", "conversations", "dev", []))
    done = workbench("train", "sft", "recipe.yaml")
    assert (done.code, "nothing can be measured on it" in done.err) == (3, True)
    done = workbench("train", "dpo", "recipe.yaml")
    assert (done.code, "workbench train sft recipe.yaml" in done.err) == (2, True)
    assert not (bench.home.root / "training").exists()


def test_a_tokenizer_that_knows_more_tokens_than_the_base_is_refused(workbench: Command, bench: Workbench) -> None:
    recipe(bench, chats(bench))
    file = bench.path("base") / "tokenizer.json"
    told = json.loads(file.read_text())
    told["model"]["vocab"]["w9999"] = 64
    file.write_text(json.dumps(told))
    done = workbench("train", "sft", "recipe.yaml")
    assert done.code != 0
    assert "token ids up to 64, but the model has only 64 embeddings" in done.err


def test_sigterm_saves_ends_with_143_and_the_run_goes_on(
    workbench: Command, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def killing(title: str, quiet: bool) -> Iterator[Any]:
        def show(now: Any) -> None:
            if now.step == 2:
                os.kill(os.getpid(), signal.SIGTERM)

        yield show

    recipe(bench, chats(bench), save_every=100)
    with monkeypatch.context() as patch:
        patch.setattr(training, "_watching", killing)
        done = workbench("train", "sft", "recipe.yaml")
    assert done.code == 143
    assert "Stopped by SIGTERM; a checkpoint was saved. Go on with: workbench train resume" in done.err
    (listed,) = json.loads(workbench("train", "ls", "--json").out)
    assert listed["state"] != "finished"
    assert listed["id"] in workbench("train", "ls").out
    resumed = workbench("train", "resume", "latest", "--json")
    assert resumed.code == 0, resumed.err
    assert (json.loads(resumed.out)["steps"], json.loads(resumed.out)["state"]) == (4, "finished")
    (listed,) = json.loads(workbench("train", "ls", "--json").out)
    assert listed["state"] == "finished"
    assert "# tiny: sft on base" in workbench("model", "card", "latest").out
    assert f"train:{listed['id']}" in workbench("model", "ls").out
    merged = workbench("model", "merge", "train:latest", "merged", "--json")
    assert merged.code == 0, merged.err
    assert json.loads(merged.out)["model"] == f"train:{listed['id']}"
    assert workbench("train", "resume", listed["id"]).code == 2


def test_progress_is_a_bar_on_a_terminal_and_silence_elsewhere(
    workbench: Command, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe(bench, chats(bench), max_steps=2)
    assert "loss" not in workbench("train", "sft", "recipe.yaml").err
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    shown = workbench("train", "sft", "recipe.yaml")
    assert shown.code == 0, shown.err
    assert "2/2" in shown.err
    assert "loss" in shown.err
    progress = sorted((bench.home.root / "training").iterdir())[-1] / "progress.json"
    assert json.loads(progress.read_text())["step"] == 2
