"""`workbench.yaml`: where things lie, which models there are, and which of them is the candidate."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from workbench.adapters.own_pipeline.http import as_endpoint
from workbench.calling.addresses import address_fault
from workbench.config.dashboards_yaml import DashboardsConfig
from workbench.config.yaml_source import load_yaml
from workbench.errors import ConfigError, Problem
from workbench.models import EndpointSpec, FewShotSpec, HttpSpec, ModelSpec, RagSpec
from workbench.nouns import Noun
from workbench.rag.index import IndexSpec
from workbench.store.home import Home

FILE = "workbench.yaml"
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
TRAINED = "train:"
"""How the name of a model begins that a training run made."""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")


class LabellingConfig(Noun):
    """Where people label, and with which templates."""

    url: str | None = Field(None, min_length=1)
    """Address of a team's Argilla. Left out, it is the embedded one of `argilla`."""
    api_key_env: str | None = Field(None, min_length=1)
    """Environment variable that holds the key for `url`."""
    argilla: str = Field("argilla", min_length=1)
    """Folder of the embedded Argilla, relative to the project's home; address and key are read from it."""
    workspace: str = Field("default", pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$", max_length=80)
    """Argilla's workspace; made if it is not there."""
    templates: str = Field("templates", min_length=1)
    """Folder of the project's own templates, relative to this file."""
    taxonomy: str | None = Field(None, min_length=1)
    """The project's own failure modes, a YAML file relative to this one."""
    embedding: str | None = Field(None, min_length=1)
    """Embedding model for "find similar", such as all-MiniLM-L6-v2; left out, records have no vectors."""

    @model_validator(mode="after")
    def _key_with_address(self) -> LabellingConfig:
        if (self.url is None) != (self.api_key_env is None):
            raise ValueError("give `url` and `api_key_env` together, or neither")
        return self


class FirewallConfig(Noun):
    """How the firewall recognises gate samples in what is learnt from, besides family, words, runs and triples."""

    embedding: str | None = Field(None, min_length=1)
    """Embedding model that sees paraphrases, such as all-MiniLM-L6-v2; left out, words alone are compared."""
    cosine: float = Field(0.95, gt=0, le=1)
    """Likeness of embeddings from which two texts are one."""


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
    rag: dict[ModelName, IndexSpec] = {}
    """Indexes of documents that RAG pipelines search, by a name of your choice."""
    # Said this way because pydantic drops a docstring beside a reference.
    labelling: LabellingConfig = Field(LabellingConfig(), json_schema_extra={"description": "Where people label."})
    """Where people label, and with which templates."""
    firewall: FirewallConfig = Field(FirewallConfig(), json_schema_extra={"description": "What counts as a leak."})
    """What counts as a leak."""
    dashboards: DashboardsConfig = Field(DashboardsConfig(), json_schema_extra={"description": "Who may do what."})
    """Who may do what on the pages."""


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

    def index(self, name: str) -> IndexSpec:
        """Return an index's spec. Raises `ConfigError` naming the nearest one."""
        if name in self.config.rag:
            return self.config.rag[name]
        raise ConfigError(replace(unknown_index(name, self.config, "rag"), file=str(self.file)))

    def model(self, name: str) -> ModelSpec:
        """Return a model's spec; `train:RUN` and `MODEL+…` are derived. Raises `ConfigError` naming the nearest one."""
        if name in self.config.models:
            return self.config.models[name]
        if name.startswith(TRAINED) or "+" in name:
            from workbench.config.derived_models import derived

            return derived(self, name)
        raise ConfigError(replace(unknown_model(name, self.config, "models"), file=str(self.file)))


def load_workbench(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Workbench:
    """Load the given `workbench.yaml`, or the nearest one upwards from here. Raises `ConfigError` with every fault."""
    file = find_config(Path.cwd()) if path is None else path
    return Workbench(file.absolute(), load_yaml(file, WorkbenchConfig, environment, _cross_checked))


def find_config(start: Path) -> Path:
    """Return the nearest `workbench.yaml` in a folder or its parents. Raises `ConfigError`."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    fix = "write one with `workbench init`, or name one with --config"
    raise ConfigError(Problem("FILE_MISSING", f"no {FILE} here or in any folder above", str(start), fix=fix))


def unknown_model(name: str, config: WorkbenchConfig, field: str) -> Problem:
    """Return the fault of a model's name that workbench.yaml does not have."""
    near = difflib.get_close_matches(name, config.models, n=1)
    fix = f"did you mean '{near[0]}'?" if near else f"models: {', '.join(config.models)}"
    return Problem("UNKNOWN_MODEL", "no model has this name", field=field, got=repr(name), fix=fix)


def unknown_index(name: str, config: WorkbenchConfig, field: str) -> Problem:
    """Return the fault of an index's name that workbench.yaml does not have."""
    near = difflib.get_close_matches(name, config.rag, n=1)
    known = f"`rag` has: {', '.join(config.rag)}" if config.rag else "add it under `rag`"
    fix = f"did you mean '{near[0]}'?" if near else known
    return Problem("UNKNOWN_INDEX", "no index has this name", field=field, got=repr(name), fix=fix)


def _cross_checked(config: WorkbenchConfig) -> list[Problem]:
    """Return what is wrong between fields; the loader adds file and line."""
    found = [] if config.candidate in config.models else [unknown_model(config.candidate, config, "candidate")]
    for name, spec in config.models.items():
        if isinstance(spec, EndpointSpec | HttpSpec):
            called, field = (as_endpoint(spec), "url") if isinstance(spec, HttpSpec) else (spec, "base_url")
            found += [
                *_key_problems(called, f"models.{name}.api_key_env"),
                *_url_problems(called, f"models.{name}.{field}"),
            ]
        if isinstance(spec, RagSpec):
            found += _rag_problems(spec, f"models.{name}", config)
        if isinstance(spec, FewShotSpec) and spec.model not in config.models:
            found.append(unknown_model(spec.model, config, f"models.{name}.model"))
    return found


def _rag_problems(spec: RagSpec, field: str, config: WorkbenchConfig) -> list[Problem]:
    """Return what a pipeline names and workbench.yaml lacks."""
    found = [unknown_index(name, config, f"{field}.index") for name in spec.index if name not in config.rag]
    generator = config.models.get(spec.generator)
    if generator is None:
        found.append(unknown_model(spec.generator, config, f"{field}.generator"))
    elif isinstance(generator, RagSpec):
        fix = "name a model that answers by itself"
        what = "a pipeline cannot answer for a pipeline"
        found.append(Problem("RAG_GENERATOR", what, field=f"{field}.generator", got=spec.generator, fix=fix))
    return found


def _key_problems(spec: EndpointSpec, field: str) -> list[Problem]:
    """Return the fault of a key that was written where its variable's name belongs, without showing it."""
    if spec.api_key_env is None or VARIABLE.fullmatch(spec.api_key_env):
        return []
    fix = "name the variable, such as OPENAI_API_KEY; never write the key itself"
    return [Problem("SECRET_IN_CONFIG", "this is no name of an environment variable", field=field, fix=fix)]


def _url_problems(spec: EndpointSpec, field: str) -> list[Problem]:
    """Return what is wrong with an endpoint's address, without showing what may be a secret in it."""
    try:
        url = urlsplit(spec.base_url)
        host, secret = url.hostname, bool(url.username or url.password)
    except ValueError:
        return [Problem("BASE_URL", "this is no address", field=field, fix="write http://host:port/v1")]
    if url.scheme not in ("http", "https") or not url.netloc:
        bare = None if "@" in spec.base_url else spec.base_url
        fix = (
            f"write http://{bare} or https://{bare}" if bare and "://" not in bare else "begin with http:// or https://"
        )
        what = "the address has no scheme that can be called"
        return [Problem("BASE_URL", what, field=field, got=bare, fix=fix)]
    found: list[Problem] = []
    if not host:
        found.append(Problem("BASE_URL", "the address has no host", field=field, fix="write http://host:port/v1"))
    if secret:
        what, fix = "the address holds a user name or password", "remove it and set api_key_env"
        found.append(Problem("SECRET_IN_CONFIG", what, field=field, fix=fix))
    if host and not secret and (fault := address_fault(url)):
        # What a ? begins, or stands before an @, may be a secret.
        got = None if "@" in spec.base_url or url.query else spec.base_url
        fix = "write http://host:port/v1"
        found.append(Problem("BASE_URL", f"the address has {fault}", field=field, got=got, fix=fix))
    if url.query or url.fragment:
        found.append(Problem("BASE_URL", "the address must end in its path", field=field, fix="remove ? and #"))
    return found
