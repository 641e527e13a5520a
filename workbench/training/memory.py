"""How much memory training takes, by part, from a model's shape alone.

What is kept for the backward pass was counted on transformers 5.23 with peft 0.21 and TRL 1.16; docs/experiments.md
holds these figures against measured peaks.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.nouns import Many, Noun
from workbench.training.shape import Shape
from workbench.training.spec import Dpo, Full, Kto, Lora, Qlora, Sft, TrainSpec

GB = 10**9
TILE_TOKENS, TILE_WORDS = 4096, 32768
"""Most tokens and vocabulary entries whose logits TRL 1.16 holds at once (`trl/kernels/chunked_logprob.py`)."""
TILES_CPU, TILES_GPU = 10, 1
"""Copies of that tile in the backward pass: torch's operations one after the other, or one kernel in place."""
RUNTIME_CPU, RUNTIME_GPU = int(0.70 * GB), int(0.60 * GB)
"""Interpreter and libraries on a CPU; context, kernels and cuBLAS's workspace on a GPU."""
FRAGMENTS_GPU = 0.04
"""Share that CUDA's caching allocator holds unused."""
QUANTISED = 0.5 + 4 / 64 / 8 + 0.02
"""Bytes of a weight in 4 bits: NF4, double-quantised scales of blocks of 64 (Dettmers and others 2023, section 3)."""


class Part(Noun):
    """One use of memory."""

    name: str
    """What for."""
    bytes: int
    """How much."""
    how: str
    """How it was worked out."""


class Memory(Noun):
    """The memory of a training run."""

    parts: Many[Part]
    """By use."""
    peak: int
    """Bytes at the worst moment. Less than the parts' sum: gradients appear while activations go."""
    device: str
    """`cpu` or `cuda`."""
    rows: int
    """Rows of the largest batch, chosen and rejected counted apart."""
    length: int
    """Tokens of its longest row."""

    def part(self, name: str) -> int:
        """Return the bytes of a part."""
        return next((p.bytes for p in self.parts if p.name == name), 0)


@dataclass(frozen=True)
class Load:
    """The largest batch."""

    rows: int
    """Sequences, padded to one length."""
    length: int
    """Tokens of the longest."""
    scored: int
    """Tokens whose probability is asked for: the learnt ones."""


