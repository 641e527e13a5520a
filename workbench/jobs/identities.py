"""Content hashes of models: two models of one identity give the same answers, as far as anybody here can know."""

from __future__ import annotations

from workbench.adapters.transformers_serve import locate
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.few_shot import few_shot_identity
from workbench.jobs.pipelines import callable_identity
from workbench.jobs.rag import rag_identity
from workbench.jobs.trained_judges import encoder_identity
from workbench.models import (
    CallableSpec,
    EncoderSpec,
    EndpointSpec,
    FewShotSpec,
    HttpSpec,
    LocalSpec,
    ModelSpec,
    RagSpec,
    RecordedSpec,
    ScriptedSpec,
    spec_fingerprint,
)
from workbench.reading.recorded import RecordedAnswers


def identity(bench: Workbench, name: str) -> str:
    """Return the fingerprint of a model of workbench.yaml: its spec and the content of the files it names."""
    return identity_of(bench, bench.model(name))


def identity_of(bench: Workbench, spec: ModelSpec) -> str:
    """Return the fingerprint of a model by its spec."""
    match spec:
        case EndpointSpec() | ScriptedSpec() | HttpSpec():
            return spec_fingerprint(spec)
        case LocalSpec():
            return locate(resolved(bench, spec), bench.home.cache / "weights.json").identity()
        case RagSpec():
            return rag_identity(bench, spec, identity(bench, spec.generator))
        case CallableSpec():
            return callable_identity(bench, spec)
        case FewShotSpec():
            return few_shot_identity(bench, spec, identity(bench, spec.model))
        case EncoderSpec():
            return encoder_identity(bench, spec)
        case RecordedSpec():
            answers = open_answers(bench, spec)
            answers.close()
            return spec_fingerprint(spec.model_copy(update={"path": ""}), weights=answers.fingerprint)


def open_answers(bench: Workbench, spec: RecordedSpec) -> RecordedAnswers:
    """Open the answers that a recorded model names."""
    return RecordedAnswers.open(bench.path(spec.path), spec, bench.home.root)


def resolved(bench: Workbench, spec: LocalSpec) -> LocalSpec:
    """Return a spec whose folders are found from anywhere; a hub id stays one."""
    here = {
        key: str(bench.path(value)) if value and bench.path(value).is_dir() else value
        for key, value in (("base", spec.base), ("adapter", spec.adapter))
    }
    return spec.model_copy(update=here)
