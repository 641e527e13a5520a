"""Labelling templates: built in, or the project's own."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.config.workbench_yaml import Workbench
from workbench.config.yaml_source import load_yaml
from workbench.errors import ConfigError, Problem
from workbench.failures.taxonomy import Taxonomy
from workbench.labelling.templates import MAX_GUIDELINES, Template, TemplateSpec

FILE = "template.yaml"
GUIDELINES = "guidelines.md"
BUILT_IN = Path(__file__).parents[1] / "labelling"


@dataclass(frozen=True)
class FoundTemplate:
    """Where a template lies."""

    name: str
    folder: Path
    own: bool
    """Whether it is the project's own."""


def load_template(bench: Workbench, name: str) -> Template:
    """Return a template by name; the project's own goes before one that is built in. Raises `ConfigError`."""
    known = {found.name: found for found in find_templates(bench)}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        fix = f"did you mean '{near[0]}'?" if near else f"templates: {', '.join(known)}"
        raise ConfigError(Problem("UNKNOWN_TEMPLATE", "no template has this name", got=repr(name), fix=fix))
    named = bench.config.labelling.taxonomy
    return read_template(known[name].folder, BUILT_IN / "taxonomy.yaml" if named is None else bench.path(named))


def find_templates(bench: Workbench) -> list[FoundTemplate]:
    """Return every template, the project's own first."""
    own = sorted(path.parent for path in bench.path(bench.config.labelling.templates).glob(f"*/{FILE}"))
    names = {folder.name for folder in own}
    built_in = sorted(path.parent for path in (BUILT_IN / "templates").glob(f"*/{FILE}"))
    return [
        *(FoundTemplate(folder.name, folder, True) for folder in own),
        *(FoundTemplate(folder.name, folder, False) for folder in built_in if folder.name not in names),
    ]


def read_template(folder: Path, taxonomy: Path, environment: Mapping[str, str] | None = None) -> Template:
    """Return the template of a folder. Raises `ConfigError` with the faults of all of its files."""
    problems: list[Problem] = []
    spec, modes, text = None, None, ""
    try:
        spec = load_yaml(folder / FILE, TemplateSpec, environment, lambda spec: _name_problems(spec, folder))
    except ConfigError as exc:
        problems += exc.problems
    try:
        modes = load_yaml(taxonomy, Taxonomy, environment)
    except ConfigError as exc:
        problems += exc.problems
    try:
        text = _guidelines(folder / GUIDELINES)
    except ConfigError as exc:
        problems += exc.problems
    if spec is None or modes is None or problems:
        raise ConfigError(problems)
    return Template(
        spec=spec, guidelines=text, taxonomy=tuple(m.option() for m in modes.modes), taxonomy_version=modes.version
    )


def _guidelines(file: Path) -> str:
    """Return the guidelines. Raises `ConfigError`."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError as exc:
        fix = "write down for annotators what each answer means, in Markdown"
        raise ConfigError(Problem("FILE_MISSING", "no such file", str(file), fix=fix)) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(Problem("NOT_UTF8", "invalid UTF-8", str(file), fix="save the file as UTF-8")) from exc
    if not text:
        raise ConfigError(Problem("NO_RECORDS", "the file is empty", str(file), fix="write what each answer means"))
    if len(text) > MAX_GUIDELINES:
        what = f"Argilla takes guidelines of {MAX_GUIDELINES:,} characters"
        raise ConfigError(Problem("FILE_TOO_LARGE", what, str(file), got=f"{len(text):,}", fix="shorten them"))
    return text


def _name_problems(spec: TemplateSpec, folder: Path) -> list[Problem]:
    if spec.name == folder.absolute().name:
        return []
    fix = "rename the folder or the template"
    return [Problem("TEMPLATE_NAME", "the name is not the folder's", field="name", got=spec.name, fix=fix)]