def plan_memory(spec: TrainSpec, shape: Shape, load: Load, device: str) -> Memory:
    """Return the memory that training takes on `device`, `cpu` or `cuda`, at the largest batch."""
    number = 2 if _half(spec, device) else 4
    trained = trainable(spec, shape)
    weights, held = _weights(spec, shape, number)
    kept = load.rows * load.length * _kept(spec, shape, load.length, number)
    logits = _logits(shape, load, number, device)
    gradients, moments = 4 * trained, 8 * trained
    reference, why = _reference(spec, weights)
    runtime = RUNTIME_GPU if device == "cuda" else RUNTIME_CPU
    parts = (
        Part(name="weights", bytes=weights, how=held),
        Part(name="adapter", bytes=0 if isinstance(spec.adapter, Full) else 4 * trained, how=f"{trained:,} × 4 bytes"),
        Part(name="gradients", bytes=gradients, how=f"{trained:,} × 4 bytes"),
        Part(name="optimizer", bytes=moments, how=f"AdamW's two moments: {trained:,} × 8 bytes"),
        Part(name="activations", bytes=kept, how=_told(spec, load)),
        Part(name="logits", bytes=logits, how=f"{load.scored:,} scored tokens × {shape.vocabulary:,}, in tiles"),
        Part(name="reference", bytes=reference, how=why),
        Part(name="runtime", bytes=runtime, how="CUDA context and kernels" if device == "cuda" else "libraries"),
    )
    resident = sum(p.bytes for p in parts if p.name in ("weights", "adapter", "optimizer", "reference"))
    forward = kept + max(logits, _block_backward(shape, load, number)) + (gradients if spec.accumulate > 1 else 0)
    peak = resident + max(forward, gradients + kept // max(1, shape.layers))
    peak = int(peak * (1 + FRAGMENTS_GPU)) if device == "cuda" else peak
    return Memory(parts=parts, peak=peak + runtime, device=device, rows=load.rows, length=load.length)


def trainable(spec: TrainSpec, shape: Shape) -> int:
    """Return the parameters that are trained."""
    if isinstance(spec.adapter, Lora):
        return shape.factors(spec.adapter.rank, spec.adapter.targets)
    return shape.total()


# ---------------------------------------------------------------- parts


def _half(spec: TrainSpec, device: str) -> bool:
    return spec.precision == "bfloat16" or (spec.precision == "auto" and device == "cuda")


def _weights(spec: TrainSpec, shape: Shape, number: int) -> tuple[int, str]:
    if isinstance(spec.adapter, Qlora):
        linear = shape.in_blocks()
        rest = shape.total() - linear
        return int(linear * QUANTISED) + 2 * rest, f"{linear:,} in 4 bits, {rest:,} × 2 bytes"
    size = 4 if isinstance(spec.adapter, Full) else number  # weights that are trained stay in full precision
    return shape.total() * size, f"{shape.total():,} × {size} bytes"


def _kept(spec: TrainSpec, shape: Shape, length: int, number: int) -> int:
    """Return the bytes a token keeps for the backward pass, over all blocks."""
    block = _block(spec, shape, length, number)
    if spec.gradient_checkpointing:
        return shape.layers * shape.hidden * number + block  # each block's input, and one block computed again
    return shape.layers * block + 2 * shape.hidden * number


def _block(spec: TrainSpec, shape: Shape, length: int, number: int) -> int:
    """Return the bytes of a token in one block: what each operation keeps for its gradient."""
    h, i, q = shape.hidden, shape.inner, shape.heads * shape.head
    norms = 2 * h * number + 2 * h * (4 if number == 2 else 0)  # outputs, and float32 copies of half-precision inputs
    residual = 2 * h * number
    attention = 4 * q * number + 4 * shape.heads  # queries, keys and values a head each, result; softmax's sums
    mask = length * number  # the padding mask, in the precision of the scores
    gated = 4 * i * number
    if isinstance(spec.adapter, Lora):
        targeted = shape.targeted(spec.adapter.targets)
        factors = len(targeted) * spec.adapter.rank * number
        dropped = sum(one.n_in for one in targeted) * (number + 1) if spec.adapter.dropout else 0
        return norms + residual + attention + mask + gated + factors + dropped
    return norms + residual + attention + mask + gated + 2 * h * number  # the norms' weights learn, too


def _block_backward(shape: Shape, load: Load, number: int) -> int:
    """Return the gradients that are alive within one block's backward pass."""
    return load.rows * load.length * number * (3 * shape.inner + 2 * shape.hidden)


def _logits(shape: Shape, load: Load, number: int, device: str) -> int:
    tile = min(load.scored, TILE_TOKENS) * min(shape.vocabulary, TILE_WORDS)
    if device == "cuda":
        return min(load.scored, TILE_TOKENS) * TILE_WORDS * number * TILES_GPU + 4 * load.scored * shape.hidden
    return tile * 4 * TILES_CPU + 4 * load.scored * shape.hidden


def _reference(spec: TrainSpec, weights: int) -> tuple[int, str]:
    method = spec.method
    if not isinstance(method, Dpo | Kto):
        return 0, "none is needed"
    if isinstance(method, Dpo) and method.precompute:
        return 0, "log-probabilities computed beforehand"
    if not isinstance(spec.adapter, Full):
        return 0, "the base without the adapter: no second copy"
    return weights, "a second copy of the weights"


def _told(spec: TrainSpec, load: Load) -> str:
    how = "computed twice" if spec.gradient_checkpointing else "kept"
    what = "rows" if isinstance(spec.method, Sft | Kto) else "answers"
    return f"{load.rows} {what} × {load.length:,} tokens, {how}"
