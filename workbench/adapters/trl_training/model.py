"""The base model and its adapter, as TRL takes them: safetensors only, no code of the model's folder, quietly."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from workbench.errors import ModelError
from workbench.training.spec import Full, Lora, Qlora, Sft, TrainSpec


def settle(spec: TrainSpec) -> str:
    """Set threads, quiet the libraries, and return the device: `cuda`, `mps` or `cpu`."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import datasets
    import torch
    import transformers

    datasets.disable_progress_bars()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if spec.threads is not None:
        torch.set_num_threads(spec.threads)
    if spec.device != "auto":
        return spec.device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def half(spec: TrainSpec, device: str) -> bool:
    """Return whether numbers are bfloat16."""
    return spec.precision == "bfloat16" or (spec.precision == "auto" and device == "cuda")


def load_model(spec: TrainSpec, base: Path, start: Path | None, device: str) -> tuple[Any, Any]:
    """Return the model, and the LoRA configuration that TRL is to put on it, if any."""
    import torch
    from transformers import AutoModelForCausalLM, set_seed

    set_seed(spec.seed)
    trained = isinstance(spec.adapter, Full)
    dtype = torch.bfloat16 if half(spec, device) and not trained else torch.float32
    options: dict[str, Any] = {"dtype": dtype, "use_safetensors": True, "trust_remote_code": False}
    if isinstance(spec.adapter, Qlora):
        options |= {"quantization_config": _four_bits(), "device_map": {"": 0}}
    if isinstance(spec.method, Sft) and spec.method.packing:
        options["attn_implementation"] = "flash_attention_2"
    try:
        model = AutoModelForCausalLM.from_pretrained(str(base), local_files_only=True, **options)
    except (OSError, ValueError) as exc:
        raise ModelError(f"the base model in {base} cannot be loaded: {exc}") from exc
    if start is not None:
        return _with_adapter(model, start), None
    return model, None if trained else _lora(spec)


def _lora(spec: TrainSpec) -> Any:
    from peft import LoraConfig

    lora = spec.adapter
    assert isinstance(lora, Lora)
    targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    return LoraConfig(
        task_type="CAUSAL_LM", r=lora.rank, lora_alpha=lora.scale(), lora_dropout=lora.dropout, target_modules=targets
    )


def _with_adapter(model: Any, start: Path) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(start), is_trainable=True, use_safetensors=True)


def _four_bits() -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
