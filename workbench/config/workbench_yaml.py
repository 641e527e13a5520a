"""`workbench.yaml`: where things lie, which models there are, and which of them is the candidate."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from workbench.config.yaml_source import load_yaml
from workbench.errors import ConfigError, Problem
from workbench.models import EndpointSpec, ModelSpec
from workbench.nouns import Noun
from workbench.store.home import Home

FILE = "workbench.yaml"
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")


class WorkbenchConfig(Noun):
    """The settings of one project."""

    home: str = Field(".workbench", min_length=1)
    """Folder of runs, datasets and caches, relative to this file."""
    evalsets: str = Field("evalsets", min_length=1)
    """Folder that holds one folder per evalset, relative to this file."""
    models: dict[ModelName, ModelSpec] = Field(min_length=1)
    """Every model that may be evaluated or judge, by a name of your choice."""
    candidate: str
    """Name of the model that `workbench eval run` evaluates."""
    embedder: str = Field("all-MiniLM-L6-v2", min_length=1)
    """Embedding model of the similarity scorers: a name, a folder or a hub id."""


@dataclass(frozen=True)
class Workbench:
    """A loaded `workbench.yaml`: its settings and where it lies."""

    file: Path
    config: WorkbenchConfig

    @property
    def home(self) -> Home:
        return Home(self.path(self.config.home))

    @property
    def evalsets(self) -> Path:
        return self.path(self.config.evalsets)

    def path(self, name: str) -> Path:
        """Return a path that the file names, relative to the file's folder."""
        return self.file.parent / Path(name).expanduser()

    def candidate(self) -> str:
        """Return the candidate's name."""
        return self.config.candidate

    def model(self, name: str) -> ModelSpec:
        """Return a model's spec. Raises `ConfigError` naming the nearest one."""
        if name in self.config.models:
            return self.config.models[name]
        raise ConfigError(unknown_model(name, self.config, str(self.file), "models"))


def load_workbench(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Workbench:
    """Load the given `workbench.yaml`, or the nearest one upwards from here. Raises `ConfigError` with every fault."""
    file = find_config(Path.cwd()) if path is None else path
    config = load_yaml(file, WorkbenchConfig, environment)
    problems = [*_candidate_problems(config, str(file))]
    for name, spec in config.models.items():
        if isinstance(spec, EndpointSpec):
            problems += _endpoint_problems(spec, str(file), f"models.{name}")
    if problems:
        raise ConfigError(problems)
    return Workbench(file.absolute(), config)


def find_config(start: Path) -> Path:
    """Return the nearest `workbench.yaml` in a folder or its parents. Raises `ConfigError`."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    fix = "write one with `workbench init`, or name one with --config"
    raise ConfigError(Problem("FILE_MISSING", f"no {FILE} here or in any folder above", str(start), fix=fix))


def unknown_model(name: str, config: WorkbenchConfig, file: str, field: str, line: int | None = None) -> Problem:
    """Return the fault of a model's name that workbench.yaml does not have."""
    near = difflib.get_close_matches(name, config.models, n=1)
    fix = f"did you mean '{near[0]}'?" if near else f"models: {', '.join(config.models)}"
    return Problem("UNKNOWN_MODEL", "no model has this name", file, line, field, repr(name), fix)


def _candidate_problems(config: WorkbenchConfig, file: str) -> list[Problem]:
    return [] if config.candidate in config.models else [unknown_model(config.candidate, config, file, "candidate")]


def _endpoint_problems(spec: EndpointSpec, file: str, field: str) -> list[Problem]:
    """Return what is wrong with an endpoint's address, without showing what may be a secret in it."""
    found: list[Problem] = []
    if spec.api_key_env is not None and not VARIABLE.fullmatch(spec.api_key_env):
        fix = "name the variable, such as OPENAI_API_KEY; never write the key itself"
        what = "this is no name of an environment variable"
        found.append(Problem("SECRET_IN_CONFIG", what, file, None, f"{field}.api_key_env", None, fix))
    where = f"{field}.base_url"
    try:
        url = urlsplit(spec.base_url)
        host = url.hostname
    except ValueError:
        return [*found, Problem("BASE_URL", "this is no address", file, None, where, None, "write http://host:port/v1")]
    if url.scheme not in ("http", "https") or not url.netloc:
        bare = spec.base_url if "@" not in spec.base_url else None
        fix = (
            f"write http://{bare} or https://{bare}" if bare and "://" not in bare else "begin with http:// or https://"
        )
        return [
            *found,
            Problem("BASE_URL", "the address has no scheme that can be called", file, None, where, bare, fix),
        ]
    if not host:
        found.append(
            Problem("BASE_URL", "the address has no host", file, None, where, None, "write http://host:port/v1")
        )
    if url.username or url.password:
        fix = "remove it and set api_key_env"
        found.append(
            Problem("SECRET_IN_CONFIG", "the address holds a user name or password", file, None, where, None, fix)
        )
    if url.query or url.fragment:
        found.append(Problem("BASE_URL", "the address must end in its path", file, None, where, None, "remove ? and #"))
    return found
