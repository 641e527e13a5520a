"""What is refused before and while training, and what a run leaves behind."""

from __future__ import annotations

import math
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_adapter
from tests.training.project import conversations, pairs, recipe, stored, write_project
from workbench.config.training_yaml import load_recipe
from workbench.config.workbench_yaml import Workbench
from workbench.datasets import Sample
from workbench.errors import ConfigError, DataError, IncompleteRun, LeakageError, MissingExtra, ModelError, TrainError
from workbench.jobs.supervision import Stopped
from workbench.jobs.training import Audience, begin, go_on
from workbench.records import Message
from workbench.training.checkpoints import fault_of, last_complete
from workbench.training.folder import TrainRun, find_folder
from workbench.training.losses import read_losses

QUIET = Audience(lambda _: None, lambda _: None)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return write_project(tmp_path)


def chats(bench: Workbench, n: int = 12) -> str:
    return stored(bench, "chats", "conversations", "train", conversations(n))


def run(bench: Workbench, dataset: str, **more: Any) -> TrainRun:
    return begin(bench, load_recipe(recipe(bench, dataset, **more)), QUIET)


# ---------------------------------------------------------------- refused beforehand


def test_a_gate_set_is_never_learnt_from_nor_looked_at(bench: Workbench) -> None:
    gate = stored(bench, "guard", "conversations", "gate", conversations(4))
    with pytest.raises(LeakageError, match="GATE_DATASET"):
        run(bench, gate)
    with pytest.raises(LeakageError, match="GATE_DATASET"):
        run(bench, stored(bench, "chats", "conversations", "train", conversations(4, seed=9)), dev=gate)


def test_rows_that_a_gate_set_knows_are_refused_by_name(bench: Workbench) -> None:
    rows = conversations(6, longest=20)
    asked = Message(role="user", content=rows[0].messages[0].content)
    stored(bench, "guard", "samples", "gate", [Sample(id="s0", messages=(asked,))])
    with pytest.raises(LeakageError, match="c0"):
        run(bench, stored(bench, "chats", "conversations", "train", rows))


@pytest.mark.parametrize(
    ("kind", "use", "rows", "code"),
    [("pairs", "train", pairs(3), "WRONG_KIND"), ("conversations", "dev", conversations(3), "WRONG_USE")],
)
def test_a_set_of_another_kind_or_use_is_refused(bench: Workbench, kind: Any, use: Any, rows: Any, code: str) -> None:
    with pytest.raises(DataError, match=code):
        run(bench, stored(bench, "other", kind, use, rows))


def test_an_empty_dev_set_is_refused(bench: Workbench) -> None:
    empty = stored(bench, "look", "conversations", "dev", [])
    with pytest.raises(DataError, match=r"nothing can be measured on it.*NO_ROWS"):
        run(bench, chats(bench), dev=empty)


def test_an_adapter_of_another_base_is_refused_with_both_hashes(bench: Workbench, tmp_path: Path) -> None:
    write_adapter(tmp_path / "other", hidden=48)
    with pytest.raises(ModelError, match=r"its weights [0-9a-f]{32} do not fit base .*, weights [0-9a-f]{32}"):
        run(bench, chats(bench), start="other")


def test_a_truncated_base_is_refused(bench: Workbench) -> None:
    weights = bench.path("base/model.safetensors")
    os.truncate(weights, weights.stat().st_size - 100)
    with pytest.raises(ModelError, match="truncated"):
        run(bench, chats(bench))


def test_a_base_that_holds_nan_is_refused_with_the_tensors_name(bench: Workbench) -> None:
    from safetensors.numpy import load_file, save_file

    weights = bench.path("base/model.safetensors")
    tensors = load_file(weights)
    tensors["model.norm.weight"][3] = math.nan
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"model\.norm\.weight"):
        run(bench, chats(bench))


