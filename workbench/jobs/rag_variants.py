"""Variants of a pipeline: every combination of the values that its settings are given."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from itertools import product
from typing import Any

import yaml
from pydantic import ValidationError

from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.models import RagSpec

MOST = 32
"""Variants of one sweep: each is a whole evaluation, and each more makes a chance winner likelier."""


def pipeline_named(bench: Workbench, name: str | None) -> tuple[str, RagSpec]:
    """Return a pipeline of workbench.yaml: the named one, the candidate, or the only one. Raises `ConfigError`."""
    known = {key: spec for key, spec in bench.config.models.items() if isinstance(spec, RagSpec)}
    chosen = name or (bench.candidate() if bench.candidate() in known or len(known) != 1 else next(iter(known)))
    spec = bench.model(chosen)
    if not isinstance(spec, RagSpec):
        fix = f"name one with --model: {', '.join(known)}" if known else "add a model of `kind: rag`, see docs/rag.md"
        what = "this model is no RAG pipeline"
        raise ConfigError(Problem("NOT_RAG", what, str(bench.file), field=f"models.{chosen}", got=spec.kind, fix=fix))
    return chosen, spec


def variants(name: str, spec: RagSpec, vary: Sequence[str]) -> dict[str, RagSpec]:
    """Return the variants by name, the first values first. `vary` are `setting=a,b`. Raises `ConfigError`."""
    settings = dict(_values(one) for one in vary)
    made: dict[str, RagSpec] = {}
    for values in product(*settings.values()):
        chosen = dict(zip(settings, values, strict=True))
        tail = ".".join(f"{key}-{_word(value)}" for key, value in chosen.items())
        made[f"{name}.{tail}"[:80]] = _made(spec, chosen)
    if not 2 <= len(made) <= MOST:
        what = f"these values make {len(made)} different pipelines; 2 to {MOST} can be compared"
        raise ConfigError(Problem("SWEEP", what, field="--vary", fix="give each setting two values or more"))
    return made


def _values(given: str) -> tuple[str, list[Any]]:
    key, _, values = given.partition("=")
    if key not in RagSpec.model_fields or key == "kind" or not values:
        near = difflib.get_close_matches(key, RagSpec.model_fields, n=1)
        fix = f"did you mean '{near[0]}'?" if near and values else "write setting=a,b, such as top_k=2,4"
        raise ConfigError(Problem("SWEEP", "this is no setting with values", field="--vary", got=given, fix=fix))
    return key, [yaml.safe_load(value) for value in values.split(",")]


def _made(spec: RagSpec, chosen: dict[str, Any]) -> RagSpec:
    plain = {key: [value] if key == "index" else value for key, value in chosen.items()}
    try:
        return RagSpec.model_validate({**spec.model_dump(), **plain})
    except ValidationError as exc:
        first = exc.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(Problem("SWEEP", first["msg"], field=f"--vary {field}", got=repr(first["input"]))) from exc


def _word(value: object) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", str(value)).strip("_") or "none"
