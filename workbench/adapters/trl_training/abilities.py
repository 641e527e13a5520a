"""What this machine and this TRL can do; what they cannot is refused before anything is loaded, with the reason."""

from __future__ import annotations

from importlib.util import find_spec

from workbench.errors import ConfigError, MissingExtra, Problem
from workbench.training.spec import Kto, Orpo, Qlora, Sft, TrainSpec

TRACKERS = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}
NEEDED = ("torch", "transformers", "trl", "peft", "datasets", "accelerate")


def check(spec: TrainSpec) -> None:
    """Raise `MissingExtra` or `ConfigError` for what cannot run here."""
    for package in NEEDED:
        if find_spec(package) is None:
            raise MissingExtra(package, "train")
    for name in spec.report_to:
        if find_spec(TRACKERS[name]) is None:
            raise MissingExtra(name, "tracking")
    if isinstance(spec.method, Orpo) and find_spec("trl.experimental.orpo") is None:
        what = "this release of TRL no longer carries ORPO, which is among its experiments"
        raise ConfigError(Problem("METHOD_NOT_CARRIED", what, field="method.kind", got="orpo", fix="use sft or dpo"))
    if isinstance(spec.method, Kto) and spec.batch < 2:
        what = "KTO sets each answer beside another prompt of its batch, so that a batch of 1 shows nothing"
        raise ConfigError(Problem("BATCH_TOO_SMALL", what, field="batch", got=str(spec.batch), fix="take 2 or more"))
    gpu = _has_gpu(spec)
    if isinstance(spec.adapter, Qlora):
        _refuse_qlora(gpu)
    if isinstance(spec.method, Sft) and spec.method.packing and not (gpu and find_spec("flash_attn")):
        what = "packing needs flash-attn and a GPU: without its kernel, packed rows see each other or are slower"
        raise ConfigError(Problem("CANNOT_PACK", what, field="method.packing", fix="say `packing: false`"))
    if spec.device == "cuda" and not gpu:
        raise ConfigError(Problem("NO_GPU", "torch sees no GPU here", field="device", fix="say `device: auto`"))


def _has_gpu(spec: TrainSpec) -> bool:
    import torch

    return spec.device in ("auto", "cuda") and torch.cuda.is_available()


def _refuse_qlora(gpu: bool) -> None:
    fix = "say `adapter: {kind: lora}`, which needs no other package"
    if find_spec("bitsandbytes") is None:
        what = "QLoRA needs bitsandbytes, which is not installed"
        raise ConfigError(
            Problem("CANNOT_QUANTISE", what, field="adapter.kind", fix=f"pip install bitsandbytes, or {fix}")
        )
    if not gpu:
        what = "QLoRA needs a GPU, and torch sees none here"
        raise ConfigError(Problem("CANNOT_QUANTISE", what, field="adapter.kind", fix=fix))