def test_a_hub_id_without_a_commit_is_refused(bench: Workbench) -> None:
    with pytest.raises(ConfigError, match="BASE_UNPINNED"):
        run(bench, chats(bench), base="some/model")


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"adapter": {"kind": "qlora"}}, "CANNOT_QUANTISE"),
        ({"method": {"kind": "sft", "packing": True}, "max_length": 64}, "CANNOT_PACK"),
        ({"method": {"kind": "kto"}, "batch": 1}, "BATCH_TOO_SMALL"),
        ({"device": "cuda"}, "NO_GPU"),
    ],
)
def test_what_cannot_run_here_is_refused_with_the_reason(bench: Workbench, more: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        run(bench, chats(bench), **more)


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_a_tracker_that_is_not_installed_is_refused_with_its_extra(bench: Workbench, name: str) -> None:
    with pytest.raises(MissingExtra, match=rf"{name} is not installed.*workbench\[tracking\]"):
        run(bench, chats(bench), report_to=[name])


# ---------------------------------------------------------------- while training


def test_a_run_leaves_its_recipe_losses_adapter_and_what_it_is_bound_to(bench: Workbench) -> None:
    look = stored(bench, "look", "conversations", "dev", conversations(5, seed=3, mark="d"))
    done = run(bench, chats(bench), dev=look, epochs=2.0)
    folder = find_folder(bench.home, "latest", finished=True)
    assert (done.state, done.steps, done.made) == ("finished", 6, "adapter")
    rows = read_losses(folder.losses)
    assert [r.step for r in rows if r.split == "train"] == [1, 2, 3, 4, 5, 6]
    assert all(r.grad_norm is not None and r.tokens_per_second for r in rows if r.split == "train")
    assert {r.split for r in rows} == {"train", "dev"}
    assert f'"base_weights": "{done.start.base_weights}"' in (folder.adapter / "trained_on.json").read_text()
    assert sorted(p.name for p in folder.checkpoints.iterdir()) == ["checkpoint-5", "checkpoint-6"]
    assert not list(folder.path.rglob("training_args.bin"))
    assert not list(folder.adapter.glob("*.bin")) + list(folder.adapter.glob("*.pt"))


def test_tuning_on_preferences_goes_on_from_an_adapter_and_keeps_the_reference(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.adapters.trl_training import references

    first = run(bench, chats(bench))
    prefs = stored(bench, "prefs", "pairs", "train", pairs(8))
    done = run(bench, prefs, method={"kind": "dpo"}, start=first.id)
    again = read_losses(find_folder(bench.home, done.id).losses)
    assert abs(again[0].loss - math.log(2)) < 1e-5, "at the first step the tuned model is its reference"
    assert not (find_folder(bench.home, done.id).adapter / "ref").exists()

    def never(*_: Any) -> Any:
        raise AssertionError("the reference was computed once more")

    monkeypatch.setattr(references, "_computed", never)
    second = run(bench, prefs, method={"kind": "dpo"}, start=first.id)
    assert [r.loss for r in read_losses(find_folder(bench.home, second.id).losses)] == [r.loss for r in again]


def test_a_loss_that_is_no_number_stops_training_and_names_the_batch(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trl import SFTTrainer

    honest = SFTTrainer.compute_loss

    def third(self: Any, *args: Any, **options: Any) -> Any:
        loss = honest(self, *args, **options)
        return loss * math.nan if self.state.global_step == 2 else loss

    monkeypatch.setattr(SFTTrainer, "compute_loss", third)
    with pytest.raises(TrainError, match=r"the loss is nan at batch 3 \(rows c\d+, c\d+, c\d+, c\d+\)"):
        run(bench, chats(bench), save_every=2)
    folder = find_folder(bench.home, "latest")
    assert not folder.adapter.exists()
    assert last_complete(folder.checkpoints)[0] == folder.checkpoints / "checkpoint-2"


def test_a_signal_saves_a_checkpoint_and_the_run_goes_on_from_it(bench: Workbench) -> None:
    def at_two(progress: Any) -> None:
        if progress.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    spec = load_recipe(recipe(bench, chats(bench), save_every=100, epochs=2.0))
    whole = begin(bench, spec, QUIET)
    with pytest.raises(Stopped) as stop:
        begin(bench, spec, Audience(at_two, lambda _: None))
    assert stop.value.exit_code == 143
    folder = find_folder(bench.home, "latest", finished=False)
    assert last_complete(folder.checkpoints)[0] is not None
    done = go_on(bench, folder.id, QUIET)
    assert (done.steps, done.weights) == (whole.steps, whole.weights)
    assert [r.step for r in read_losses(folder.losses)] == [1, 2, 3, 4, 5, 6]


def test_a_run_whose_base_changed_is_not_resumed_and_says_what_changed(bench: Workbench) -> None:
    def at_two(progress: Any) -> None:
        if progress.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped):
        begin(bench, load_recipe(recipe(bench, chats(bench, 24))), Audience(at_two, lambda _: None))
    template = bench.path("base/chat_template.jinja")
    template.write_text(template.read_text().replace("</s>", "w0 </s>"))
    with pytest.raises(ConfigError, match=r"the chat template changed since this run began.*TRAINING_CHANGED"):
        go_on(bench, "latest", QUIET)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs the right to mount a file system, which root has: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_during_a_save_names_the_path_and_leaves_older_checkpoints_whole(
    bench: Workbench, small_disk: Path
) -> None:
    filler = small_disk / "filler"

    def before_the_second_save(progress: Any) -> None:
        if progress.step == 3:
            state = os.statvfs(small_disk)
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(1, state.f_bavail * state.f_frsize - 20_000))

    dataset = chats(bench, 24)
    home = bench.home.root
    (small_disk / "training").mkdir()
    (home / "training").symlink_to(small_disk / "training")
    spec = load_recipe(recipe(bench, dataset, save_every=2))
    with pytest.raises(IncompleteRun, match=r"no room to write .*checkpoint-4"):
        begin(bench, spec, Audience(before_the_second_save, lambda _: None))
    folder = find_folder(bench.home, "latest")
    assert last_complete(folder.checkpoints)[0] == folder.checkpoints / "checkpoint-2"
    filler.unlink()
    assert go_on(bench, "latest", QUIET).state == "finished"


def test_a_pickle_in_a_checkpoint_is_not_executed(bench: Workbench, tmp_path: Path) -> None:
    import torch

    def at_two(progress: Any) -> None:
        if progress.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped):
        begin(bench, load_recipe(recipe(bench, chats(bench, 24))), Audience(at_two, lambda _: None))
    folder = find_folder(bench.home, "latest")
    checkpoint, _ = last_complete(folder.checkpoints)
    assert checkpoint is not None
    canary = tmp_path / "executed"

    class Bomb:
        def __reduce__(self) -> Any:
            return (os.system, (f"touch {canary}",))

    for name in ("rng_state.pth", "optimizer.pt", "scheduler.pt"):
        torch.save(Bomb(), checkpoint / name)
    assert "is not what was saved" in fault_of(checkpoint)
    from workbench.training.checkpoints import seal

    seal(checkpoint)  # as somebody would who can write there
    with pytest.raises(Exception, match=r"Weights only load failed|weights_only"):
        go_on(bench, "latest", QUIET)
    assert not canary.exists()
