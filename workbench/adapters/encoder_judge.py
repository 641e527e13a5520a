"""A small encoder that passes or fails answers: trained on labels, and a `Model` that replies as a judge does.

It reads the very prompt that a chat model would be given, so that it takes a judge's place in workbench.yaml.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import MissingExtra, ModelError
from workbench.models import Output, OutputFailure, Request, Usage
from workbench.records import Message

if TYPE_CHECKING:
    import torch

BLOCK = re.compile(r"<data-([0-9a-f]{12})>\n(.*)\n</data-\1>\Z", re.DOTALL)
ANSWER = re.compile(r"(?:\A|\n\n)## Answer\n")
TOKENS = 256
"""Tokens of a pair that the encoder reads; of a longer one the given part is cut."""
SORTED = 12
"""Batches whose rows are sorted by length together."""
EVIDENCE = 12
"""Words of the answer that are quoted; the whole of it was read."""


@dataclass(frozen=True)
class Judgeable:
    """What an encoder reads."""

    given: str
    """Question, passages, reference: what the answer is held against."""
    answer: str


@dataclass(frozen=True)
class Learning:
    """How an encoder is trained."""

    epochs: int = 3
    """Passes over the labels; the one that does best on the labels held back is kept."""
    rate: float = 1e-4
    """Highest learning rate, after a warm-up over a tenth of the steps; it falls to 0."""
    batch: int = 16
    """Labels a step."""
    seed: int = 0
    """Of the order, the head and dropout."""


def judgeable(messages: Sequence[Message]) -> Judgeable:
    """Return what a judge's prompt holds. Raises `ValueError` for a prompt that no judge of ours wrote."""
    found = BLOCK.search(messages[-1].content)
    return split_data(found[2] if found else "")


def split_data(data: str) -> Judgeable:
    """Return what stands before and under the heading of the answer. Raises `ValueError` where it is not there once."""
    parts = ANSWER.split(data)
    if len(parts) != 2:
        raise ValueError("the prompt holds no answer between the marks of a rubric judge")
    return Judgeable(parts[0], parts[1])


class EncoderJudge:
    """An encoder's folder as a judge; a `Model`. Loaded at the first question."""

    concurrency = 64

    def __init__(self, folder: Path, threshold: float, name: str) -> None:
        """`threshold` is the probability from which an answer passes."""
        self._folder, self._threshold, self._name = folder, threshold, name
        self._loaded: tuple[Any, Any] | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Judge the answer in a judge's prompt."""
        try:
            one = judgeable(request.messages)
        except ValueError as exc:
            return OutputFailure(kind="rejected", message=f"an encoder judges only for a rubric_judge: {exc}")
        chance = (await asyncio.get_running_loop().run_in_executor(self._worker, self._judge, [one]))[0]
        reply = {
            "evidence": " ".join(one.answer.split()[:EVIDENCE]),
            "reason": f"The trained judge gives it a probability of {chance:.2f}; {self._threshold:.2f} passes.",
            "verdict": "pass" if chance >= self._threshold else "fail",
        }
        usage = Usage(cost=0.0, charged=0.0)
        return Output(text=json.dumps(reply, ensure_ascii=False), model=self._name, usage=usage)

    async def aclose(self) -> None:
        """End the worker thread."""
        await asyncio.to_thread(self._worker.shutdown)

    def _judge(self, pairs: Sequence[Judgeable]) -> list[float]:
        if self._loaded is None:
            self._loaded = load(self._folder)
        return chances(*self._loaded, pairs)


def load(folder: Path) -> tuple[Any, Any]:
    """Return model and tokenizer of a folder; safetensors only, no code. Raises `ModelError`, `MissingExtra`."""
    try:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
        from transformers.utils import logging
    except ImportError as exc:
        raise MissingExtra("transformers", "train") from exc
    logging.set_verbosity_error()  # that a head is new is meant
    logging.disable_progress_bar()
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            str(folder), num_labels=1, local_files_only=True, use_safetensors=True
        )
        return model, AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError) as exc:
        raise ModelError(f"{folder} is no encoder that transformers can load ({exc}); give a BERT-like model") from exc


