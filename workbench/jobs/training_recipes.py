"""Training recipes of a project: YAML files in `recipes/` beside workbench.yaml, written by hand or by a page."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from workbench.config.training_yaml import load_recipe
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError
from workbench.nouns import fingerprint
from workbench.store.files import write_atomic
from workbench.training.spec import TrainSpec

FOLDER = "recipes"
MARK = re.compile(r"^(dataset|\s*\"dataset\")\s*:", re.MULTILINE)
"""What every recipe has, and hardly another YAML file."""


@dataclass(frozen=True)
class Recipe:
    """A recipe that was found."""

    path: Path
    name: str
    """Its path below the project's folder."""
    spec: TrainSpec | None
    """What it says; `None` where it cannot be read."""
    fault: str = ""
    """Why not."""


def recipes(bench: Workbench) -> list[Recipe]:
    """Return the recipes of a project, by name: those in `recipes/`, and those that lie beside workbench.yaml."""
    root = bench.file.parent
    files = sorted({*root.glob("*.yaml"), *(root / FOLDER).glob("*.yaml")} - {bench.file})
    return [_recipe(path, root) for path in files if MARK.search(path.read_text("utf-8", "replace"))]


def save_recipe(bench: Workbench, spec: TrainSpec, by: str, now: datetime) -> Path:
    """Write a recipe into `recipes/`, named by what it says, and return its file; the same recipe has the same one."""
    root = bench.file.parent
    path = root / FOLDER / f"{spec.name}-{fingerprint(spec.model_dump(mode='json'))[:8]}.yaml"
    if not path.exists():
        head = f"# Written on a page by {json.dumps(by)}, {now:%Y-%m-%d %H:%M} UTC. JSON is YAML.\n"
        said = json.dumps(spec.model_dump(mode="json", exclude_defaults=True), indent=2)
        write_atomic(path, f"{head}{said}\n".encode())
        try:
            load_recipe(path)  # what a page wrote is checked as what a person writes
        except ConfigError:
            path.unlink()
            raise
    return path


def _recipe(path: Path, root: Path) -> Recipe:
    name = path.relative_to(root).as_posix()
    try:
        return Recipe(path, name, load_recipe(path))
    except ConfigError as exc:
        return Recipe(path, name, None, str(exc))
