"""What is made of a tuned model: merged into one folder, exported as GGUF, described for Ollama."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson

from workbench.adapters.llama_cpp import find_tools, to_gguf
from workbench.adapters.peft_merging import merge_adapter
from workbench.adapters.transformers_serve import Prepared, locate
from workbench.config.derived_models import pinned
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, ModelError, Problem
from workbench.jobs.identities import resolved
from workbench.models import LocalSpec
from workbench.nouns import Many, Noun
from workbench.store.files import flush, told_when_full, write_atomic
from workbench.store.model_folder import check_model_folder, context_window
from workbench.store.weights import hash_model_folder, model_files

MADE_OF = "made_of.json"
"""File that says what a merged model was made of."""


class Merged(Noun):
    """A model of one folder, made of a base and an adapter."""

    model: str
    """The name that was merged, with its training run's whole id."""
    folder: str
    """Where it lies."""
    base_weights: str
    """Content hash of the base."""
    adapter: str
    """Content hash of the adapter; empty for a model that had none."""
    weights: str
    """Content hash of what was made."""


class Exported(Noun):
    """What was written for other programs."""

    merged: Merged
    """The safetensors."""
    files: Many[str]
    """What was written besides, such as a GGUF file and a Modelfile."""


def merge(bench: Workbench, name: str, target: Path) -> Merged:
    """Write a local model and its adapter as one safetensors model into a new folder, whole or not at all.

    Raises `ModelError` for an adapter of another base, with both hashes, and for numbers that are none.
    """
    spec = local(bench, name)
    _refuse_existing(target)
    found = locate(resolved(bench, spec), bench.home.cache / "weights.json")
    check_model_folder(found.base, found.adapter, bench.home.cache / "weights.json")
    new = target.with_name(f".{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        with told_when_full(target):
            new.mkdir(parents=True)
            _put_together(found, new)
            check_model_folder(new)
            merged = _merged(bench, name, found, new, target)
            (new / MADE_OF).write_bytes(orjson.dumps(merged.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
            for file in (*new.rglob("*"), new):
                flush(file)
            new.rename(target)
            flush(target.parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return merged


def export(
    bench: Workbench, name: str, target: Path, gguf: str | None, llama_cpp: Path | None, ollama: bool
) -> Exported:
    """Write a model for other programs: safetensors, and where asked a GGUF file and an Ollama Modelfile.

    Raises `ConfigError`, before anything is written, where a tool for the GGUF type is missing.
    """
    tools = {} if gguf is None else find_tools(gguf, llama_cpp)
    spec = local(bench, name)
    words = modelfile(spec, f"./model-{gguf}.gguf" if gguf else ".", _window(bench, spec)) if ollama else ""
    merged = merge(bench, name, target)
    files: list[str] = []
    if gguf is not None:
        files.append(str(target / f"model-{gguf}.gguf"))
        to_gguf(target, Path(files[-1]), gguf, tools)
    if ollama:
        files.append(str(target / "Modelfile"))
        write_atomic(target / "Modelfile", words.encode())
    return Exported(merged=merged, files=tuple(files))


def local(bench: Workbench, name: str) -> LocalSpec:
    """Return the spec of a model on this machine. Raises `ConfigError` for any other kind."""
    spec = bench.model(name)
    if isinstance(spec, LocalSpec):
        return spec
    fix = "name a model of kind local, or train:RUN"
    raise ConfigError(Problem("NOT_LOCAL", "this model's weights are not here", field=name, got=spec.kind, fix=fix))


def modelfile(spec: LocalSpec, source: str, window: int | None) -> str:
    """Return Ollama's Modelfile. Raises `ConfigError` for a system prompt that its quotes cannot hold."""
    lines = [f"FROM {source}"]
    sampling = spec.sampling
    told = {"temperature": sampling.temperature, "top_p": sampling.top_p, "num_predict": sampling.max_tokens,
            "seed": sampling.seed, "num_ctx": window}  # fmt: skip
    lines += [f"PARAMETER {key} {value}" for key, value in told.items() if value is not None]
    if spec.system is not None:
        if '"""' in spec.system:
            fix = "write the quotes otherwise"
            what = 'the system prompt holds """, which ends a text in a Modelfile'
            raise ConfigError(Problem("MODELFILE", what, field="system", fix=fix))
        lines.append(f'SYSTEM """{spec.system}"""')
    return "\n".join(lines) + "\n"


def _put_together(found: Prepared, new: Path) -> None:
    if found.adapter is not None:
        return merge_adapter(found.base, found.adapter, new)
    for file in model_files(found.base):
        (new / file.relative_to(found.base)).parent.mkdir(exist_ok=True)
        shutil.copyfile(file, new / file.relative_to(found.base))


def _merged(bench: Workbench, name: str, found: Prepared, new: Path, target: Path) -> Merged:
    cache = bench.home.cache / "weights.json"
    adapter = "" if found.adapter is None else hash_model_folder(found.adapter, cache)
    base = hash_model_folder(found.base, cache)
    model = pinned(bench, name, "")
    return Merged(model=model, folder=str(target), base_weights=base, adapter=adapter, weights=hash_model_folder(new))


def _window(bench: Workbench, spec: LocalSpec) -> int | None:
    base = resolved(bench, spec).base
    return context_window(Path(base)) if Path(base).is_dir() else None


def _refuse_existing(target: Path) -> None:
    if target.exists():
        fix = "name a folder that does not exist yet"
        raise ConfigError(Problem("FILE_EXISTS", "there is something already", str(target), fix=fix))
    if not target.absolute().parent.is_dir():
        raise ModelError(f"folder {target.absolute().parent} does not exist; make it first")
