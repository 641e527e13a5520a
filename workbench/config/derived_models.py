"""Models that workbench.yaml need not name, made of others: `train:RUN`, `MODEL+shots:K@EVALSET`, `MODEL+rag:PIPELINE`.

`train:RUN` is what a training run made, on its base, asked as the model of workbench.yaml is that has the same base.
Parts after a `+` are put around what stands before them, from left to right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.config.workbench_yaml import TRAINED, Workbench
from workbench.errors import ConfigError, DataError, Problem
from workbench.models import FewShotSpec, LocalSpec, ModelSpec, RagSpec

if TYPE_CHECKING:
    from workbench.training.folder import TrainFolder

SHOTS = re.compile(r"shots:([1-9]|[1-5][0-9]|6[0-4])(?:@([a-z0-9][a-z0-9_-]*))?")
FORMS = "MODEL, train:RUN, MODEL+shots:3, MODEL+shots:3@EVALSET or MODEL+rag:PIPELINE"


def derived(bench: Workbench, name: str) -> ModelSpec:
    """Return the spec of a derived model. Raises `ConfigError` for a part that is none, `DataError` for no such run."""
    inner, _, part = name.rpartition("+")
    if not inner:
        return _trained(bench, name)
    bench.model(inner)
    if part.startswith("rag:"):
        return _rag(bench, name, inner, part.removeprefix("rag:"))
    match = SHOTS.fullmatch(part)
    if match is None:
        raise _refused(bench, f"'{part}' is no way to derive a model", name, f"write {FORMS}")
    if match[2] is None:
        raise _refused(bench, "whose samples are shown is not said", name, f"write {name}@EVALSET")
    return FewShotSpec(kind="few_shot", model=inner, evalset=match[2], shots=int(match[1]))


def pinned(bench: Workbench, name: str, evalset: str) -> str:
    """Return a model's name with its training run's whole id, and with the evalset that shown samples come from."""
    if name in bench.config.models:
        return name
    first, *parts = name.split("+")
    if first.startswith(TRAINED):
        first = TRAINED + _run(bench, first).id
    bare_shots = [f"{part}@{evalset}" if part.startswith("shots:") and "@" not in part else part for part in parts]
    return "+".join([first, *bare_shots])


def bare(bench: Workbench, name: str) -> str:
    """Return the model that answers behind shown samples and passages, whether derived or named in workbench.yaml."""
    spec = bench.model(name)
    while isinstance(spec, RagSpec | FewShotSpec):
        name = spec.generator if isinstance(spec, RagSpec) else spec.model
        spec = bench.model(name)
    return name


def trained_names(bench: Workbench) -> list[str]:
    """Return the names of all models that training has finished, oldest first."""
    from workbench.training.folder import folders

    return [f"{TRAINED}{folder.id}" for folder in folders(bench.home) if folder.summary.exists()]


def _trained(bench: Workbench, name: str) -> LocalSpec:
    """Return what a training run made, with the settings of the local model that has the same base."""
    folder = _run(bench, name)
    run = folder.finished()
    if run is None:
        fix = f"finish it: workbench train resume {folder.id}"
        raise DataError(Problem("NO_ADAPTER", "this training run is not finished", str(folder.path), got=name, fix=fix))
    recipe = run.start.spec
    alike = _alike(bench, recipe.base, recipe.revision) or LocalSpec(kind="local", base=recipe.base)
    base = {"base": recipe.base, "revision": recipe.revision}
    if run.made == "model":
        return alike.model_copy(update={"base": str(folder.model.absolute()), "revision": None, "adapter": None})
    return alike.model_copy(update={**base, "adapter": str(folder.adapter.absolute())})


def _alike(bench: Workbench, base: str, revision: str | None) -> LocalSpec | None:
    """Return the first model of workbench.yaml on this base, the candidate before the others."""
    models = bench.config.models
    ordered = [models[bench.candidate()], *models.values()]
    local = [spec for spec in ordered if isinstance(spec, LocalSpec) and spec.adapter is None]
    there = bench.path(base).resolve()
    same = (s for s in local if (s.base, s.revision) == (base, revision) or bench.path(s.base).resolve() == there)
    return next(same, None)


def _run(bench: Workbench, name: str) -> TrainFolder:
    from workbench.training.folder import find_folder  # what a recipe is need not be known where nothing is trained

    return find_folder(bench.home, name.removeprefix(TRAINED), finished=True)


def _rag(bench: Workbench, name: str, inner: str, pipeline: str) -> RagSpec:
    """Return a pipeline of workbench.yaml with another generator."""
    spec = bench.model(pipeline)
    if not isinstance(spec, RagSpec):
        raise _refused(bench, f"'{pipeline}' is no RAG pipeline", name, "name a model of kind rag")
    if isinstance(bench.model(inner), RagSpec):
        raise _refused(bench, "a pipeline cannot answer for a pipeline", name, "name a model that answers by itself")
    return spec.model_copy(update={"generator": inner})


def _refused(bench: Workbench, what: str, name: str, fix: str) -> ConfigError:
    return ConfigError(Problem("DERIVED_MODEL", what, str(bench.file), got=name, fix=fix))
