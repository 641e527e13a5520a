"""The plan's memory against what is measured, on a CPU: `python -m benchmarks.training_memory`.

Each shape is a process of its own: a random Llama, LoRA or all weights, two steps through TRL's output head as
`workbench train` runs it, the resident set watched a thousand times a second. The C library gives freed blocks back at
once (`MALLOC_MMAP_THRESHOLD_`), so that what is resident is what is in use. Memory before the model counts as runtime.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from workbench.training.memory import Load, Memory, plan_memory
from workbench.training.shape import Shape, shape_of
from workbench.training.spec import TrainSpec

SHAPES: tuple[dict[str, Any], ...] = (
    {"hidden": 512, "inner": 1376, "layers": 4, "heads": 8, "kv": 8, "words": 8000, "rows": 4, "length": 256},
    {"hidden": 512, "inner": 1376, "layers": 4, "heads": 8, "kv": 2, "words": 8000, "rows": 2, "length": 512},
    {"hidden": 768, "inner": 2048, "layers": 6, "heads": 12, "kv": 4, "words": 16000, "rows": 2, "length": 256},
    {"hidden": 512, "inner": 1376, "layers": 8, "heads": 8, "kv": 8, "words": 4000, "rows": 4, "length": 256,
     "again": True},
    {"hidden": 512, "inner": 1376, "layers": 4, "heads": 8, "kv": 8, "words": 8000, "rows": 4, "length": 256,
     "full": True},
    {"hidden": 384, "inner": 1024, "layers": 6, "heads": 6, "kv": 6, "words": 32000, "rows": 2, "length": 384},
)  # fmt: skip


def main() -> None:
    """Print each shape's plan and peak, without the runtime, in MB."""
    for shape in SHAPES:
        environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
        command = [sys.executable, "-m", "benchmarks.training_memory", json.dumps(shape)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        print(done.stdout.strip() or done.stderr.strip()[-400:], flush=True)


def measure(wanted: dict[str, Any]) -> dict[str, Any]:
    """Train two steps at a shape; return the plan's bytes and the measured ones, both without the runtime."""
    shape, spec = planned(wanted)
    load = Load(wanted["rows"], wanted["length"], wanted["rows"] * wanted["length"] // 2)
    plan: Memory = plan_memory(spec, shape, load, "cpu")
    expected = plan.peak - plan.part("runtime")
    found = _peak(wanted, shape)
    parts = {p.name: p.bytes // 10**6 for p in plan.parts if p.bytes and p.name != "runtime"}
    return {**wanted, "planned_mb": expected // 10**6, "measured_mb": found // 10**6,
            "ratio": round(expected / found, 3), "parts": parts}  # fmt: skip


def planned(wanted: dict[str, Any]) -> tuple[Shape, TrainSpec]:
    """Return the shape and the recipe that are planned."""
    config = {
        "model_type": "llama", "hidden_size": wanted["hidden"], "intermediate_size": wanted["inner"],
        "num_hidden_layers": wanted["layers"], "num_attention_heads": wanted["heads"],
        "num_key_value_heads": wanted["kv"], "vocab_size": wanted["words"], "tie_word_embeddings": False,
    }  # fmt: skip
    adapter = {"kind": "none"} if wanted.get("full") else {"kind": "lora", "rank": 16}
    plain = {"name": "m", "base": "b", "dataset": "d@aaaaaa", "method": {"kind": "sft"}, "adapter": adapter}
    again = bool(wanted.get("again"))
    return shape_of(config), TrainSpec.model_validate({**plain, "gradient_checkpointing": again})


def _peak(wanted: dict[str, Any], shape: Shape) -> int:
    import peft
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
    from trl.trainer.utils import add_fused_lm_head

    from workbench.adapters.trl_training.logits import only_learnt_positions

    torch.set_num_threads(1)
    torch.manual_seed(0)
    before = _resident()
    model: Any = LlamaForCausalLM(
        LlamaConfig(
            hidden_size=shape.hidden, intermediate_size=shape.inner, num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads, vocab_size=shape.vocabulary,
            max_position_embeddings=2048, tie_word_embeddings=False,
        )
    )  # fmt: skip
    add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
    if not wanted.get("full"):
        model = peft.get_peft_model(
            model, peft.LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear")
        )
    if wanted.get("again"):
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    model.train()
    learnt = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=1e-4)
    ids = torch.randint(0, shape.vocabulary, (wanted["rows"], wanted["length"]))
    labels, there = ids.clone(), torch.ones_like(ids)
    labels[:, : wanted["length"] // 2] = -100
    there[0, -3:] = 0
    watch = _Watch()
    with only_learnt_positions("cpu", shape.vocabulary):
        for _ in range(2):
            model(
                input_ids=ids, attention_mask=there, labels=labels, fused_lm_head=True, use_cache=False
            ).loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt, 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return watch.end() - before


class _Watch:
    """The most memory that was resident."""

    def __init__(self) -> None:
        self._most, self._on = 0, True
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while self._on:
            self._most = max(self._most, _resident())
            time.sleep(0.001)

    def end(self) -> int:
        self._on = False
        self._thread.join()
        return self._most


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(json.loads(sys.argv[1]))))
    else:
        main()
