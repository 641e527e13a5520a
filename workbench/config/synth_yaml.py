"""A synthesis recipe: one YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workbench.config.workbench_yaml import Workbench, unknown_index, unknown_model
from workbench.config.yaml_source import load_yaml
from workbench.curation.synth.recipes import Questions, SynthRecipe
from workbench.errors import Problem


def load_synthesis(path: Path, bench: Workbench, environment: Mapping[str, str] | None = None) -> SynthRecipe:
    """Return a synthesis recipe. Raises `ConfigError` with every fault, each with file and line."""

    def check(recipe: SynthRecipe) -> list[Problem]:
        config = bench.config
        found = [unknown_model(name, config, "make") for name in recipe.models() if name not in config.models]
        if isinstance(recipe.make, Questions) and recipe.make.index not in config.rag:
            found.append(unknown_index(recipe.make.index, config, "make.index"))
        return found

    return load_yaml(path, SynthRecipe, environment, check)
