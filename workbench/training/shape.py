"""A model's shape, read from config.json alone: how many numbers it has and how many it passes on for each token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from workbench.errors import ConfigError, Problem
from workbench.nouns import Noun

FAMILIES: dict[str, frozenset[str]] = {
    "llama": frozenset(),
    "mistral": frozenset(),
    "smollm3": frozenset(),
    "qwen2": frozenset({"qkv_bias"}),
    "qwen3": frozenset({"qk_norm"}),
    "gemma": frozenset(),
    "gemma2": frozenset({"four_norms"}),
    "olmo2": frozenset({"full_qk_norm"}),
}
"""Families of decoders with gated MLPs whose shape is known here, and what each has besides Llama's."""


class Linear(NamedTuple):
    """A linear layer of each block."""

    name: str
    n_in: int
    n_out: int
    bias: bool

    def n(self) -> int:
        """Return its numbers."""
        return self.n_in * self.n_out + (self.n_out if self.bias else 0)


class Shape(Noun):
    """What memory and time depend on."""

    family: str
    """The config's `model_type`."""
    layers: int
    hidden: int
    inner: int
    """Width within the MLP."""
    heads: int
    kv_heads: int
    head: int
    """Width of a head."""
    vocabulary: int
    tied: bool
    """Whether the output head is the embedding."""
    window: int
    """Longest row, in tokens."""
    qkv_bias: bool
    o_bias: bool
    mlp_bias: bool
    norms: int
    """Numbers in the norms of one block."""

    def linears(self) -> tuple[Linear, ...]:
        """Return the linear layers of a block."""
        q, kv, h, i = self.heads * self.head, self.kv_heads * self.head, self.hidden, self.inner
        return (
            Linear("q_proj", h, q, self.qkv_bias), Linear("k_proj", h, kv, self.qkv_bias),
            Linear("v_proj", h, kv, self.qkv_bias), Linear("o_proj", q, h, self.o_bias),
            Linear("gate_proj", h, i, self.mlp_bias), Linear("up_proj", h, i, self.mlp_bias),
            Linear("down_proj", i, h, self.mlp_bias),
        )  # fmt: skip

    def in_blocks(self) -> int:
        """Return the numbers of all linear layers."""
        return self.layers * sum(one.n() for one in self.linears())

    def embedding(self) -> int:
        """Return the numbers of the embedding."""
        return self.vocabulary * self.hidden

    def total(self) -> int:
        """Return the model's parameters."""
        head = 0 if self.tied else self.embedding()
        return self.embedding() + head + self.in_blocks() + self.layers * self.norms + self.hidden

    def factors(self, rank: int, targets: str | Sequence[str] = "all-linear") -> int:
        """Return the parameters of LoRA factors of this rank. Raises `ConfigError` for a target no block has."""
        return self.layers * sum(rank * (one.n_in + one.n_out) for one in self.targeted(targets))

    def targeted(self, targets: str | Sequence[str]) -> list[Linear]:
        """Return the linear layers of a block that `targets` name."""
        if isinstance(targets, str):
            return list(self.linears())
        known = {one.name: one for one in self.linears()}
        if wrong := [name for name in targets if name not in known]:
            fix = f"this model has: {', '.join(known)}"
            raise ConfigError(Problem("UNKNOWN_TARGET", "no linear layer has this name", got=wrong[0], fix=fix))
        return [known[name] for name in targets]


def read_shape(folder: Path) -> Shape:
    """Return the shape that a model's config.json tells. Raises `ConfigError` for a file or family not understood."""
    file = folder / "config.json"
    try:
        config = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as exc:
        fix = "give the model's folder, or a folder with its config.json"
        raise ConfigError(Problem("MODEL_CONFIG", "no readable config.json", str(file), fix=fix)) from exc
    inner = config.get("text_config") if isinstance(config, dict) else None
    return shape_of(inner if isinstance(inner, dict) else config, str(file))


def shape_of(config: Mapping[str, Any], file: str = "") -> Shape:
    """Return the shape that a config tells. Raises `ConfigError`."""
    family = str(config.get("model_type", ""))
    if family not in FAMILIES:
        fix = f"known are {', '.join(FAMILIES)}; training itself does not need a plan"
        what = "the shape of this family of models is not known here, so that nothing can be planned"
        raise ConfigError(Problem("UNKNOWN_FAMILY", what, file, field="model_type", got=family or None, fix=fix))
    missing = [name for name in NEEDED if not isinstance(config.get(name), int)]
    if missing:
        problems = (Problem("MODEL_CONFIG", "not a whole number", file, field=name, fix="mend it") for name in missing)
        raise ConfigError(problems)
    has, heads, hidden = FAMILIES[family], config["num_attention_heads"], config["hidden_size"]
    kv, head = config.get("num_key_value_heads") or heads, config.get("head_dim") or hidden // heads
    bias = bool(config.get("attention_bias"))
    return Shape(
        family=family, layers=config["num_hidden_layers"], hidden=hidden, inner=config["intermediate_size"],
        heads=heads, kv_heads=kv, head=head, vocabulary=config["vocab_size"],
        tied=bool(config.get("tie_word_embeddings", family in TIED)),
        window=int(config.get("max_position_embeddings") or 2048),
        qkv_bias="qkv_bias" in has or bias, o_bias=bias, mlp_bias=bool(config.get("mlp_bias")),
        norms=_norms(has, hidden, heads * head, kv * head, head),
    )  # fmt: skip


TIED = frozenset({"gemma", "gemma2", "smollm3"})
"""Families whose config may leave out that the output head is the embedding."""
NEEDED = ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "vocab_size")


def _norms(has: frozenset[str], hidden: int, q: int, kv: int, head: int) -> int:
    if "full_qk_norm" in has:
        return 2 * hidden + q + kv
    return (4 if "four_norms" in has else 2) * hidden + (2 * head if "qk_norm" in has else 0)
