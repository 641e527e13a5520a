"""The adapter trains as a bare script of TRL's does, and DPO's loss and rewards are those of its paper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.project import conversations, pairs, recipe, stored, write_project
from workbench.adapters.transformers_tokenizer import load_tokenizer
from workbench.adapters.trl_training.arguments import orpo
from workbench.config.training_yaml import load_recipe
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.training import Audience, begin
from workbench.training.batching import epoch_order
from workbench.training.folder import TrainRun, find_folder
from workbench.training.losses import LossRow, read_losses
from workbench.training.rows import How, Prepared, plain, prepare_conversations, prepare_pairs
from workbench.training.spec import TrainSpec
from workbench.training.template import check_template
from workbench.training.thumbs import prepare_thumbs

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")
QUIET = Audience(lambda _: None, lambda _: None)
GENTLE: dict[str, Any] = {"learning_rate": 4e-4, "seed": 7}


def trained(bench: Workbench, dataset: str, **more: Any) -> tuple[TrainSpec, TrainRun, list[LossRow]]:
    """Train a recipe and return it, the run and its losses on the training rows."""
    spec = load_recipe(recipe(bench, dataset, **GENTLE, **more))
    run = begin(bench, spec, QUIET)
    return spec, run, [r for r in read_losses(find_folder(bench.home, run.id).losses) if r.split == "train"]


def way(bench: Workbench) -> How:
    base = bench.path("base")
    tokenizer = load_tokenizer(base)
    return How(tokenizer, check_template(tokenizer, None, str(base)), 256, False)


def in_order(rows: list[Any], prepared: Prepared, spec: TrainSpec) -> list[Any]:
    order = epoch_order(prepared.lengths(), spec.rows_a_step(), spec.seed, 0, spec.batching == "by_length")
    return [rows[place] for place in order]


def bare(bench: Workbench, spec: TrainSpec, steps: int, folder: Path, data: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Train with TRL alone, from messages, in the order given; return its trainer and its log."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
    from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

    classes = {"sft": (SFTConfig, SFTTrainer), "dpo": (DPOConfig, DPOTrainer), "kto": (KTOConfig, KTOTrainer)}
    config, kind = orpo() if spec.method.kind == "orpo" else classes[spec.method.kind]
    torch.set_num_threads(1)
    sft = spec.method.kind == "sft"
    options: dict[str, Any] = {"assistant_only_loss": True} if sft else {"beta": 0.1}
    args = config(
        output_dir=str(folder), num_train_epochs=1, per_device_train_batch_size=spec.batch, learning_rate=spec.rate(),
        warmup_steps=-(-steps * spec.warmup // 1), lr_scheduler_type="cosine", bf16=False, use_cpu=True, seed=spec.seed,
        gradient_checkpointing=False, logging_steps=1, save_strategy="no", report_to="none", disable_tqdm=True,
        train_sampling_strategy="sequential", dataloader_pin_memory=False, **options,
    )  # fmt: skip
    trainer = kind(
        model=AutoModelForCausalLM.from_pretrained(bench.path("base"), dtype=torch.float32), args=args,
        train_dataset=Dataset.from_list(data), processing_class=AutoTokenizer.from_pretrained(bench.path("base")),
        peft_config=LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear"),
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return trainer, [log for log in trainer.state.log_history if "loss" in log]


def test_supervised_tuning_has_the_losses_of_a_bare_script(tmp_path: Path) -> None:
    bench, rows = write_project(tmp_path), conversations(21)
    spec, run, ours = trained(bench, stored(bench, "chats", "conversations", "train", rows))
    prepared = prepare_conversations(rows, way(bench), "chats")
    data = [{"messages": [plain(m) for m in row.messages]} for row in in_order(rows, prepared, spec)]
    trainer, theirs = bare(bench, spec, run.steps, tmp_path / "bare", data)
    assert len(ours) == len(theirs) == 6
    np.testing.assert_allclose([r.loss for r in ours], [log["loss"] for log in theirs], atol=1e-5, rtol=0)
    np.testing.assert_allclose([r.grad_norm for r in ours], [log["grad_norm"] for log in theirs], rtol=1e-4)
    _same_adapter(trainer, find_folder(bench.home, run.id).adapter)


def test_preference_tuning_has_the_losses_and_rewards_of_a_bare_script(tmp_path: Path) -> None:
    bench, rows = write_project(tmp_path), pairs(18)
    spec, run, ours = trained(bench, stored(bench, "prefs", "pairs", "train", rows), method={"kind": "dpo"})
    data = as_pairs(in_order(rows, prepare_pairs(rows, way(bench), "prefs"), spec))
    trainer, theirs = bare(bench, spec, run.steps, tmp_path / "bare", data)
    assert len(ours) == len(theirs) == 5
    for name, key in (("loss", "loss"), ("reward_chosen", "rewards/chosen"), ("reward_rejected", "rewards/rejected")):
        found, wanted = [getattr(r, name) for r in ours], [log[key] for log in theirs]
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0, err_msg=name)
    _same_adapter(trainer, find_folder(bench.home, run.id).adapter)


@pytest.mark.parametrize("method", ["kto", "orpo"])
def test_kto_and_orpo_have_the_losses_and_rewards_of_a_bare_script(tmp_path: Path, method: str) -> None:
    bench = write_project(tmp_path)
    if method == "kto":
        chats = [c.model_copy(update={"good": i % 3 > 0}) for i, c in enumerate(conversations(18))]
        spec, run, ours = trained(bench, stored(bench, "t", "conversations", "train", chats), method={"kind": "kto"})
        data = [
            {"prompt": [plain(m) for m in r.messages[:-1]], "completion": [plain(r.messages[-1])], "label": r.good}
            for r in in_order(chats, prepare_thumbs(chats, way(bench), "t"), spec)
        ]
    else:
        rows = pairs(18)
        spec, run, ours = trained(bench, stored(bench, "p", "pairs", "train", rows), method={"kind": "orpo"})
        data = as_pairs(in_order(rows, prepare_pairs(rows, way(bench), "p"), spec))
        without_beginning(bench)  # TRL's ORPO puts one before every prompt, which the chat template has not
    trainer, theirs = bare(bench, spec, run.steps, tmp_path / "bare", data)
    assert len(ours) == len(theirs) == 5
    for name, key in (("loss", "loss"), ("reward_chosen", "rewards/chosen"), ("reward_rejected", "rewards/rejected")):
        # A batch whose thumbs are all up has no reward of the rejected.
        both = [(getattr(r, name), log.get(key)) for r, log in zip(ours, theirs, strict=True)]
        assert all((a is None) == (b is None) for a, b in both)
        found, wanted = zip(*((a, b) for a, b in both if a is not None), strict=True)
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0, err_msg=name)
    _same_adapter(trainer, find_folder(bench.home, run.id).adapter)


def as_pairs(rows: list[Any]) -> list[dict[str, Any]]:
    return [
        {"prompt": [plain(m) for m in r.prompt]}
        | {side: [plain(m) for m in getattr(r, side).messages] for side in ("chosen", "rejected")}
        for r in rows
    ]


def without_beginning(bench: Workbench) -> None:
    file = bench.path("base") / "tokenizer_config.json"
    told = json.loads(file.read_text())
    del told["bos_token"]
    file.write_text(json.dumps(told))


def _same_adapter(trainer: Any, adapter: Path) -> None:
    from safetensors.numpy import load_file

    made = load_file(adapter / "adapter_model.safetensors")
    for name, value in trainer.model.named_parameters():
        if ".default." in name:
            np.testing.assert_allclose(made[name.replace(".default.", ".")], value.detach().numpy(), atol=1e-5)


# ---------------------------------------------------------------- DPO by hand


def log_likelihoods(model: Any, rows: list[tuple[list[int], list[int]]]) -> list[float]:
    """Return log p(answer | prompt), from the model's logits, in NumPy."""
    import torch

    found = []
    for prompt, answer in rows:
        with torch.no_grad():
            logits = model(torch.tensor([prompt + answer])).logits[0].double().numpy()
        above = logits - logits.max(-1, keepdims=True)
        logp = above - np.log(np.exp(above).sum(-1, keepdims=True))
        found.append(sum(logp[len(prompt) + i - 1, token] for i, token in enumerate(answer)))
    return found


