"""Measure the demo model on the dev families, before and after a short LoRA tuning on the train families.

    python -m demo.measure [--model demo/models/base] [--tune 90]

The gate families are not looked at: they are for the release decision only.
"""

import argparse
import json
import random
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer, LlamaForCausalLM

from demo.lessons import Lessons, all_words
from demo.training import loss_of, padded
from workbench.datasets import Sample, Split, Use, split_of

EVALSET = Path(__file__).parents[1] / "evalsets" / "helpcentre"
SPLIT = Split(salt="helpcentre", train=0.5, dev=0.2, gate=0.3)


@dataclass(frozen=True)
class Tally:
    """Right answers and questions by slice; each question counts in all and in one other slice."""

    right: dict[str, int]
    asked: dict[str, int]

    def table(self) -> str:
        """Return one line a slice."""
        rows = [(name, self.right.get(name, 0), count) for name, count in sorted(self.asked.items())]
        return "\n".join(f"  {name:16} {right:4}/{count:<4} {right / count:6.1%}" for name, right, count in rows)


def samples_of(use: Use) -> list[Sample]:
    """Read the samples on one side of the split."""
    lines = (EVALSET / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    samples = [Sample.model_validate_json(line) for line in lines]
    return [sample for sample in samples if split_of(sample.group, SPLIT) == use]


def answer(model: Any, tokenizer: Any, chat: list[dict[str, str]], most: int = 48) -> str:
    """Return the greedy answer to a chat."""
    ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        out = model.generate(**ids, max_new_tokens=most, do_sample=False)
    return str(tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))


def exact_match(model: Any, tokenizer: Any, samples: list[Sample]) -> Tally:
    """Count answers that are the reference to the letter."""
    right: dict[str, int] = defaultdict(int)
    asked: dict[str, int] = defaultdict(int)
    for sample in samples:
        said = answer(model, tokenizer, [{"role": turn.role, "content": turn.content} for turn in sample.messages])
        answerable = sample.tags["answerable"] == "yes"
        for name in ("all", f"format {sample.tags['format']}" if answerable else "unanswerable"):
            asked[name] += 1
            right[name] += said in sample.references
    return Tally(right, asked)


def tune(model: Any, tokenizer: Any, samples: list[Sample], seconds: float) -> Any:
    """Return the model with a LoRA adapter on every linear layer, tuned for some seconds on the samples."""
    torch.manual_seed(0)
    config = LoraConfig(r=32, lora_alpha=64, target_modules="all-linear", task_type="CAUSAL_LM")
    tuned = get_peft_model(model, config)
    rng = random.Random(0)
    lessons = Lessons(tokenizer, all_words(), rng)
    chats = [
        [
            *({"role": turn.role, "content": turn.content} for turn in sample.messages),
            {"role": "assistant", "content": sample.references[0]},
        ]
        for sample in samples
    ]
    rows = [lessons.encode(chat) for chat in chats]
    optimizer = torch.optim.AdamW([p for p in tuned.parameters() if p.requires_grad], lr=2e-3)
    started = time.monotonic()
    while (used := time.monotonic() - started) < seconds:
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - used / seconds)
        loss_of(tuned.get_base_model(), padded(rng.sample(rows, 16), 0)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
    return tuned


def main() -> int:
    """Measure, tune, measure again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("demo/models/base"), help="model folder")
    parser.add_argument("--tune", type=float, default=90.0, help="seconds of LoRA tuning; 0 for none")
    parser.add_argument("--json", action="store_true", help="print the tallies as JSON as well")
    args = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model: Any = LlamaForCausalLM.from_pretrained(args.model)
    model.eval()
    dev = samples_of("dev")
    tallies = {"base": exact_match(model, tokenizer, dev)}
    print(f"exact match on dev ({len(dev)} questions), base:\n{tallies['base'].table()}", flush=True)
    if args.tune:
        tuned = tune(model, tokenizer, samples_of("train"), args.tune).eval()
        tallies["tuned"] = exact_match(tuned, tokenizer, dev)
        print(f"after {args.tune:.0f} s of LoRA on the train families:\n{tallies['tuned'].table()}")
    if args.json:
        print(json.dumps({name: {"right": tally.right, "asked": tally.asked} for name, tally in tallies.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
