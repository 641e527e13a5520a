"""Kill training runs and go on with them: `python -m tests.faults.training_kills FOLDER TRIALS SEED METHOD`.

One process imports torch and forks a child for each part of each trial. Half of the trials are killed while a
checkpoint is being saved, after a random one of its files; the others after a random step. Prints a JSON list.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.training.project import conversations, pairs, recipe, stored, write_project
from workbench.config.training_yaml import load_recipe
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.training import Audience, begin, go_on
from workbench.training.folder import find_folder
from workbench.training.spec import PREFERENCES

QUIET = Audience(lambda _: None, lambda _: None)
STEPS = 12


def main(folder: Path, trials: int, seed: int, method: str) -> list[dict[str, Any]]:
    """Return what became of each trial."""
    import peft  # noqa: F401
    import torch
    import transformers
    import trl

    _ = transformers.Trainer, trl.SFTTrainer, trl.DPOTrainer
    torch.set_num_threads(1)
    draw = random.Random(seed)
    whole = _project(folder / "whole", method)
    assert _child(lambda: begin(whole, load_recipe(whole.path("recipe.yaml")), QUIET)) == 0
    wanted = _adapter(whole)
    return [
        _trial(folder / f"trial{i}", method, during_save=i % 2 == 0, draw=draw, wanted=wanted) for i in range(trials)
    ]


def _trial(
    folder: Path, method: str, *, during_save: bool, draw: random.Random, wanted: dict[str, Any]
) -> dict[str, Any]:
    bench = _project(folder, method)
    place = draw.randint(1, 5 * STEPS // 2) if during_save else draw.randint(1, STEPS - 1)
    arm = _in_a_save if during_save else _at_a_step
    code = _child(lambda: (arm(place), begin(bench, load_recipe(bench.path("recipe.yaml")), QUIET)))
    run = find_folder(bench.home, "latest")
    done = run.summary.exists()
    sealed = len(list(run.checkpoints.glob("*/complete.json")))
    halves = len(list(run.checkpoints.glob("checkpoint-*"))) - sealed
    resumed = 0 if done else _child(lambda: go_on(bench, run.id, QUIET))
    made = _adapter(bench)
    worst = max(float(np.abs(made[name] - value).max()) for name, value in wanted.items())
    return {
        "killed": code == -signal.SIGKILL, "during_save": during_save, "at": place, "sealed": sealed,
        "halves": halves, "resumed": resumed, "worst": worst, "same_names": made.keys() == wanted.keys(),
    }  # fmt: skip


def _project(folder: Path, method: str) -> Workbench:
    folder.mkdir(parents=True)
    bench = write_project(folder)
    dataset = _learnt(bench, method)
    adapter = {"kind": "lora", "rank": 4, "dropout": 0.1}  # so that the random state matters
    more = {"method": {"kind": method}, "adapter": adapter, "epochs": 2.0, "save_every": 2, "learning_rate": 4e-4}
    recipe(bench, dataset, **more)
    return bench


def _learnt(bench: Workbench, method: str) -> str:
    """Store what the method learns from and return `name@fingerprint`: pairs, or conversations, with thumbs for KTO."""
    if method in PREFERENCES:
        return stored(bench, "learnt", "pairs", "train", pairs(24))
    chats = conversations(24)
    if method == "kto":
        chats = [chat.model_copy(update={"good": at % 2 == 0}) for at, chat in enumerate(chats)]
    return stored(bench, "learnt", "conversations", "train", chats)


def _adapter(bench: Workbench) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(find_folder(bench.home, "latest").adapter / "adapter_model.safetensors")


def _child(work: Callable[[], object]) -> int:
    """Run work in a fork; return its exit code, negative for a signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        warnings.simplefilter("ignore")
        work()
    except BaseException as exc:
        sys.stderr.write(f"{type(exc).__name__}: {exc}\n")
        os._exit(1)
    os._exit(0)


def _at_a_step(step: int) -> None:
    """Have this process die after a step, or while it is saved."""
    from workbench.adapters.trl_training import watching

    shown = watching.Watch.measured

    def measured(self: Any, logs: dict[str, float], at: int, writes: bool) -> None:
        shown(self, logs, at, writes)
        if at >= step:
            os.kill(os.getpid(), signal.SIGKILL)

    watching.Watch.measured = measured  # type: ignore[method-assign]


def _in_a_save(nth: int) -> None:
    """Have this process die at the nth file that is opened for writing in a checkpoint."""
    count = 0

    def look(event: str, details: tuple[Any, ...]) -> None:
        nonlocal count
        if event == "open" and "checkpoint-" in str(details[0]) and str(details[1])[:1] in "wax":
            count += 1
            if count == nth:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


if __name__ == "__main__":
    found = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    sys.stdout.write(json.dumps(found))