@pytest.mark.parametrize("nll", [0.0, 2.0])
def test_the_loss_and_rewards_of_dpo_are_those_of_its_paper_and_the_chosen_loss_is_added(
    tmp_path: Path, nll: float
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    bench, rows, beta = write_project(tmp_path), pairs(12), 0.3
    dataset = stored(bench, "prefs", "pairs", "train", rows)
    dev = stored(bench, "prefs", "pairs", "dev", rows[:5])
    method = {"kind": "dpo", "beta": beta, "nll": nll}
    made = [trained(bench, dataset, method=method, dev=dev, max_steps=4, evaluate_every=4)[1]]
    base = AutoModelForCausalLM.from_pretrained(bench.path("base"))
    ready = prepare_pairs(rows[:5], way(bench), "prefs").pairs
    sides = [[(p.prompt, getattr(p, side)) for p in ready] for side in ("chosen", "rejected")]
    before = [np.array(log_likelihoods(base, side)) for side in sides]
    tuned = PeftModel.from_pretrained(base, find_folder(bench.home, made[0].id).adapter)
    rewards = [beta * (np.array(log_likelihoods(tuned, side)) - was) for side, was in zip(sides, before, strict=True)]
    margins = rewards[0] - rewards[1]
    told = made[0].dev
    assert told is not None
    # TRL averages over batches, here of 4 and of 1.
    by_batch = lambda values: (values[:4].mean() + values[4:].mean()) / 2  # noqa: E731
    np.testing.assert_allclose(told.reward_chosen, by_batch(rewards[0]), atol=1e-5)
    np.testing.assert_allclose(told.reward_rejected, by_batch(rewards[1]), atol=1e-5)
    np.testing.assert_allclose(told.margin, by_batch(margins), atol=1e-5)
    chosen, lengths = np.array(log_likelihoods(tuned, sides[0])), np.array([len(p.chosen) for p in ready])
    a_token = [-chosen[rows].sum() / lengths[rows].sum() for rows in (slice(4), slice(4, 5))]
    preference = np.log1p(np.exp(-margins)).mean()
    np.testing.assert_allclose(told.loss, preference + nll * (4 * a_token[0] + a_token[1]) / 5, atol=1e-5)
