"""The rows' order, what is measured, and checkpoints that count only when complete."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.training.batching import epoch_order
from workbench.training.checkpoints import COMPLETE, clear_after, fault_of, last_complete, rotate, seal
from workbench.training.losses import LossRow, read_losses, row_of, why_stop, write_losses
from workbench.training.spec import EarlyStop


@given(st.lists(st.integers(1, 500), max_size=300), st.integers(1, 16), st.integers(0, 99), st.booleans())
def test_an_epoch_visits_every_row_once_in_an_order_that_only_seed_and_epoch_decide(
    lengths: list[int], batch: int, seed: int, by_length: bool
) -> None:
    order = epoch_order(lengths, batch, seed, 0, by_length)
    assert sorted(order) == list(range(len(lengths)))
    assert order == epoch_order(lengths, batch, seed, 0, by_length)


def test_batches_by_length_waste_less_and_the_longest_row_comes_first() -> None:
    lengths = [(i * 7919) % 400 + 1 for i in range(800)]

    def padded(order: list[int]) -> int:
        return sum(8 * max(lengths[i] for i in order[at : at + 8]) for at in range(0, 800, 8))

    order = epoch_order(lengths, 8, 0, 0, True)
    assert padded(order) < 1.1 * sum(lengths) < padded(epoch_order(lengths, 8, 0, 0, False))
    assert max(lengths[i] for i in order[:8]) == max(lengths)
    assert order != epoch_order(lengths, 8, 0, 1, True)


def dev(loss: float, step: int, reward: float | None = None) -> LossRow:
    return LossRow(step=step, epoch=0.0, split="dev", loss=loss, reward_chosen=reward)


def test_a_dev_loss_that_no_longer_falls_ends_training_and_one_that_falls_does_not() -> None:
    stop = EarlyStop(patience=2)
    falling = [dev(1 - 0.1 * i, i) for i in range(6)]
    assert why_stop(falling, stop) == ""
    assert "has not fallen below 0.5000 in 2" in why_stop([*falling, dev(0.6, 7), dev(0.55, 8)], stop)
    assert why_stop([*falling, dev(0.6, 7), dev(0.45, 8)], stop) == ""
    assert why_stop([dev(1.0, 1)], stop) == ""


def test_chosen_answers_that_become_unlikely_end_training() -> None:
    rows = [dev(0.5 - 0.1 * i, i, reward=-11.0) for i in range(3)]
    assert "rewards collapse" in why_stop(rows, EarlyStop(patience=2))
    assert why_stop(rows, EarlyStop(patience=2, collapse=None)) == ""


def test_losses_are_written_and_read_back(tmp_path: Path) -> None:
    first = row_of({"loss": 2.0, "num_tokens": 100.0, "epoch": 0.1, "grad_norm": 0.5}, 1, 2.0, [])
    assert first is not None
    assert first.tokens_per_second == 50.0
    second = row_of({"eval_loss": 1.5, "epoch": 0.1, "eval_rewards/margins": 0.25}, 1, 3.0, [first])
    third = row_of({"loss": 1.0, "num_tokens": 400.0, "epoch": 0.2}, 2, 4.0, [first])
    assert second is not None and third is not None
    assert (second.split, second.margin, third.tokens_per_second) == ("dev", 0.25, 150.0)
    assert row_of({"train_runtime": 3.0}, 2, 3.0, []) is None
    write_losses([first, second, third], tmp_path / "losses.parquet")
    assert read_losses(tmp_path / "losses.parquet") == [first, second, third]
    assert read_losses(tmp_path / "losses.parquet", up_to=1) == [first, second]


# ---------------------------------------------------------------- checkpoints


def checkpoint(root: Path, step: int) -> Path:
    folder = root / f"checkpoint-{step}"
    (folder / "inner").mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "inner" / "optimizer.pt").write_bytes(b"state")
    (folder / "training_args.bin").write_bytes(b"pickle")
    return folder


def test_a_checkpoint_counts_once_it_is_sealed_and_pickles_nobody_reads_are_gone(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, 2)
    assert "not saved to its end" in fault_of(folder)
    seal(folder)
    assert fault_of(folder) == ""
    assert not (folder / "training_args.bin").exists()


@pytest.mark.parametrize("harm", ["changed", "missing", "added", "unlisted"])
def test_a_checkpoint_that_is_not_what_was_saved_is_passed_over_for_an_older_one(tmp_path: Path, harm: str) -> None:
    old, new = checkpoint(tmp_path, 2), checkpoint(tmp_path, 10)
    seal(old)
    seal(new)
    state = new / "inner" / "optimizer.pt"
    if harm == "changed":
        state.write_bytes(b"other")
    elif harm == "missing":
        state.unlink()
    elif harm == "added":
        (new / "rng_state.pth").write_bytes(b"pickle")
    else:
        (new / COMPLETE).write_bytes(b"{}")
    found, passed = last_complete(tmp_path)
    assert found == old
    assert passed[0].startswith("checkpoint-10: ")
    clear_after(tmp_path, found)
    assert not new.exists()


def test_only_the_newest_complete_checkpoints_are_kept_and_an_unsealed_one_does_not_count(tmp_path: Path) -> None:
    for step in (1, 2, 9, 10):
        seal(checkpoint(tmp_path, step))
    checkpoint(tmp_path, 11)
    rotate(tmp_path, 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-11", "checkpoint-9"]
