"""A recipe in TRL's words."""

from __future__ import annotations

import math
from typing import Any

from workbench.adapters.trl_training.model import half
from workbench.training.folder import TrainFolder
from workbench.training.rows import Prepared
from workbench.training.spec import Dpo, Sft, TrainSpec

TIMES = 10
"""Looks at the dev set, and checkpoints, in a run whose recipe does not say."""
SCHEDULES = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}


def arguments(spec: TrainSpec, steps: int, folder: TrainFolder, device: str, evaluates: bool) -> Any:
    """Return TRL's arguments. Nothing is cut (`max_length`: none), fetched, or sent anywhere unasked."""
    from trl import DPOConfig, SFTConfig

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
    assert isinstance(spec.method, Dpo)
    return DPOConfig(**common, beta=spec.method.beta, precompute_ref_log_probs=spec.method.precompute, max_length=None)


def table(prepared: Prepared) -> Any:
    """Return rows as the table that TRL reads."""
    from datasets import Dataset

    if prepared.pairs:
        columns = {"prompt_ids": "prompt", "chosen_ids": "chosen", "rejected_ids": "rejected"}
        return Dataset.from_dict({name: [getattr(p, of) for p in prepared.pairs] for name, of in columns.items()})
    rows = prepared.conversations
    return Dataset.from_dict({"input_ids": [r.ids for r in rows], "labels": [r.labels for r in rows]})
