"""From YAML nodes to plain data, keeping for each value the node it came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from workbench.errors import ConfigError, Problem

MAX_NODES = 20_000
"""Nodes that a file may have once its aliases are written out."""
MAX_ALIASED_DEPTH = 100

Path = tuple[str | int, ...]

TAGS = {
    f"tag:yaml.org,2002:{name}": name for name in ("null", "bool", "int", "float", "str", "map", "seq", "timestamp")
}
SCIENTIFIC = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")
PLAIN_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
SECRET_FIELD = re.compile(r"(^|_)(key|secret|password|token|credential)s?(_env)?$", re.IGNORECASE)


@dataclass
class Built:
    """Plain data, where each part of it stands, and what is wrong with it so far."""

    data: Any = None
    nodes: dict[Path, yaml.Node] = field(default_factory=dict)
    """Node of each value by its path."""
    keys: dict[Path, yaml.Node] = field(default_factory=dict)
    """Node of each key by the path of its value."""
    problems: list[Problem] = field(default_factory=list)
    from_environment: set[Path] = field(default_factory=set)
    """Paths whose value came from a variable and is never shown."""


def build(root: yaml.Node, file: str, environment: Mapping[str, str]) -> Built:
    """Return the data of a document. What cannot be taken is a problem and stands as `None` in the data.

    Raises `ConfigError` for an alias bomb.
    """
    builder = _Builder(Built(), file, environment)
    if _size(root, {}, 0) > MAX_NODES:
        what = f"aliases unfold to more than {MAX_NODES:,} values"
        raise ConfigError(Problem("YAML_ALIASES", what, file, fix="write the values out, or use fewer aliases"))
    builder.built.data = builder.value(root, ())
    return builder.built


def path_text(path: Path) -> str:
    """Return a path such as `scorers[0].name`."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" if i else p for i, p in enumerate(path))


def _size(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """Count the values under a node with aliases written out, without writing them out; a loop counts as endless."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if depth > MAX_ALIASED_DEPTH:
        return MAX_NODES + 1
    if id(node) not in known:
        known[id(node)] = MAX_NODES + 1  # met again while it is being counted: it holds itself
        parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        total = 1
        for part in parts:
            total += _size(part, known, depth + 1)
            if total > MAX_NODES:
                break
        known[id(node)] = min(total, MAX_NODES + 1)
    return known[id(node)]


@dataclass
class _Builder:
    built: Built
    file: str
    environment: Mapping[str, str]

    def wrong(self, code: str, what: str, node: yaml.Node, path: Path, got: str | None = None, fix: str = "") -> None:
        line = node.start_mark.line + 1
        self.built.problems.append(Problem(code, what, self.file, line, path_text(path), got, fix))

    def value(self, node: yaml.Node, path: Path) -> Any:
        """Return a node's data."""
        self.built.nodes[path] = node
        name = TAGS.get(node.tag)
        if name is None:
            fix = "remove the tag" if node.tag != "tag:yaml.org,2002:merge" else "write the keys out"
            self.wrong("YAML_TAG", "YAML tags are not allowed", node, path, node.tag, fix)
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        return self.scalar(node, name, path) if isinstance(node, yaml.ScalarNode) else None

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        """Return a mapping; every key is text and stands once."""
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = self.key(key, path)
            if name is None:
                continue
            here = (*path, name)
            if name in found:
                before = self.built.keys[here].start_mark.line + 1
                what = f"the key stands twice; first on line {before}"
                self.wrong("DUPLICATE_KEY", what, key, here, repr(name), "keep one of them")
                continue
            self.built.keys[here] = key
            found[name] = self.value(value, here)
        return found

    def key(self, key: yaml.Node, path: Path) -> str | None:
        if isinstance(key, yaml.ScalarNode) and key.tag == "tag:yaml.org,2002:str":
            return str(key.value)
        if isinstance(key, yaml.ScalarNode) and key.tag == "tag:yaml.org,2002:merge":
            self.wrong("YAML_TAG", "merge keys are not allowed", key, path, "<<", "write the keys out")
        elif isinstance(key, yaml.ScalarNode) and key.tag in TAGS:
            fix = f'quote it: "{key.value}"'
            self.wrong("YAML_QUOTE", f"YAML takes this key for a {TAGS[key.tag]}", key, path, key.value, fix)
        else:
            self.wrong("YAML_TAG", "a key must be plain text", key, path, None, "write `name: value`")
        return None

    def scalar(self, node: yaml.ScalarNode, name: str, path: Path) -> Any:
        text = node.value
        if name == "null":
            return None
        if name == "bool":
            return text.lower() in ("yes", "true", "on")
        if name == "int":
            return int(text) if PLAIN_INT.fullmatch(text) and len(text) <= 19 else self.odd_number(node, path)
        if name == "float":
            return self.odd_number(node, path) if ":" in text or "_" in text else _float(text)
        if node.style is None and SCIENTIFIC.fullmatch(text):  # YAML 1.1 wants 1.0e-3 and takes 1e-3 for text
            return float(text)
        return self.text(node, text, path)

    def odd_number(self, node: yaml.ScalarNode, path: Path) -> None:
        """Refuse what YAML 1.1 reads as a number of base 60, 8 or 16, or with underscores."""
        fix = f'quote it: "{node.value}", or write a plain decimal number'
        self.wrong("YAML_QUOTE", "YAML takes this for a number in another notation", node, path, node.value, fix)

    def text(self, node: yaml.Node, text: str, path: Path) -> str | None:
        """Return a text; one that is `${VAR}` as a whole is looked up, `$${` stands for `${`."""
        match = REFERENCE.fullmatch(text)
        if match is None:
            if "${" in text.replace("$${", ""):
                fix = "make the whole value ${VAR}, or write $${ for a literal ${"
                self.wrong("ENV_PARTIAL", "a ${VAR} reference within a longer text", node, path, None, fix)
            return text.replace("$${", "${")
        variable = match[1]
        if path and isinstance(path[-1], str) and SECRET_FIELD.search(path[-1]):
            fix = f"write {variable} without ${{}}: this field names the variable, it does not hold the secret"
            self.wrong("ENV_SECRET", "a secret would be read into the configuration", node, path, variable, fix)
            return None
        self.built.from_environment.add(path)
        if variable not in self.environment:
            fix = f"export {variable}=…, or write the value"
            self.wrong("ENV_UNSET", "the environment variable is not set", node, path, variable, fix)
            return None
        return self.environment[variable]


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
