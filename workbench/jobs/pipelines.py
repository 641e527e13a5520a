"""A user's own function: where it lies, and what tells two states of it apart."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from workbench.adapters.own_pipeline.child import GROUP
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.models import CallableSpec, spec_fingerprint
from workbench.nouns import fingerprint
from workbench.reading.paths import outside
from workbench.store.files import sha256_of


def function_file(bench: Workbench, spec: CallableSpec) -> Path | None:
    """Return the file of a function; `None` for an entry point. Raises `ConfigError` for one outside the project."""
    if spec.function is None:
        return None
    name = spec.function.rpartition(":")[0]
    folder = bench.file.parent
    if why := outside(folder, name):
        fix = "name a file inside the folder of workbench.yaml: code from elsewhere is not run"
        raise ConfigError(Problem("PATH_OUTSIDE", why, str(bench.file), field="function", got=name, fix=fix))
    if not (folder / name).is_file():
        raise ConfigError(
            Problem("FILE_MISSING", "no such file", str(bench.file), field="function", got=name, fix="check the path")
        )
    return (folder / name).resolve()


def callable_identity(bench: Workbench, spec: CallableSpec) -> str:
    """Return the fingerprint of a function: its spec, its file and the Python files beside it, or its package."""
    file = function_file(bench, spec)
    if file is not None:
        return fingerprint([spec_fingerprint(spec), {one.name: sha256_of(one) for one in file.parent.glob("*.py")}])
    found = [point for point in entry_points(group=GROUP) if point.name == spec.entry_point]
    if len(found) != 1:
        fix = f"install the package that names it in [project.entry-points.{GROUP!r}]"
        what = f"{len(found)} installed packages have this entry point"
        raise ConfigError(
            Problem("ENTRY_POINT", what, str(bench.file), field="entry_point", got=spec.entry_point, fix=fix)
        )
    package = found[0].dist
    return fingerprint([spec_fingerprint(spec), found[0].value, package.version if package is not None else ""])
