"""One side of the training benchmark, in a process of its own: `python -m benchmarks.training_arms SIDE FOLDER ROWS`.

Sides: `loop` bare PyTorch, `trl` a plain script of TRL's, `ours`; `trl-dpo`, `ours-dpo`, `ours-dpo-again`. All train
LoRA of rank 16 on all linear layers of the demo's base, in float32 on one thread, without gradient checkpointing, in
batches of 8, over the same rows. Prints tokens (padding not counted), CPU seconds of the steps, and losses.
"""

from __future__ import annotations

import json
import random
import sys
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.adapters.transformers_tokenizer import load_tokenizer
from workbench.config.workbench_yaml import load_workbench
from workbench.datasets import Conversation, PreferencePair, Side
from workbench.jobs.training import Audience, begin
from workbench.reading.storing import Origin, store_rows
from workbench.records import Turn
from workbench.training.rows import How, Prepared, plain, prepare_conversations
from workbench.training.spec import TrainSpec
from workbench.training.template import check_template

BASE = Path(__file__).parents[1] / "demo" / "models" / "base"
WORDS = [
    "the",
    "a",
    "booking",
    "can",
    "be",
    "moved",
    "to",
    "another",
    "day",
    "when",
    "it",
    "is",
    "paid",
    "ask",
    "for",
    "help",
    "with",
    "an",
    "account",
    "or",
    "invoice",
]
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def main(side: str, folder: Path, n: int) -> dict[str, Any]:
    """Train as one side does and return what was measured."""
    import torch

    torch.set_num_threads(1)
    if side == "loop":
        return loop(n)
    if side.startswith("trl"):
        return plain_trl(side, folder, n)
    return ours(side, folder, n)


def chats(n: int) -> list[Conversation]:
    """Return chats whose lengths differ as people's do: log-normal, 10 to 400 words."""
    draw = random.Random(0)

    def say(median: float) -> str:
        return " ".join(draw.choices(WORDS, k=min(400, max(5, int(draw.lognormvariate(0, 0.9) * median)))))

    turns = [(Turn(role="user", content=say(40)), Turn(role="assistant", content=say(25))) for _ in range(n)]
    return [Conversation(id=f"c{i}", messages=two) for i, two in enumerate(turns)]


def pairs(n: int) -> list[PreferencePair]:
    """Return the chats' answers against others'."""
    rows = chats(2 * n)
    return [
        PreferencePair(id=f"p{i}", prompt=a.messages[:1],
                       chosen=Side(messages=a.messages[1:]), rejected=Side(messages=b.messages[1:]))
        for i, (a, b) in enumerate(zip(rows[:n], rows[n:], strict=True))
    ]  # fmt: skip


class Clock:
    """CPU seconds between the first and the last step that were told of."""

    def __init__(self) -> None:
        self.steps: list[tuple[float, float]] = []

    def tick(self, loss: float) -> None:
        self.steps.append((time.process_time(), loss))

    def told(self, tokens: int) -> dict[str, Any]:
        seconds = self.steps[-1][0] - self.steps[0][0]
        share = (len(self.steps) - 1) / len(self.steps)
        return {"tokens": tokens * share, "cpu": seconds, "losses": [loss for _, loss in self.steps]}


# ---------------------------------------------------------------- sides


def ours(side: str, folder: Path, n: int) -> dict[str, Any]:
    """Train by the workbench."""
    dpo, clock = "dpo" in side, Clock()
    project = folder / "project"
    project.mkdir(parents=True, exist_ok=True)
    (project / "workbench.yaml").write_text(f"models:\n  m: {{kind: local, base: {BASE}}}\ncandidate: m\n")
    bench = load_workbench(project / "workbench.yaml", {})
    rows: list[Any] = pairs(n) if dpo else chats(n)
    made = store_rows(rows, Origin("rows", "pairs" if dpo else "conversations", "train"), bench.home.root, NOW)
    spec = recipe(f"rows@{made.manifest.fingerprint}", "dpo" if dpo else "sft")
    begun = time.process_time()
    run = begin(bench, spec, Audience(lambda now: clock.tick(now.row.loss if now.row else 0.0), lambda _: None))
    told = clock.told(run.last.tokens or 0 if run.last else 0)
    return told | {"whole": time.process_time() - begun}


def recipe(dataset: str, method: str) -> TrainSpec:
    """Return what all sides train."""
    plain_spec = {
        "name": "bench", "base": str(BASE), "dataset": dataset, "method": {"kind": method}, "threads": 1,
        "adapter": {"kind": "lora", "rank": 16}, "learning_rate": 1e-4, "save_every": 10**6, "device": "cpu",
    }  # fmt: skip
    return TrainSpec.model_validate(plain_spec)


def plain_trl(side: str, folder: Path, n: int) -> dict[str, Any]:
    """Train by TRL as its documentation shows it."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback, TrainerCallback
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    dpo, clock = "dpo" in side, Clock()

    class Ticking(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if "loss" in logs:
                clock.tick(float(logs["loss"]))

    begun = time.process_time()
    options: dict[str, Any] = {} if dpo else {"assistant_only_loss": True}
    args = (DPOConfig if dpo else SFTConfig)(
        output_dir=str(folder / side), num_train_epochs=1, per_device_train_batch_size=8, learning_rate=1e-4,
        bf16=False, use_cpu=True, gradient_checkpointing=False, logging_steps=1, report_to="none", disable_tqdm=True,
        save_strategy="no", dataloader_pin_memory=False, **options,
    )  # fmt: skip
    if dpo:
        rows = [{"prompt": [plain(m) for m in p.prompt], "chosen": [plain(m) for m in p.chosen.messages],
                 "rejected": [plain(m) for m in p.rejected.messages]} for p in pairs(n)]  # fmt: skip
    else:
        rows = [{"messages": [plain(m) for m in chat.messages]} for chat in chats(n)]
    trainer = (DPOTrainer if dpo else SFTTrainer)(
        model=AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32), args=args,
        train_dataset=Dataset.from_list(rows), processing_class=AutoTokenizer.from_pretrained(BASE),
        peft_config=LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear"),
        callbacks=[Ticking()],
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    tokens = next(log["num_tokens"] for log in reversed(trainer.state.log_history) if "num_tokens" in log)
    return clock.told(int(tokens)) | {"whole": time.process_time() - begun}


def loop(n: int) -> dict[str, Any]:
    """Train by a loop over PyTorch and peft, in the rows' order, all positions through the output head."""
    import torch
    from peft import LoraConfig, get_peft_model
    from torch.nn.utils import clip_grad_norm_
    from transformers import AutoModelForCausalLM

    tokenizer = load_tokenizer(BASE)
    ready: Prepared = prepare_conversations(
        chats(n), How(tokenizer, check_template(tokenizer, None, str(BASE)), 1024, False), "chats"
    )
    model: Any = AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear"))
    learnt = [p for p in model.parameters() if p.requires_grad]
    optimizer, clock = torch.optim.AdamW(learnt, lr=1e-4), Clock()
    for at in range(0, n, 8):
        rows = ready.conversations[at : at + 8]
        longest = max(row.length() for row in rows)
        ids = torch.tensor([row.ids + [0] * (longest - row.length()) for row in rows])
        labels = torch.tensor([row.labels + [-100] * (longest - row.length()) for row in rows])
        there = torch.tensor([[1] * row.length() + [0] * (longest - row.length()) for row in rows])
        loss = model(input_ids=ids, attention_mask=there, labels=labels).loss
        loss.backward()
        clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.tick(float(loss))
    return clock.told(sum(ready.lengths()))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