def chances(model: Any, tokenizer: Any, pairs: Sequence[Judgeable], batch: int = 32) -> list[float]:
    """Return the probability that each answer passes."""
    import torch

    model.eval()
    found = [0.0] * len(pairs)
    order = sorted(range(len(pairs)), key=lambda i: _length(pairs[i]))  # rows of like length need no padding
    with torch.inference_mode():
        for at in range(0, len(order), batch):
            some = order[at : at + batch]
            logits = model(**_encoded(tokenizer, [pairs[i] for i in some])).logits[:, 0]
            for i, x in zip(some, logits.float().tolist(), strict=True):
                found[i] = 1 / (1 + math.exp(-x))
    return found


def train(
    base: Path,
    learnt: Sequence[tuple[Judgeable, bool]],
    held_back: Sequence[tuple[Judgeable, bool]],
    learning: Learning,
    out: Path,
    say: Callable[[str], None],
) -> list[float]:
    """Train a base on labels, and write the epoch that does best on those held back to `out`; return its chances there.

    The rarer verdict weighs more, so that both weigh the same in all.
    """
    import torch

    torch.manual_seed(learning.seed)
    model, tokenizer = load(base)
    passes = sum(label for _, label in learnt)
    weight = torch.tensor((len(learnt) - passes) / max(1, passes))
    steps = learning.epochs * math.ceil(len(learnt) / learning.batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=learning.rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _pace(step, steps))
    best: tuple[float, list[float]] = (-1.0, [])
    for epoch in range(learning.epochs):
        loss = _epoch(model, tokenizer, learnt, learning, epoch, weight, optimiser, schedule)
        found = chances(model, tokenizer, [pair for pair, _ in held_back])
        area = _area(found, [label for _, label in held_back])
        say(f"epoch {epoch + 1} of {learning.epochs}: loss {loss:.3f}, area under the curve, held back {area:.3f}")
        if area > best[0]:
            best = (area, found)
            model.save_pretrained(out, safe_serialization=True)
            tokenizer.save_pretrained(out)
    return best[1]


def _epoch(
    model: Any,
    tokenizer: Any,
    learnt: Sequence[tuple[Judgeable, bool]],
    learning: Learning,
    epoch: int,
    weight: torch.Tensor,
    optimiser: Any,
    schedule: Any,
) -> float:
    """Learn from every label once, in an order of its own; return the mean loss."""
    import torch

    model.train()
    losses: list[float] = []
    for batch in batches([_length(pair) for pair, _ in learnt], learning.batch, learning.seed + epoch):
        some = [learnt[i] for i in batch]
        logits = model(**_encoded(tokenizer, [pair for pair, _ in some])).logits[:, 0]
        target = torch.tensor([float(label) for _, label in some])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, pos_weight=weight)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        losses.append(float(loss.detach()))
    return sum(losses) / len(losses)


def batches(lengths: Sequence[int], size: int, seed: int) -> list[list[int]]:
    """Return rows in batches of like length, in an order of chance: of each dozen batches, drawn, the rows are sorted.

    Batches of any length would be nearly half padding on BEGIN's rows, and these are a sixteenth.
    """
    draw = random.Random(seed)
    order = draw.sample(range(len(lengths)), len(lengths))
    found = []
    for at in range(0, len(order), SORTED * size):
        some = sorted(order[at : at + SORTED * size], key=lambda i: lengths[i])
        found += [some[i : i + size] for i in range(0, len(some), size)]
    draw.shuffle(found)
    return found


def _length(pair: Judgeable) -> int:
    return len(pair.given) + len(pair.answer)


def _encoded(tokenizer: Any, pairs: Sequence[Judgeable]) -> Any:
    given, answers = (
        [text.encode("utf-8", "replace").decode() for text in texts]  # tokenizers refuse lone surrogates
        for texts in ([pair.given for pair in pairs], [pair.answer for pair in pairs])
    )
    return tokenizer(given, answers, padding=True, truncation="longest_first", max_length=TOKENS, return_tensors="pt")


def _pace(step: int, steps: int) -> float:
    warm = max(1, steps // 10)
    return (step + 1) / warm if step < warm else max(0.0, (steps - step) / max(1, steps - warm))


def _area(found: Sequence[float], labels: Sequence[bool]) -> float:
    """Return the chance that a passing answer is given more than a failing one; 0.5 where one kind is missing."""
    good = [x for x, label in zip(found, labels, strict=True) if label]
    bad = [x for x, label in zip(found, labels, strict=True) if not label]
    wins = sum((g > b) + 0.5 * (g == b) for g in good for b in bad)
    return wins / (len(good) * len(bad)) if good and bad else 0.5
