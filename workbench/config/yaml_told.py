"""Tell a validator's findings by their place in the YAML file."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from workbench.config.yaml_nodes import TAGS, Built, Path, path_text
from workbench.errors import Problem
from workbench.reading.faults import code_of, findings, fix_of, sentence, shown

TAKEN_FOR = {"bool": "true or false", "int": "a number", "float": "a number", "null": "nothing"}


def told(exc: ValidationError, noun: type[BaseModel], built: Built, file: str) -> list[Problem]:
    """Return one problem for each finding, except those about values that were refused before."""
    refused = {p.field for p in built.problems}
    found = [_problem(error, noun, built, file) for error in findings(exc)]
    return [p for p in found if p.field not in refused]


def _problem(error: Any, noun: type[BaseModel], built: Built, file: str) -> Problem:
    path = _path(error["loc"], built)
    kind, field = error["type"], path_text(path)
    node = built.nodes.get(path)
    if kind == "missing":
        parent = built.nodes[path[:-1]]
        got = None
        line = parent.start_mark.line + 1
        return Problem("FIELD_MISSING", "required field is missing", file, line, field, got, f"add `{path[-1]}: …`")
    place = built.keys.get(path) if kind == "extra_forbidden" else node
    line = (place or node or built.nodes[()]).start_mark.line + 1
    if kind == "extra_forbidden":
        return Problem("FIELD_UNKNOWN", "unknown key", file, line, field, None, fix_of(error, noun))
    if kind == "union_tag_not_found":
        known = error["ctx"]["discriminator"].strip("'")
        return Problem("FIELD_MISSING", f"`{known}` is missing", file, line, field, None, f"add `{known}: …`")
    if hint := _unquoted(kind, node):
        what, fix = hint
        return Problem("YAML_QUOTE", what, file, line, field, str(node.value) if node else None, fix)
    secret = path in built.from_environment or kind == "value_error"
    return Problem(code_of(kind), _sentence(error), file, line, field, None if secret else shown(error["input"]))


def _sentence(error: Any) -> str:
    if error["type"] == "union_tag_invalid":
        return f"unknown kind '{error['ctx']['tag']}'; one of {error['ctx']['expected_tags']}"
    return sentence(error)


def _unquoted(kind: str, node: yaml.Node | None) -> tuple[str, str] | None:
    """Return message and fix where an unquoted word became something else than the text that was meant."""
    wants_text = kind in ("string_type", "literal_error")
    if not wants_text or not isinstance(node, yaml.ScalarNode) or node.style is not None or not node.value:
        return None
    name = TAGS.get(node.tag, "")
    if name not in TAKEN_FOR and not node.value[:1].isdigit():
        return None
    taken = TAKEN_FOR.get(name, "a number")
    return f"YAML takes {node.value} for {taken}, text is wanted", f'quote it: "{node.value}"'


def _path(loc: tuple[str | int, ...], built: Built) -> Path:
    """Return the place in the file that a validator's location means: the tags of unions are left out."""
    path: Path = ()
    for at, part in enumerate(loc):
        if (*path, part) in built.nodes:
            path = (*path, part)
        elif at == len(loc) - 1 and not _is_tag(part, path, built):
            return (*path, part)
    return path


def _is_tag(part: str | int, path: Path, built: Built) -> bool:
    node = built.nodes.get((*path, "kind"))
    return isinstance(node, yaml.ScalarNode) and node.value == part
