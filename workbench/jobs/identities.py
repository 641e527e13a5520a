"""Content hashes of models: two models of one identity give the same answers, as far as anybody here can know."""

from __future__ import annotations

from pathlib import Path

from workbench.config.workbench_yaml import Workbench
from workbench.models import EndpointSpec, LocalSpec, RecordedSpec, ScriptedSpec, spec_fingerprint
from workbench.store.files import sha256_of
from workbench.store.weights import hash_model_folder


def identity(bench: Workbench, name: str) -> str:
    """Return the fingerprint of a model of workbench.yaml: its spec and the content of the files it names."""
    spec = bench.model(name)
    match spec:
        case EndpointSpec() | ScriptedSpec():
            return spec_fingerprint(spec)
        case LocalSpec():
            return spec_fingerprint(portable(spec), weights=_weights(bench, spec))
        case RecordedSpec():
            return spec_fingerprint(spec.model_copy(update={"path": ""}), weights=sha256_of(bench.path(spec.path)))


def portable(spec: LocalSpec) -> LocalSpec:
    """Return the spec without paths: the weights' hash tells models apart, on every machine alike."""
    return spec.model_copy(update={"base": "", "adapter": None})


def _weights(bench: Workbench, spec: LocalSpec) -> str:
    cache = bench.home.cache / "weights.json"
    parts = [_hash(bench, spec.base, cache), _hash(bench, spec.adapter, cache) if spec.adapter else ""]
    return ":".join(parts)


def _hash(bench: Workbench, name: str, cache: Path) -> str:
    folder = bench.path(name)
    # A hub id has no files before its first use; with a revision it names content as well as a hash does.
    return hash_model_folder(folder, cache) if folder.is_dir() else f"hub:{name}"
