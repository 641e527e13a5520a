"""What is ours beside TRL's loop: the order of rows, sealed checkpoints, finite numbers, progress, an early end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from workbench.adapters.trl_training.arguments import arguments, orpo, table
from workbench.adapters.trl_training.batches import as_orpo, turning
from workbench.adapters.trl_training.references import with_references
from workbench.errors import IncompleteRun
from workbench.store.files import NO_ROOM, no_room, write_atomic
from workbench.training.batching import epoch_order
from workbench.training.checkpoints import rotate, seal, step_of
from workbench.training.losses import row_of, why_stop, write_losses
from workbench.training.progress import Progress, remaining
from workbench.training.rows import Compared, Learnt, Prepared, Thumbed
from workbench.training.spec import Kto, Sft

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.adapters.trl_training.training import Task
    from workbench.training.losses import LossRow

TELL = 1.0
"""Seconds between two writes of progress.json, and of losses.parquet at least five times that."""


class Watch:
    """What is measured while TRL trains; its methods are called by `_callback`."""

    def __init__(self, task: Task, rows: list[LossRow]) -> None:
        self.rows = rows
        self.why = ""
        self._task = task
        self._before = max((row.seconds for row in rows), default=0.0)
        self._begun = time.monotonic()
        self._begun_at = 0 if task.resume is None else step_of(task.resume)
        self._ended: float | None = None
        self._told = self._written = 0.0

    def begin(self) -> None:
        """Start the clock."""
        self._begun = time.monotonic()

    def end(self) -> None:
        """Stop the clock."""
        self._ended = time.monotonic()

    def seconds(self) -> float:
        """Return the seconds trained so far, over all parts."""
        return self._before + (self._ended or time.monotonic()) - self._begun

    def measured(self, logs: dict[str, float], step: int, writes: bool) -> None:
        """Take what TRL logged; show it, and write it down now and then."""
        row = row_of(logs, step, self.seconds(), self.rows)
        if row is None:
            return
        self.rows.append(row)
        left = remaining(step, self._task.steps, self._begun_at, self.seconds() - self._before)
        now = Progress(step=step, steps=self._task.steps, seconds=self.seconds(), left=left, row=row)
        self._task.show(now)
        clock = time.monotonic()
        if writes and (clock - self._told > TELL or step >= self._task.steps):
            write_atomic(self._task.folder.progress, now.json_bytes())
            self._told = clock
        if writes and clock - self._written > 5 * TELL:
            write_losses(self.rows, self._task.folder.losses)
            self._written = clock

    def looked(self) -> bool:
        """Return whether what the dev set shows should end the training."""
        stop = self._task.spec.early_stop
        self.why = "" if stop is None else why_stop(self.rows, stop)
        return bool(self.why)


def trainer_for(task: Task, model: Any, lora: Any, device: str, watch: Watch) -> Any:
    """Return TRL's trainer for the recipe, watched."""
    from transformers import PrinterCallback

    spec, dev = task.spec, task.dev
    tokenizer = _tokenizer(task.base)
    longest = max([*task.rows.lengths(), *([] if dev is None else dev.lengths())])
    collates = {"data_collator": turning(tokenizer.pad_token_id)} if isinstance(spec.method, Kto) else {}
    trainer = _trainer_class(task, watch)(
        **collates,
        model=model,
        args=arguments(spec, task.steps, task.folder, device, dev is not None, longest),
        train_dataset=table(task.rows),
        eval_dataset=None if dev is None else table(dev),
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=[_callback(task, watch)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _tokenizer(base: Path) -> Any:
    from transformers import AutoTokenizer

    found = AutoTokenizer.from_pretrained(str(base), trust_remote_code=False, local_files_only=True)
    if found.pad_token is None:
        found.pad_token = found.eos_token
    return found


def _callback(task: Task, watch: Watch) -> Any:
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc]
        """Passes on what TRL does, and says when to stop."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            watch.begin()

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            watch.measured(dict(logs or {}), state.global_step, state.is_world_process_zero)

        def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if watch.looked():
                control.should_save = control.should_training_stop = True

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if task.halted():
                control.should_save = control.should_training_stop = True

    return Watching()


def _trainer_class(task: Task, watch: Watch) -> Any:
    """Return TRL's trainer with our order of rows, our checks and our way of saving put in."""
    from torch import isfinite

    from workbench.adapters.trl_training.training import finite_or_refuse

    base: Any = _base(task.spec.method.kind)

    class Watched(base):  # type: ignore[misc]
        """The trainer of TRL, its rows in tokens already."""

        def _prepare_dataset(self, dataset: Any, processing_class: Any, args: Any, *rest: Any) -> Any:
            packs = isinstance(task.spec.method, Sft) and task.spec.method.packing
            return super()._prepare_dataset(dataset, processing_class, args, *rest) if packs else dataset

        def tokenize_row(self, feature: Any, model: Any = None) -> dict[str, list[int]]:
            """Return a pair as ORPO takes it; its tokens are there already."""
            return as_orpo(feature)

        def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
            prepared = task.rows if name == "train" else task.dev
            assert prepared is not None
            kept = task.references / f"{prepared.digest()}.safetensors"
            return with_references(self, dataset, prepared, kept, batch_size)

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return _Order(len(self.train_dataset), task, self.accelerator.num_processes)

        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            rows = dict(inputs)
            loss = super().training_step(model, inputs, num_items_in_batch)
            if not isfinite(loss):
                finite_or_refuse(float(loss), "loss", self.state.global_step + 1, _named(rows, task.rows))
            return loss

        def _clip_grad_norm(self, model: Any) -> Any:
            norm = super()._clip_grad_norm(model)
            if norm is not None:
                finite_or_refuse(float(norm), "gradient norm", self.state.global_step + 1, "after its backward pass")
            return norm

        def create_model_card(self, model_name: Any = None, dataset_name: Any = None, tags: Any = None) -> None:
            """Write none: a card of ours tells of the data, too."""

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            folder = task.folder.checkpoints / f"checkpoint-{self.state.global_step}"
            if self.is_world_process_zero():
                shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed while it saved
            try:
                super()._save_checkpoint(model, trial)
                self.accelerator.wait_for_everyone()
                if self.is_world_process_zero():
                    write_losses(watch.rows, task.folder.losses)
                    seal(folder)
                    rotate(task.folder.checkpoints, task.spec.keep)
            except _failures() as exc:
                shutil.rmtree(folder, ignore_errors=True)
                raise _not_saved(folder, exc) from exc

    return Watched


def _base(kind: str) -> Any:
    """Return TRL's trainer of a method."""
    from trl import DPOTrainer, KTOTrainer, SFTTrainer

    return orpo()[1] if kind == "orpo" else {"sft": SFTTrainer, "dpo": DPOTrainer, "kto": KTOTrainer}[kind]


class _Order:
    """The order of rows, by epoch, whatever was drawn before; a sampler as torch wants it."""

    def __init__(self, n: int, task: Task, processes: int) -> None:
        lengths = task.rows.lengths()
        self._lengths = lengths if len(lengths) == n else [0] * n  # packed rows are all of one length
        self._task, self._epoch, self._processes = task, 0, processes

    def __len__(self) -> int:
        return len(self._lengths)

    def set_epoch(self, epoch: int) -> None:
        """Have the next pass be this one."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        spec = self._task.spec
        group = spec.rows_a_step(self._processes)
        return iter(epoch_order(self._lengths, group, spec.seed, self._epoch, spec.batching == "by_length"))


def _named(inputs: dict[str, Any], prepared: Prepared) -> str:
    """Return the ids of a batch's rows, found by their tokens."""
    known: dict[tuple[int, ...], str] = {}
    for row in prepared.rows():
        known[tuple(_tokens(row))] = row.id
    of = "" if "input_ids" in inputs else "chosen_"  # ORPO's batches have no others
    pairs = zip(inputs[f"{of}input_ids"].tolist(), inputs[f"{of}attention_mask"].tolist(), strict=True)
    ids = [known.get(tuple(t for t, there in zip(tokens, mask, strict=True) if there), "") for tokens, mask in pairs]
    named = [one for one in ids if one]
    return f"rows {', '.join(named[:20])}{', …' if len(named) > 20 else ''}"


def _tokens(row: Learnt | Compared | Thumbed) -> list[int]:
    if isinstance(row, Compared):
        return row.prompt + row.chosen
    return row.prompt + row.answer if isinstance(row, Thumbed) else row.ids


def _failures() -> tuple[type[Exception], ...]:
    from safetensors import SafetensorError

    return (OSError, RuntimeError, SafetensorError)


def _not_saved(folder: Path, exc: Exception) -> IncompleteRun:
    """Return what to tell when a checkpoint could not be written. torch and safetensors hide the system's reason."""
    said = " ".join(str(exc).split())[:300]
    full = isinstance(exc, OSError) and exc.errno in NO_ROOM
    if full or any(word in said.lower() for word in ("no space", "file too large", "quota", "file write failed")):
        return no_room(folder)
    return IncompleteRun(f"{folder} could not be written ({said}); mend it, then resume: older checkpoints are whole")
