"""Fixtures about serving: a tiny random model written by hand, without torch, and one server for the whole session."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import pytest_asyncio
from hypothesis import settings

from tests.labelling.serving import argilla
from workbench.adapters.transformers_serve import Served, prepare, serve
from workbench.models import LocalSpec, Sampling

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

__all__ = ["argilla"]

# In CI the same examples are drawn every time, so that what was green stays green; elsewhere new ones are tried.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("default", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")

WORDS = ["<pad>", "<s>", "</s>", "<unk>", "user", "assistant", "system", *(f"w{i}" for i in range(57))]
HIDDEN, INNER, LAYERS = 32, 64, 2
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)
PROJECTIONS = {
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (HIDDEN, HIDDEN),
    "self_attn.v_proj": (HIDDEN, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (INNER, HIDDEN),
    "mlp.up_proj": (INNER, HIDDEN),
    "mlp.down_proj": (HIDDEN, INNER),
}
WriteModel = Callable[..., Path]


def write_model(folder: Path, seed: int = 0, do_sample: bool = False) -> Path:
    """Write a random Llama of 64 words, 2 layers of 32, with a chat template."""
    import numpy
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    draw = numpy.random.default_rng(seed)
    save_file(_tensors(draw), folder / "model.safetensors", metadata={"format": "pt"})
    config: dict[str, Any] = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(WORDS),
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 256,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "dtype": "float32",
    }
    write_json(folder / "config.json", config)
    write_json(folder / "generation_config.json", {"bos_token_id": 1, "eos_token_id": 2, "do_sample": do_sample})
    write_json(folder / "tokenizer.json", _tokenizer())
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **special})
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


def write_adapter(folder: Path, seed: int = 0, rank: int = 4, hidden: int = HIDDEN) -> Path:
    """Write a random LoRA adapter for the attention of `write_model`'s model; large enough to change its answers."""
    import numpy
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    draw = numpy.random.default_rng(seed)
    tensors = {}
    for layer in range(LAYERS):
        for name in ("self_attn.q_proj", "self_attn.v_proj"):
            module = f"base_model.model.model.layers.{layer}.{name}"
            tensors[f"{module}.lora_A.weight"] = _normal(draw, (rank, hidden))
            tensors[f"{module}.lora_B.weight"] = _normal(draw, (hidden, rank))
    save_file(tensors, folder / "adapter_model.safetensors")
    config: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "elsewhere/base",
    }
    config |= {"r": rank, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "inference_mode": True}
    write_json(folder / "adapter_config.json", config)
    return folder


def write_json(file: Path, value: Any) -> None:
    file.write_bytes(orjson.dumps(value))


def _normal(draw: numpy.random.Generator, shape: tuple[int, ...]) -> NDArray[numpy.float32]:
    return (draw.standard_normal(shape) * 0.3).astype("float32")


def _tensors(draw: numpy.random.Generator) -> dict[str, NDArray[numpy.float32]]:
    import numpy

    ones = numpy.ones(HIDDEN, numpy.float32)
    tensors = {"model.norm.weight": ones}
    tensors["model.embed_tokens.weight"] = _normal(draw, (len(WORDS), HIDDEN))
    tensors["lm_head.weight"] = _normal(draw, (len(WORDS), HIDDEN))
    tensors["lm_head.weight"][WORDS.index("</s>")] *= 2  # so that some answers end by themselves
    for layer in range(LAYERS):
        for name, shape in PROJECTIONS.items():
            tensors[f"model.layers.{layer}.{name}.weight"] = _normal(draw, shape)
        tensors[f"model.layers.{layer}.input_layernorm.weight"] = ones.copy()
        tensors[f"model.layers.{layer}.post_attention_layernorm.weight"] = ones.copy()
    return tensors


def _tokenizer() -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": WORDS[i], **flags} for i in range(4)],
        "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(WORDS)}, "unk_token": "<unk>"},
    }


@pytest.fixture
def new_model(tmp_path: Path) -> WriteModel:
    """Return a function that writes a model folder: `new_model(name, seed=0, do_sample=False)`."""
    return lambda name, **options: write_model(tmp_path / name, **options)


@pytest.fixture
def new_adapter(tmp_path: Path) -> WriteModel:
    """Return a function that writes an adapter folder: `new_adapter(name, seed=0, rank=4, hidden=32)`."""
    return lambda name, **options: write_adapter(tmp_path / name, **options)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Served]]:
    """Three models behind one `transformers serve`: `base`, `tuned` (base and adapter) and `judge`."""
    folder = tmp_path_factory.mktemp("served")
    base, judge = write_model(folder / "base", seed=0), write_model(folder / "judge", seed=1)
    adapter = write_adapter(folder / "adapter")
    short = Sampling(max_tokens=8)
    specs = {
        "base": LocalSpec(kind="local", base=str(base), sampling=short),
        "tuned": LocalSpec(kind="local", base=str(base), adapter=str(adapter), sampling=short),
        "judge/one@1": LocalSpec(kind="local", base=str(judge), sampling=short),
    }
    async with serve({name: prepare(spec) for name, spec in specs.items()}, folder / "logs") as models:
        yield models
