"""What was measured while training, a row a step; and whether it should go on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from workbench.nouns import Noun
from workbench.store.files import flush, told_when_full
from workbench.training.spec import EarlyStop

Split = Literal["train", "dev"]


class LossRow(Noun):
    """What was measured at a step. `None`: the method or the split does not have it."""

    step: int
    """Optimizer steps done."""
    epoch: float
    """Passes over the rows done."""
    split: Split
    """What was looked at."""
    loss: float
    """Mean loss; of SFT, nats a learnt token."""
    learning_rate: float | None = None
    """The rate of this step."""
    grad_norm: float | None = None
    """Norm of all gradients, before they are clipped."""
    tokens: int | None = None
    """Tokens passed so far, padding not counted."""
    tokens_per_second: float | None = None
    """Tokens a second since the row before."""
    seconds: float = 0.0
    """Seconds trained so far, over all parts of a run that was resumed."""
    token_accuracy: float | None = None
    """Share of learnt tokens that were the likeliest."""
    reward_chosen: float | None = None
    """Beta times how much likelier than under the reference the chosen answers are, in nats."""
    reward_rejected: float | None = None
    """The same of the rejected answers."""
    margin: float | None = None
    """Their difference."""
    reward_accuracy: float | None = None
    """Share of pairs whose chosen answer has the higher reward."""


NAMES = {
    "loss": "loss",
    "mean_token_accuracy": "token_accuracy",
    "rewards/chosen": "reward_chosen",
    "rewards/rejected": "reward_rejected",
    "rewards/margins": "margin",
    "rewards/accuracies": "reward_accuracy",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
}
"""TRL's names → ours."""


def row_of(logs: Mapping[str, float], step: int, seconds: float, before: Sequence[LossRow]) -> LossRow | None:
    """Return the row of what TRL logged, or `None` where it holds no loss. NaN becomes a stop elsewhere, not a row."""
    split: Split = "dev" if "eval_loss" in logs else "train"
    prefix = "eval_" if split == "dev" else ""
    found = {ours: float(logs[prefix + theirs]) for theirs, ours in NAMES.items() if prefix + theirs in logs}
    found = {name: value for name, value in found.items() if math.isfinite(value)}
    if "loss" not in found:
        return None
    tokens = int(logs["num_tokens"]) if "num_tokens" in logs else None
    last = next((r for r in reversed(before) if r.tokens is not None), None)
    since, done = (last.seconds, last.tokens or 0) if last else (0.0, 0)
    speed = (tokens - done) / (seconds - since) if tokens is not None and seconds > since and tokens > done else None
    return LossRow(
        step=step, epoch=float(logs.get("epoch", 0.0)), split=split, tokens=tokens, tokens_per_second=speed,
        seconds=seconds, **found,
    )  # fmt: skip


def why_stop(rows: Sequence[LossRow], stop: EarlyStop) -> str:
    """Return why training should end now, in words; nothing where it should go on. Only the dev set is asked."""
    dev = [row for row in rows if row.split == "dev"]
    recent = dev[-stop.patience :]
    if len(recent) < stop.patience:
        return ""
    best = min((row.loss for row in dev[: -stop.patience]), default=math.inf)
    if stop.rising_loss and all(row.loss >= best for row in recent):
        return f"the dev loss has not fallen below {best:.4f} in {stop.patience} evaluations"
    rewards = [row.reward_chosen for row in recent]
    if stop.collapse is not None and all(r is not None and r < -stop.collapse for r in rewards):
        return f"rewards collapse: the chosen answers' lies below -{stop.collapse:g} in {stop.patience} evaluations"
    return ""


# ---------------------------------------------------------------- the table


def write_losses(rows: Sequence[LossRow], path: Path) -> None:
    """Write the rows as a Parquet table that appears whole or not at all."""
    import pyarrow as pa

    from workbench.store.parquet import Table

    kinds = {"step": pa.int64(), "tokens": pa.int64(), "split": pa.string()}
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in LossRow.model_fields])
    new = path.with_name(f".{path.name}.new")
    with told_when_full(path):
        with Table(str(new), schema) as table:
            for row in rows:
                table.add(row.model_dump())
        flush(new)
        new.replace(path)


def read_losses(path: Path, up_to: int | None = None) -> list[LossRow]:
    """Return the rows of a table, those up to a step; none where there is no table."""
    if not path.is_file():
        return []
    import pyarrow.parquet as pq

    plain: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    rows = [LossRow.model_validate(row) for row in plain]
    return [row for row in rows if up_to is None or row.step <= up_to]
