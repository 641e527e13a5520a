"""Can this model be served? Checked from the files alone, in seconds, before a server is started for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from workbench.errors import ModelError
from workbench.store.weights import hash_model_folder

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
EXPONENTS = {
    "F64": ("<u8", 0x7FF0 << 48),
    "F32": ("<u4", 0x7F80 << 16),
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
}
"""Bits that are all set in a NaN or an infinity and in no other number, by dtype."""
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")
TRAINED_ON = "trained_on.json"
"""File in an adapter's folder that holds `base_weights`, the hash of the base it was trained on."""
SCAN = 1 << 22


@dataclass(frozen=True)
class Tensor:
    """One entry of a safetensors header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    start: int
    """First byte in the file."""
    end: int
    """Byte after the last."""


def check_model_folder(folder: Path, adapter: Path | None = None, cache: Path | None = None) -> None:
    """Raise `ModelError`, naming every fault, when a model, or a LoRA `adapter` on it, cannot be served for chat.

    Looks for: missing, pickled or truncated weights, NaN or infinite numbers, a missing chat template, a tokenizer that
    knows more tokens than the model has embeddings, and an adapter that was made on another base. An adapter's own
    tokenizer and template count before the base's. `cache` remembers file hashes, see `hash_model_folder`.
    """
    if not (folder / "config.json").is_file():
        raise ModelError(f"model folder {folder} has no config.json; give the folder that save_pretrained wrote")
    _raise(f"model {folder}", _weight_faults(folder))
    if adapter is not None:
        if not (adapter / "adapter_config.json").is_file():
            raise ModelError(
                f"adapter folder {adapter} has no adapter_config.json; give the folder that training wrote"
            )
        _raise(f"adapter {adapter}", _weight_faults(adapter))
        _raise(f"adapter {adapter}", _base_faults(adapter, folder, cache))
    talking = [part for part in (adapter, folder) if part is not None]
    _raise(f"model {folder}", chain(_template_faults(talking), _vocabulary_faults(talking, folder)))


def read_header(file: Path) -> list[Tensor]:
    """Return the tensors of a safetensors file without reading their numbers. Raises `ModelError` when cut or broken.

    The format: 8 bytes of length, little-endian; that many bytes of JSON; the numbers (huggingface/safetensors).
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > size - 8:
            raise ModelError(f"{file} is truncated: {size} bytes do not hold its header; copy or download it again")
        text = stream.read(length)
    try:
        entries: dict[str, Any] = orjson.loads(text)
        begin = 8 + length
        tensors = [
            Tensor(name, entry["dtype"], tuple(entry["shape"]), file, *(begin + at for at in entry["data_offsets"]))
            for name, entry in entries.items()
            if name != "__metadata__"
        ]
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, IndexError) as exc:
        raise ModelError(f"{file} is no safetensors file: its header is broken; copy or download it again") from exc
    end = max((tensor.end for tensor in tensors), default=begin)
    if end > size:
        raise ModelError(f"{file} is truncated: {size} of {end} bytes are there; copy or download it again")
    return tensors


def context_window(folder: Path) -> int | None:
    """Return the longest prompt plus answer, in tokens, that the model was made for; `None` when it does not say."""
    found = _text_config(folder).get("max_position_embeddings")
    return found if isinstance(found, int) else None


def samples_by_default(folder: Path) -> bool:
    """Return whether the model's own generation_config.json asks for sampling."""
    return _read_json(folder / "generation_config.json").get("do_sample") is True


# ---------------------------------------------------------------- weights


def _weight_faults(folder: Path) -> Iterator[str]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickled = sorted(file.name for pattern in PICKLES for file in folder.glob(pattern))
        what = f"its weights are pickled ({', '.join(pickled)}), which can run code" if pickled else "it has no weights"
        yield f"{what}; only safetensors are loaded: save it with save_pretrained"
    for index in folder.glob("*.safetensors.index.json"):
        shards = set(_read_json(index).get("weight_map", {}).values())
        for name in sorted(shards - {file.name for file in files}):
            yield f"{index.name} names {name}, which is not there; copy or download it again"
    for file in files:
        try:
            tensors = read_header(file)
        except ModelError as exc:
            yield str(exc)
        else:
            yield from (fault for tensor in tensors if (fault := _not_finite(tensor)))


def _not_finite(tensor: Tensor) -> str:
    """Return the fault of a tensor that holds NaN or infinity, found on the bits, so that bfloat16 needs no torch."""
    if tensor.dtype not in EXPONENTS or tensor.end == tensor.start:
        return ""
    import numpy

    kind, mask = EXPONENTS[tensor.dtype]
    n = (tensor.end - tensor.start) // numpy.dtype(kind).itemsize
    bits = numpy.memmap(tensor.file, dtype=kind, mode="r", offset=tensor.start, shape=(n,))
    bad = sum(int(numpy.count_nonzero((bits[i : i + SCAN] & mask) == mask)) for i in range(0, n, SCAN))
    if not bad:
        return ""
    return (
        f"tensor {tensor.name} in {tensor.file.name} has {bad} of {n} numbers that are NaN or infinite; "
        "training diverged or the file is damaged: take an earlier checkpoint"
    )


