"""From a recipe and rows in tokens to an adapter, through TRL."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from workbench.errors import TrainError
from workbench.store.files import flush, told_when_full
from workbench.store.model_folder import TRAINED_ON
from workbench.training.checkpoints import step_of
from workbench.training.folder import TrainFolder
from workbench.training.losses import LossRow, read_losses, write_losses
from workbench.training.progress import Progress
from workbench.training.rows import Prepared
from workbench.training.spec import Full, TrainSpec


@dataclass(frozen=True)
class Task:
    """All that training needs."""

    spec: TrainSpec
    base: Path
    """Folder of the base model; checked."""
    start: Path | None
    """Folder of the adapter to go on from; checked."""
    base_weights: str
    """Hash of the base's weights; the adapter is bound to it."""
    template: str
    """Hash of the base's chat template."""
    rows: Prepared
    dev: Prepared | None
    steps: int
    """Optimizer steps of the whole run."""
    folder: TrainFolder
    resume: Path | None
    """The complete checkpoint to go on from."""
    references: Path
    """Folder in which DPO's reference is kept, named by all that it depends on."""
    show: Callable[[Progress], None]
    """Told of each step."""
    halted: Callable[[], bool]
    """Whether to save and stop."""


class Trained(NamedTuple):
    """How training ended."""

    rows: list[LossRow]
    """Everything measured."""
    steps: int
    """Steps made."""
    halted: bool
    """Whether it was stopped from outside, after a checkpoint."""
    why: str
    """Why it ended before its steps were made, if it did."""
    seconds: float
    """Seconds trained, over all parts."""
    made: Path
    """What was made."""
    peak: int | None
    """Most memory used, in bytes."""


def refuse_what_cannot_run(spec: TrainSpec) -> None:
    """Raise `MissingExtra` or `ConfigError`, with the reason, for what this machine or TRL cannot do."""
    from workbench.adapters.trl_training.abilities import check

    check(spec)


def train(task: Task) -> Trained:
    """Train to the end, or until halted; what was made is in the run's folder. Raises `TrainError`, `IncompleteRun`."""
    from workbench.adapters.trl_training.logits import only_learnt_positions
    from workbench.adapters.trl_training.model import load_model, settle
    from workbench.adapters.trl_training.watching import Watch, trainer_for

    device = settle(task.spec)
    before = read_losses(task.folder.losses, step_of(task.resume)) if task.resume else []
    watch = Watch(task, list(before))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 and TRL 1.16 speak to transformers in older names
        model, lora = load_model(task.spec, task.base, task.start, device)
        with only_learnt_positions(device, model.config.vocab_size):
            trainer = trainer_for(task, model, lora, device, watch)
            trainer.train(resume_from_checkpoint=None if task.resume is None else str(task.resume))
    watch.end()
    if trainer.is_world_process_zero():
        write_losses(watch.rows, task.folder.losses)
    halted = task.halted() and trainer.state.global_step < task.steps
    made = task.folder.path if halted else _save(task, trainer)
    return Trained(watch.rows, trainer.state.global_step, halted, watch.why, watch.seconds(), made, _peak(device))


def _save(task: Task, trainer: Any) -> Path:
    """Write what was made, whole or not at all, bound to its base by hash."""
    full = isinstance(task.spec.adapter, Full)
    target = task.folder.model if full else task.folder.adapter
    new = target.with_name(f".{target.name}.new")
    model = trainer.accelerator.unwrap_model(trainer.model)
    if trainer.is_world_process_zero():
        with told_when_full(target):
            shutil.rmtree(new, ignore_errors=True)
            model.save_pretrained(str(new), **({} if full else {"selected_adapters": ["default"]}))
            if full:
                _copy_tokenizer(task.base, new)
            bound = {"base_weights": task.base_weights, "chat_template": task.template, "run": task.folder.id}
            (new / TRAINED_ON).write_bytes(orjson.dumps(bound, option=orjson.OPT_INDENT_2))
            for file in new.iterdir():
                flush(file)
            shutil.rmtree(target, ignore_errors=True)
            new.rename(target)
            flush(target.parent)
    trainer.accelerator.wait_for_everyone()
    return target


TOKENIZER = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt", "chat_template.*")


def _copy_tokenizer(base: Path, target: Path) -> None:
    for file in sorted(file for pattern in TOKENIZER for file in base.glob(pattern)):
        shutil.copyfile(file, target / file.name)


def _peak(device: str) -> int | None:
    """Return the most memory used: the GPU's by torch's count, else the process's own."""
    if device == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated())
    import resource
    import sys

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def finite_or_refuse(value: float, what: str, step: int, rows: str) -> None:
    """Raise `TrainError`, naming the batch, where a number that must be finite is not."""
    import math

    if not math.isfinite(value):
        raise TrainError(
            f"the {what} is {value} at batch {step} ({rows}): training has diverged or these rows are damaged; lower "
            "the learning rate, look at the rows, then resume from the last checkpoint or begin anew"
        )
