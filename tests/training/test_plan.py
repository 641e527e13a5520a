"""Recipes, shapes, memory, cost: what is known before anything is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.training.project import conversations, pairs, recipe, stored, write_project
from workbench.config.training_yaml import load_recipe
from workbench.errors import ConfigError
from workbench.jobs.training_plan import plan_training
from workbench.training.cost import HARDWARE, plan_cost
from workbench.training.memory import Load, plan_memory
from workbench.training.shape import shape_of
from workbench.training.spec import TrainSpec

LLAMA_1B: dict[str, Any] = {
    "model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 128256,
    "tie_word_embeddings": True, "max_position_embeddings": 131072,
}  # fmt: skip
QWEN_7B: dict[str, Any] = {
    "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
    "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064, "tie_word_embeddings": False,
}  # fmt: skip


def spec(**more: Any) -> TrainSpec:
    plain: dict[str, Any] = {"name": "a", "base": "b", "dataset": "d@abcdef", "method": {"kind": "sft"}}
    return TrainSpec.model_validate(plain | more)


def test_parameters_of_published_models_are_counted_exactly() -> None:
    assert shape_of(LLAMA_1B).total() == 1_235_814_400
    assert shape_of(QWEN_7B).total() == 7_615_616_512


def test_lora_on_all_linear_layers_of_llama_1b_has_the_parameters_that_peft_makes() -> None:
    assert shape_of(LLAMA_1B).factors(16) == 11_272_192


def test_a_family_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"UNKNOWN_FAMILY"):
        shape_of({"model_type": "mamba"})


def test_defaults_are_those_of_practice() -> None:
    sft, dpo = spec(), spec(method={"kind": "dpo"})
    assert (sft.rate(), dpo.rate(), sft.epochs, sft.adapter.kind) == (2e-4, 1e-5, 1.0, "lora")
    assert sft.adapter.targets == "all-linear"  # type: ignore[union-attr]
    assert sft.adapter.scale() == 2 * sft.adapter.rank  # type: ignore[union-attr]
    assert spec(adapter={"kind": "none"}).rate() == pytest.approx(2e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epoch": 1},
        {"dataset": "d"},
        {"learning_rate": "2e-4"},
        {"start": "x", "adapter": {"kind": "none"}},
        {"method": {"kind": "sft", "packing": True}},
    ],
)
def test_a_recipe_is_strict(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spec(**wrong)


def test_steps_are_those_of_the_trainer() -> None:
    assert spec(batch=4).steps(21) == 6
    assert spec(batch=4, accumulate=4).steps(21) == 2
    assert spec(batch=4, epochs=1.5).steps(20) == 8
    assert spec(batch=4).steps(21, processes=2) == 3


def test_more_of_anything_takes_no_less_memory_and_checkpointing_takes_less() -> None:
    shape, small = shape_of(LLAMA_1B), Load(4, 512, 1024)
    least = plan_memory(spec(), shape, small, "cuda").peak
    for load in (Load(8, 512, 1024), Load(4, 1024, 1024), Load(4, 512, 2048)):
        assert plan_memory(spec(), shape, load, "cuda").peak >= least
    assert plan_memory(spec(gradient_checkpointing=True), shape, small, "cuda").peak < least
    assert plan_memory(spec(adapter={"kind": "qlora"}), shape, small, "cuda").peak < least
    assert plan_memory(spec(adapter={"kind": "none"}), shape, small, "cuda").peak > least


def test_a_reference_takes_a_second_copy_only_without_adapter_and_precomputing() -> None:
    shape, load = shape_of(LLAMA_1B), Load(8, 512, 1024)
    dpo = {"kind": "dpo", "precompute": False}
    assert plan_memory(spec(method=dpo), shape, load, "cuda").part("reference") == 0
    full = plan_memory(spec(method=dpo, adapter={"kind": "none"}), shape, load, "cuda")
    assert full.part("reference") == full.part("weights")


def test_energy_is_power_times_time() -> None:
    cost = plan_cost(spec(), shape_of(LLAMA_1B), 1e6, 500, HARDWARE["h100"])
    assert cost.kilowatt_hours == pytest.approx(cost.seconds * 900 / 3.6e6)
    assert cost.co2 == pytest.approx(cost.kilowatt_hours * 0.473)
    assert 4e15 < cost.operations < 7e15  # four operations a weight and token, and attention


def test_a_plan_counts_the_rows_tokens_and_steps_and_says_what_to_change(tmp_path: Path) -> None:
    bench = write_project(tmp_path)
    dataset = stored(bench, "prefs", "pairs", "train", pairs(10))
    plan = plan_training(bench, load_recipe(recipe(bench, dataset, method={"kind": "dpo"})), "t4", memory=0.3)
    assert (plan.rows, plan.steps, plan.parameters) == (10, 3, 24736)
    assert plan.tokens <= plan.padded
    assert not plan.fits
    assert plan.changes[-1].startswith("that is still too much")


def test_a_plan_needs_no_torch_and_no_weights(tmp_path: Path) -> None:
    bench = write_project(tmp_path)
    file = recipe(bench, stored(bench, "chats", "conversations", "train", conversations(6)))
    bench.path("base/model.safetensors").unlink()
    program = (
        "import sys\nfrom pathlib import Path\nfrom workbench.config.training_yaml import load_recipe\n"
        "from workbench.config.workbench_yaml import load_workbench\n"
        "from workbench.jobs.training_plan import plan_training\n"
        f"plan = plan_training(load_workbench(Path({str(bench.file)!r})), load_recipe(Path({str(file)!r})), 'cpu')\n"
        "print(plan.steps, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"]
