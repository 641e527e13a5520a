"""A training recipe: one YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workbench.config.yaml_source import load_yaml
from workbench.errors import Problem
from workbench.training.spec import PREFERENCES, TrainSpec


def load_recipe(path: Path, environment: Mapping[str, str] | None = None) -> TrainSpec:
    """Return a training recipe. Raises `ConfigError` with every fault, each with file and line."""
    return load_yaml(path, TrainSpec, environment, _cross_checked)


def _cross_checked(spec: TrainSpec) -> list[Problem]:
    found = []
    if spec.start is not None and spec.method.kind == "orpo":
        fix = "leave `start` out"
        found.append(Problem("NO_REFERENCE", "ORPO has no reference to start from", field="start", fix=fix))
    if spec.dev is not None and spec.dev == spec.dataset:
        what, fix = "the dev set is what is learnt from, so it shows nothing", "name a set of use dev"
        found.append(Problem("SAME_DATASET", what, field="dev", got=spec.dev, fix=fix))
    if spec.method.kind in PREFERENCES and spec.learning_rate is not None and spec.learning_rate > 5e-4:
        what = "a rate at which preference tuning destroys models"
        fix = "take 1e-5, or at most 5e-4"
        found.append(Problem("RATE_TOO_HIGH", what, field="learning_rate", got=f"{spec.learning_rate:g}", fix=fix))
    return found
