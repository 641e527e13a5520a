"""Make the demo's two models from nothing: tokenizer, base model, and the judge tuned from it.

    python -m demo.build_model [--minutes 36] [--only base|judge] [--out demo/models] [--work build/demo-model]

One thread, seeded, with checkpoints: start it again after an interruption and it goes on. Times differ between
machines and the number of steps with them, so a rebuilt model is like the shipped one but not byte for byte the same.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from demo.lessons import Lessons, all_words, tokenizer_texts
from demo.tokens import save_tokenizer, train_tokenizer
from demo.training import Budget, train
from demo.wiring import wire

HOME = Path(__file__).parent / "models"
BASE_SHARE = 0.45
LARGEST_VOCABULARY = 3900


@dataclass(frozen=True)
class Plan:
    """Where to build, for how long, and from which seed."""

    out: Path
    work: Path
    minutes: float
    seed: int


def build_base(plan: Plan) -> None:
    """Train tokenizer and base model, and write both."""
    words = all_words()
    torch.manual_seed(plan.seed)
    folder = plan.work / "tokenizer"
    if not (folder / "tokenizer.json").exists():
        texts, known = tokenizer_texts(words, plan.seed)
        save_tokenizer(train_tokenizer(texts, known, LARGEST_VOCABULARY), folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = fresh_model(len(tokenizer), plan.seed)
    lessons = Lessons(tokenizer, words, random.Random(plan.seed))
    budget = Budget(plan.minutes * 60 * BASE_SHARE, rate=2e-3)
    train(model, lessons.base, budget, plan.work / "base.pt", progress("base"))
    save(model, tokenizer, plan.out / "base")


def build_judge(plan: Plan) -> None:
    """Tune the base model to grade answers, and write it."""
    tokenizer = AutoTokenizer.from_pretrained(plan.out / "base")
    model = LlamaForCausalLM.from_pretrained(plan.out / "base")
    lessons = Lessons(tokenizer, all_words(), random.Random(plan.seed + 1))
    budget = Budget(plan.minutes * 60 * (1 - BASE_SHARE), rate=1.5e-3)
    train(model, lessons.judge, budget, plan.work / "judge.pt", progress("judge"))
    save(model, tokenizer, plan.out / "judge")


def fresh_model(vocabulary: int, seed: int) -> Any:
    """Return an untrained Llama of 3 layers, 128 wide, with its first weights wired."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=4,
    )
    model = LlamaForCausalLM(config)
    wire(model, seed)
    return model


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a Hugging Face folder that answers greedily by default."""
    model.generation_config.update(do_sample=False, max_new_tokens=96, pad_token_id=0, eos_token_id=4)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def progress(name: str) -> Callable[[str], None]:
    """Return a function that prints a line with the time of day."""
    return lambda line: print(f"{time.strftime('%H:%M:%S')} {name}: {line}", flush=True)


def main() -> int:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=36.0, help="training time for both (default: %(default)s)")
    parser.add_argument("--only", choices=("base", "judge"), help="build one of the two; the judge needs the base")
    parser.add_argument("--out", type=Path, default=HOME, help="where the models go (default: %(default)s)")
    parser.add_argument(
        "--work", type=Path, default=Path("build/demo-model"), help="checkpoints (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of weights and lessons (default: %(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    plan = Plan(args.out, args.work, args.minutes, args.seed)
    if args.only != "judge":
        build_base(plan)
    if args.only != "base":
        build_judge(plan)
    return 0


if __name__ == "__main__":
    sys.exit(main())
