"""The training loop of the demo models: plain torch on one thread, a time budget, checkpoints, progress with ETA."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

IGNORED = -100


@dataclass(frozen=True)
class Batch:
    """Right-padded token ids and targets, both (rows, length); a target of -100 is not learnt."""

    ids: torch.Tensor
    targets: torch.Tensor


@dataclass(frozen=True)
class Budget:
    """How long to train and how hard: seconds of training, peak learning rate, seconds between checkpoints."""

    seconds: float
    rate: float
    save_every: float = 60.0


def padded(rows: list[tuple[list[int], list[int]]], pad: int) -> Batch:
    """Stack (ids, mask) rows; targets are the ids where the mask is 1. Right padding needs no attention mask."""
    length = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), length), pad, dtype=torch.long)
    targets = torch.full((len(rows), length), IGNORED, dtype=torch.long)
    for row, (tokens, mask) in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        kept = [token if keep else IGNORED for token, keep in zip(tokens, mask, strict=True)]
        targets[row, : len(tokens)] = torch.tensor(kept)
    return Batch(ids, targets)


def loss_of(model: Any, batch: Batch) -> torch.Tensor:
    """Return the mean cross entropy; the large output matrix is applied only where there is something to learn."""
    hidden = model.model(input_ids=batch.ids).last_hidden_state[:, :-1]
    targets = batch.targets[:, 1:]
    chosen = targets != IGNORED
    logits = model.lm_head(hidden[chosen])
    return functional.cross_entropy(logits, targets[chosen])


def train(
    model: Any,
    batches: Callable[[float], Iterator[Batch]],
    budget: Budget,
    checkpoint: Path,
    say: Callable[[str], None],
) -> None:
    """Train until the time is spent; ``batches(progress)`` yields batches fit for a stage of training (0 to 1).

    A checkpoint found at ``checkpoint`` is taken up again, with the time that it had already used.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=budget.rate, betas=(0.9, 0.98), weight_decay=0.01)
    used, step = _resume(model, optimizer, checkpoint)
    started = last_saved = last_said = time.monotonic()
    offset, losses = used, []
    model.train()
    while used < budget.seconds:
        progress = used / budget.seconds
        for group in optimizer.param_groups:
            group["lr"] = budget.rate * min(1.0, progress / 0.04 + 0.02) * _cosine(progress)
        loss = loss_of(model, next(batches(progress)))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        losses.append(loss.item())
        now = time.monotonic()
        used = offset + now - started
        if now - last_said > 15:
            mean = sum(losses) / len(losses)
            say(f"step {step}: loss {mean:.3f}, {used:.0f} s of {budget.seconds:.0f} s")
            last_said, losses = now, []
        if now - last_saved > budget.save_every:
            _save(model, optimizer, checkpoint, used, step)
            last_saved = now
    _save(model, optimizer, checkpoint, used, step)
    model.eval()


def _cosine(progress: float) -> float:
    """Fall from 1 to 0.05 over the whole training."""
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def _save(model: Any, optimizer: torch.optim.Optimizer, path: Path, used: float, step: int) -> None:
    """Write a new file and rename it, so that a kill leaves the old checkpoint whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "used": used, "step": step}
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def _resume(model: Any, optimizer: torch.optim.Optimizer, path: Path) -> tuple[float, int]:
    """Load a checkpoint where there is one; return the seconds used and the steps taken."""
    if not path.exists():
        return 0.0, 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return float(state["used"]), int(state["step"])
