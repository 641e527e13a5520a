"""Strict YAML with positions: every fault at once, each with file, line and field.

PyYAML's composer parses; this module refuses what would change its meaning in silence: duplicate keys, tags, many
documents, alias bombs, unquoted words that YAML takes for something else, and unset `${VAR}` references.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from workbench.config.yaml_nodes import Built, build, path_text
from workbench.config.yaml_told import told
from workbench.errors import ConfigError, Problem

T = TypeVar("T", bound=BaseModel)

MAX_BYTES = 1024 * 1024
"""Size of the largest configuration file."""


def load_yaml(
    path: Path,
    noun: type[T],
    environment: Mapping[str, str] | None = None,
    check: Callable[[T], list[Problem]] = lambda value: [],
) -> T:
    """Return the file as a noun. Raises `ConfigError` with all of its faults.

    `environment` answers `${VAR}` references; the process's own is used when it is left out. `check` finds what the
    noun by itself cannot know; its problems name fields, and are given the file and line here.
    """
    file = str(path)
    built = build(_composed(_text(path), file), file, os.environ if environment is None else environment)
    try:
        value = noun.model_validate(built.data)
    except ValidationError as exc:
        raise ConfigError(_in_order(built, told(exc, noun, built, file))) from exc
    problems = _in_order(built, [_placed(problem, built, file) for problem in check(value)])
    if problems:
        raise ConfigError(problems)
    return value


def _placed(problem: Problem, built: Built, file: str) -> Problem:
    """Give a problem that names only a field its file and line: the field's, or that of the nearest part around it."""
    if problem.file:
        return problem
    lines = {path_text(path): node.start_mark.line + 1 for path, node in built.nodes.items()}
    around = [text for text in lines if text == problem.field or problem.field.startswith((f"{text}.", f"{text}["))]
    return replace(problem, file=file, line=lines[max(around, key=len, default="")])


def _in_order(built: Built, found: list[Problem]) -> list[Problem]:
    """Return all problems by line; a field that is already complained of is not complained of twice."""
    named = {(p.line, p.field) for p in built.problems}
    return sorted([*built.problems, *(p for p in found if (p.line, p.field) not in named)], key=lambda p: p.line or 0)


def _text(path: Path) -> str:
    """Return the file's text. Raises `ConfigError`."""
    file = str(path)
    try:
        with path.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except FileNotFoundError as exc:
        raise ConfigError(Problem("FILE_MISSING", "no such file", file, fix="check the path")) from exc
    except IsADirectoryError as exc:
        raise ConfigError(Problem("FILE_IS_FOLDER", "this is a folder, not a file", file, fix="name the file")) from exc
    except OSError as exc:
        what = f"the file cannot be read: {exc.strerror}"
        raise ConfigError(Problem("FILE_UNREADABLE", what, file, fix="check its permissions")) from exc
    if len(raw) > MAX_BYTES:
        raise ConfigError(
            Problem("FILE_TOO_LARGE", f"the file is larger than {MAX_BYTES:,} bytes", file, fix="shorten it")
        )
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ConfigError(Problem("WRONG_ENCODING", "this is UTF-16 text, not UTF-8", file, fix="save it as UTF-8"))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        got = f"byte 0x{raw[exc.start]:02x}"
        raise ConfigError(Problem("NOT_UTF8", "invalid UTF-8", file, line, "", got, "save the file as UTF-8")) from exc


def _composed(text: str, file: str) -> yaml.MappingNode:
    """Return the one document of the file as a node tree. Raises `ConfigError`."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
    except RecursionError as exc:
        raise ConfigError(Problem("TOO_DEEP", "nested too deeply", file, fix="flatten it")) from exc
    except yaml.MarkedYAMLError as exc:
        raise ConfigError(_syntax(exc, text, file)) from exc
    except yaml.YAMLError as exc:  # a character that YAML forbids, such as NUL
        fix = "remove the character"
        raise ConfigError(Problem("YAML_SYNTAX", f"not YAML: {str(exc).splitlines()[0]}", file, fix=fix)) from exc
    if node is None:
        raise ConfigError(Problem("NO_RECORDS", "the file is empty", file, fix="see docs/configuration.md"))
    if not isinstance(node, yaml.MappingNode):
        what = "the file must be a mapping of `key: value`"
        raise ConfigError(Problem("YAML_SYNTAX", what, file, node.start_mark.line + 1, fix="see docs/configuration.md"))
    return node


def _syntax(exc: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark = exc.problem_mark or exc.context_mark
    line = mark.line + 1 if mark else None
    what = exc.problem or exc.context or "unreadable"
    if mark and "\t" in text.split("\n")[mark.line][: mark.column + 1]:
        return Problem("YAML_TAB", "a tab where YAML wants spaces", file, line, fix="indent with spaces")
    if "another document" in what:
        return Problem("YAML_DOCUMENTS", "a second document (`---`)", file, line, fix="keep one document in a file")
    if "undefined alias" in what:
        return Problem("YAML_SYNTAX", f"not YAML: {what}", file, line, fix="define the anchor before it is used")
    column = f" at column {mark.column + 1}" if mark else ""
    return Problem("YAML_SYNTAX", f"not YAML{column}: {what}", file, line, fix="mend the line")
