"""A recipe in TRL's words."""

from __future__ import annotations

import math
import warnings
from typing import Any

from workbench.adapters.trl_training.model import half
from workbench.training.folder import TrainFolder
from workbench.training.rows import Prepared
from workbench.training.spec import Dpo, Kto, Sft, TrainSpec

TIMES = 10
"""Looks at the dev set, and checkpoints, in a run whose recipe does not say."""
SCHEDULES = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}


def arguments(spec: TrainSpec, steps: int, folder: TrainFolder, device: str, evaluates: bool, longest: int) -> Any:
    """Return TRL's arguments. Nothing is cut (`max_length`: none, or the `longest` row), fetched, or sent unasked."""
    from trl import DPOConfig, KTOConfig, SFTConfig

    often = max(1, steps // TIMES)
    common: dict[str, Any] = {
        "output_dir": str(folder.checkpoints),
        "max_steps": steps,
        "per_device_train_batch_size": spec.batch,
        "per_device_eval_batch_size": spec.batch,
        "gradient_accumulation_steps": spec.accumulate,
        "learning_rate": spec.rate(),
        "warmup_steps": math.ceil(spec.warmup * steps),
        "lr_scheduler_type": SCHEDULES[spec.schedule],
        "weight_decay": spec.weight_decay,
        "max_grad_norm": spec.clip,
        "bf16": half(spec, device),
        "gradient_checkpointing": spec.gradient_checkpointing,
        "use_cpu": device == "cpu",
        "dataloader_pin_memory": device == "cuda",
        "seed": spec.seed,
        "data_seed": spec.seed,
        "logging_steps": spec.log_every,
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": spec.evaluate_every or often,
        "save_strategy": "steps",
        "save_steps": spec.save_every or often,
        "save_total_limit": None,  # old checkpoints go when the new one is complete, not before
        "report_to": list(spec.report_to) or "none",
        "disable_tqdm": True,
    }
    if isinstance(spec.method, Sft):
        packed = spec.method.packing
        return SFTConfig(**common, packing=packed, max_length=spec.max_length if packed else None)
    if isinstance(spec.method, Dpo):
        precompute, nll = spec.method.precompute, spec.method.nll
        both = {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, nll]} if nll else {}
        return DPOConfig(**common, **both, beta=spec.method.beta, precompute_ref_log_probs=precompute, max_length=None)
    if isinstance(spec.method, Kto):
        # `sequential` because TRL would pair answers when rows are read; ours are paired within each batch.
        return KTOConfig(**common, beta=spec.method.beta, max_length=None, train_sampling_strategy="sequential")
    return orpo()[0](**common, beta=spec.method.beta, max_length=longest)


def orpo() -> tuple[Any, Any]:
    """Return TRL's configuration and trainer of ORPO, without its warning that they are an experiment."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from trl.experimental.orpo import ORPOConfig, ORPOTrainer
    return ORPOConfig, ORPOTrainer


def table(prepared: Prepared) -> Any:
    """Return rows as the table that TRL reads."""
    from datasets import Dataset

    if prepared.thumbs:
        rows = prepared.thumbs
        answers = {"prompt_ids": [r.prompt for r in rows], "completion_ids": [r.answer for r in rows]}
        return Dataset.from_dict({**answers, "label": [r.good for r in rows]})
    if prepared.pairs:
        columns = {"prompt_ids": "prompt", "chosen_ids": "chosen", "rejected_ids": "rejected"}
        return Dataset.from_dict({name: [getattr(p, of) for p in prepared.pairs] for name, of in columns.items()})
    chats = prepared.conversations
    return Dataset.from_dict({"input_ids": [r.ids for r in chats], "labels": [r.labels for r in chats]})
