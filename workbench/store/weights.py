"""Which weights are these? A content hash of a model's folder, the same on every machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from workbench.errors import ModelError
from workbench.store.files import sha256_of, write_atomic

MODEL_FILES = (
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "adapter_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "*.model",
    "chat_template.jinja",
    "chat_template.json",
    "additional_chat_templates/*.jinja",
    "preprocessor_config.json",
    "processor_config.json",
    "modules.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "[0-9]*_*/config.json",
    "[0-9]*_*/*.safetensors",
)
"""The files that can change an answer; the last five are sentence-transformers'. Pickles and code are not among them:
what is not hashed is not served."""


def hash_model_folder(folder: Path, cache: Path | None = None) -> str:
    """Return 32 hex digits of SHA-256 over names and contents of the files that can change what a model answers.

    `cache` names a JSON file that remembers each file's hash by path, size and time of change, so that gigabytes of
    weights are read once. Raises `ModelError` for a folder without such files and for a link that leaves the folder.
    """
    known = _read_cache(cache)
    digest = hashlib.sha256()
    fresh: dict[str, list[int | str]] = {}
    for file in model_files(folder):
        path, stat = str(file.resolve()), file.stat()
        stamp: list[int | str] = [stat.st_size, stat.st_mtime_ns]
        entry = known.get(path)
        found = str(entry[2]) if entry is not None and entry[:2] == stamp else sha256_of(file)
        if entry is None or entry != [*stamp, found]:
            fresh[path] = [*stamp, found]
        digest.update(f"{file.relative_to(folder).as_posix()}\n{found}\n".encode())
    if cache is not None and fresh:
        write_atomic(cache, orjson.dumps(known | fresh, option=orjson.OPT_INDENT_2))
    return digest.hexdigest()[:32]


def model_files(folder: Path) -> list[Path]:
    """Return the files of `folder` that can change an answer, sorted by name."""
    if not folder.is_dir():
        raise ModelError(f"model folder {folder} does not exist; check the path in workbench.yaml")
    files = sorted({file for pattern in MODEL_FILES for file in folder.glob(pattern) if file.is_file()})
    if not files:
        raise ModelError(f"{folder} holds no model: no config.json, no *.safetensors; check the path in workbench.yaml")
    # The hub's cache keeps contents beside its snapshots and links to them from there.
    root = (folder.parent.parent if folder.parent.name == "snapshots" else folder).resolve()
    for file in files:
        if not file.resolve().is_relative_to(root):
            raise ModelError(f"{file} is a link to {file.resolve()}, outside of its folder; copy the file there")
    return files


def _read_cache(cache: Path | None) -> dict[str, list[int | str]]:
    """Return what was remembered. A damaged cache is forgotten: it costs reading the weights again, nothing else."""
    if cache is None or not cache.exists():
        return {}
    try:
        known = orjson.loads(cache.read_bytes())
    except orjson.JSONDecodeError:
        return {}
    entries = known.items() if isinstance(known, dict) else ()
    return {path: entry for path, entry in entries if isinstance(entry, list) and len(entry) == 3}