# ---------------------------------------------------------------- chat


def _template_faults(talking: Sequence[Path]) -> Iterator[str]:
    inline = any(_read_json(folder / "tokenizer_config.json").get("chat_template") for folder in talking)
    names = ("chat_template.jinja", "chat_template.json")
    if not inline and not any((folder / name).is_file() for folder in talking for name in names):
        yield "it has no chat template, so messages cannot be put to it; add chat_template.jinja or use a chat model"


def _vocabulary_faults(talking: Sequence[Path], folder: Path) -> Iterator[str]:
    files = [part / "tokenizer.json" for part in talking if (part / "tokenizer.json").is_file()]
    if not files:
        return  # older tokenizer files keep their vocabulary in formats of their own
    tokenizer = _read_json(files[0])
    vocabulary = tokenizer.get("model", {}).get("vocab", {})
    ids = vocabulary.values() if isinstance(vocabulary, dict) else range(len(vocabulary))
    highest = max(chain(ids, (token["id"] for token in tokenizer.get("added_tokens", ()))), default=-1)
    rows = _embedding_rows(folder)
    if rows is not None and highest >= rows:
        yield (
            f"its tokenizer has token ids up to {highest}, but the model has only {rows} embeddings; "
            "they belong to different models: take both from one folder"
        )


def _embedding_rows(folder: Path) -> int | None:
    for file in sorted(folder.glob("*.safetensors")):
        for tensor in read_header(file):
            if tensor.name.endswith(EMBEDDINGS):
                return tensor.shape[0]
    rows = _text_config(folder).get("vocab_size")
    return rows if isinstance(rows, int) else None


# ---------------------------------------------------------------- adapter and base


def _base_faults(adapter: Path, base: Path, cache: Path | None) -> Iterator[str]:
    """Yield how the adapter does not fit: by the hash it recorded, the base it names, then names and shapes."""
    actual = hash_model_folder(base, cache)
    recorded = _recorded_base(adapter, cache)
    if recorded and recorded != actual:
        yield f"it was made on base weights {recorded}, but {base} has weights {actual}; give the right base"
        return
    theirs = {tensor.name: tensor for file in sorted(base.glob("*.safetensors")) for tensor in read_header(file)}
    for file in sorted(adapter.glob("*.safetensors")):
        for tensor in read_header(file):
            if fault := _misfit(tensor, theirs):
                ours = hash_model_folder(adapter, cache)
                yield f"its weights {ours} do not fit base {base}, weights {actual}: {fault}; give the right base"
                return


def _recorded_base(adapter: Path, cache: Path | None) -> str:
    """Return the hash of the base that the adapter was trained on, or nothing when that cannot be known here."""
    if (adapter / TRAINED_ON).is_file():
        return str(_read_json(adapter / TRAINED_ON).get("base_weights", ""))
    named = Path(str(_read_json(adapter / "adapter_config.json").get("base_model_name_or_path") or ""))
    return hash_model_folder(named, cache) if named.is_absolute() and (named / "config.json").is_file() else ""


def _misfit(tensor: Tensor, base: dict[str, Tensor]) -> str:
    """Return why a LoRA factor cannot be added to the base: A is (rank, in), B is (out, rank), the weight (out, in)."""
    module, dot, factor = tensor.name.removeprefix("base_model.model.").rpartition(".lora_")
    axis = {"A.weight": 1, "B.weight": 0}.get(factor)
    if not dot or axis is None or module.endswith("lm_head") or ".experts" in module:
        return ""  # tied heads and fused experts are not stored under their module's name
    weight = base.get(f"{module}.weight")
    if weight is None:
        return f"it changes {module}, which the base does not have"
    if weight.dtype in EXPONENTS and weight.shape[axis] != tensor.shape[axis]:
        return f"{module} is {weight.shape} in the base, and the adapter's factor {factor[0]} is {tensor.shape}"
    return ""


# ---------------------------------------------------------------- reading


def _text_config(folder: Path) -> dict[str, Any]:
    """Return config.json, or its text part where a model sees pictures too."""
    config = _read_json(folder / "config.json")
    inner = config.get("text_config")
    return inner if isinstance(inner, dict) else config


def _read_json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        value = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as exc:
        raise ModelError(f"{file} is not JSON ({exc}); copy or download it again") from exc
    if not isinstance(value, dict):
        raise ModelError(f"{file} is not a JSON object; copy or download it again")
    return value


def _raise(what: str, faults: Iterator[str]) -> None:
    if found := list(faults):
        raise ModelError("\n".join(f"{what} cannot be used: {fault}" for fault in found))
