"""Rubrics: Markdown for the judge under YAML front matter that names, versions and scales it.

```
---
name: correct
version: "1"
scale: binary            # or  scale: {ordinal: {min: 1, max: 3, labels: [wrong, partly right, right]}}
                         # with  better: lower  where the lowest step is the best, as of harm
---
Pass when the answer states the same fact as the reference …
```
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from workbench.errors import ConfigError, Problem
from workbench.nouns import Many, Noun
from workbench.reading.faults import code_of, fix_of, path_text, sentence, shown

MAX_FRONT_MATTER = 4_000
MAX_DEPTH = 10
UNION_TAGS = ("literal['binary']", "OrdinalScale")


class Ordinal(Noun):
    """Whole numbers, the best one last; first, where the rubric says `better: lower`."""

    min: int = Field(ge=-100, le=100)
    """The lowest verdict."""
    max: int = Field(ge=-100, le=100)
    """The highest verdict."""
    labels: Many[str] = ()
    """A word for each step, lowest first; empty: the numbers speak for themselves."""

    @model_validator(mode="after")
    def _steps(self) -> Ordinal:
        if not 1 <= self.max - self.min <= 100:
            raise ValueError(f"max must lie 1 to 100 above min, not {self.min} to {self.max}")
        if self.labels and len(self.labels) != self.max - self.min + 1:
            raise ValueError(f"{len(self.labels)} labels for {self.max - self.min + 1} steps")
        return self


class OrdinalScale(Noun):
    """A scale of more than two steps."""

    ordinal: Ordinal
    """Its ends and words."""


Scale = Literal["binary"] | OrdinalScale
"""`binary`: fail is 0, pass is 1. `ordinal`: the verdict's own number."""


class Rubric(Noun):
    """What a judge is told to look for."""

    name: str = Field(max_length=80, pattern=r"^[A-Za-z0-9_.\-]+$")
    """Name of the rubric, and of its metric where the scorer has no name of its own."""
    version: str = Field(min_length=1, max_length=40)
    """Bumped when the meaning changes; labels and verdicts of different versions are not pooled."""
    scale: Scale
    """The verdicts it knows."""
    better: Literal["higher", "lower"] = "higher"
    """Which direction is good. `lower` is for ordinal scales: a binary rubric's pass is good by its name."""
    body: str = Field(min_length=1)
    """The text for the judge, without the front matter."""

    @model_validator(mode="after")
    def _pass_is_good(self) -> Rubric:
        if self.scale == "binary" and self.better == "lower":
            raise ValueError("pass is good by its name: word the rubric so that a good answer passes, or use a scale")
        return self

    def hash(self) -> str:
        """Return 8 hex digits of SHA-256 over everything that the judge sees of the rubric."""
        seen = f"{self.body}\0{self.scale if isinstance(self.scale, str) else self.scale.model_dump_json()}"
        return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def parse_rubric(text: str, file: str) -> Rubric:
    """Return the rubric written in `text`; `file` is named in problems. Raises `ConfigError` with all of them."""
    front, body, body_line = _divide(text, file)
    fields, lines = _front_matter(front, file)
    if "body" in fields:
        raise ConfigError(
            Problem("FIELD_UNKNOWN", "unknown field", file, lines["body"], "body", None, "write it below ---")
        )
    if not body.strip():
        raise ConfigError(Problem("RUBRIC_EMPTY", "no text below the front matter", file, body_line))
    try:
        return Rubric.model_validate({**fields, "body": body.strip()})
    except ValidationError as exc:
        # pydantic reports both branches of the union; keep the one that the author meant.
        other = UNION_TAGS[0] if isinstance(fields.get("scale"), dict) else UNION_TAGS[1]
        raise ConfigError(_problem(e, lines, file) for e in exc.errors() if other not in e["loc"]) from exc


def _divide(text: str, file: str) -> tuple[str, str, int]:
    """Return front matter, body and the body's 1-based first line."""
    lines = text.split("\n")
    closing = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or closing is None:
        fix = "begin the file with ---, name, version, scale, ---"
        raise ConfigError(Problem("RUBRIC_FRONT_MATTER", "no YAML front matter", file, 1, "", lines[0], fix))
    front = "\n".join(lines[1:closing])
    if len(front) > MAX_FRONT_MATTER:
        message = f"front matter is longer than {MAX_FRONT_MATTER} characters"
        raise ConfigError(Problem("RUBRIC_FRONT_MATTER", message, file, 1))
    return front, "\n".join(lines[closing + 1 :]), closing + 2


def _front_matter(front: str, file: str) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the fields and the line of each; refuse aliases, tags, duplicates and anything but one mapping."""
    try:
        _no_alias_no_depth(front, file)
        node = yaml.compose(front, Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(Problem("RUBRIC_FRONT_MATTER", "front matter is not a mapping", file, 2, got=front))
        duplicates = _duplicates(node, file)
        if duplicates:
            raise ConfigError(duplicates)
        return yaml.safe_load(front), {str(key.value): key.start_mark.line + 2 for key, _ in node.value}
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 2 if exc.problem_mark else 2
        raise ConfigError(Problem("YAML_SYNTAX", exc.problem or "not YAML", file, line)) from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:  # bad characters, impossible dates, deep nesting
        raise ConfigError(Problem("YAML_SYNTAX", f"not YAML: {exc}".split("\n")[0], file, 2)) from exc


def _no_alias_no_depth(front: str, file: str) -> None:
    """Refuse what makes a few characters of YAML cost much time or memory, before anything is built from it."""
    depth = 0
    for event in yaml.parse(front, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 2 if event.start_mark else 2
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError(Problem("YAML_ALIAS", "aliases are not allowed", file, line, got=event.anchor))
        if depth > MAX_DEPTH:
            raise ConfigError(Problem("YAML_DEPTH", f"nested deeper than {MAX_DEPTH} levels", file, line))


def _duplicates(node: yaml.Node, file: str) -> list[Problem]:
    """Return a problem for each key that a mapping holds twice, at any depth; both parsers would keep the last."""
    found: list[Problem] = []
    if isinstance(node, yaml.SequenceNode):
        return [problem for child in node.value for problem in _duplicates(child, file)]
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                line = key.start_mark.line + 2
                found.append(Problem("DUPLICATE_KEY", "key is given twice", file, line, name, None, "keep one"))
            seen.add(name)
            found.extend(_duplicates(value, file))
    return found


def _problem(error: Any, lines: dict[str, int], file: str) -> Problem:
    """Turn a validator's finding into a problem with its line."""
    path = [part for part in error["loc"] if part not in UNION_TAGS]
    got, kind = error["input"], error["type"]
    fix = fix_of({**error, "loc": tuple(path)}, Rubric)
    if path in (["version"], ["name"]) and kind == "string_type":
        fix = "quote it: YAML reads it as something else than text"
    return Problem(
        code=code_of(kind),
        message=sentence(error),
        file=file,
        line=lines.get(str(path[0]), 2) if path else 2,
        field=path_text(path),
        got=None if kind in ("missing", "value_error") else shown(got),
        fix=fix,
    )
