"""The JSON schema scorer: strict JSON that a schema of Draft 2020-12 accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import orjson
from pydantic import model_validator

from workbench.datasets import Sample
from workbench.errors import ConfigError, Problem
from workbench.models import Output
from workbench.nouns import canonical_bytes
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Scorer, Tools
from workbench.scoring.files import read_inside
from workbench.scoring.patterns import compiled, encodable
from workbench.scoring.strict_json import loads
from workbench.scoring.text import passed

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FENCED = re.compile(r"^```[ \t]*(?:json|JSON)?[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


class JsonSchema(Scorer):
    """1 if the answer is JSON that obeys a schema, else 0. NaN, Infinity and keys given twice are no JSON."""

    binary: ClassVar[bool] = True

    kind: Literal["json_schema"]
    definition: dict[str, Any] | None = None
    """The schema, Draft 2020-12, with references into itself only."""
    file: str | None = None
    """JSON file that holds it, relative to the evalset's folder; read into `definition` when the evalset is loaded."""
    extract: Literal["whole", "fenced"] = "whole"
    """`whole`: nothing but JSON. `fenced`: the one block fenced by three backticks, whatever stands around it."""

    @model_validator(mode="after")
    def _has_a_schema(self) -> JsonSchema:
        if self.definition is None and self.file is None:
            raise ValueError("give definition or file")
        return self

    def resolve(self, folder: Path) -> JsonSchema:
        """Return a copy that holds the schema, checked. Raises `ConfigError`."""
        definition, where = self.definition, ""
        if definition is None and self.file is not None:
            where = str(folder / self.file)
            definition = _parse(read_inside(folder, self.file, "file"), where)
        problems = list(schema_problems(definition or {}, where))
        if problems:
            raise ConfigError(problems)
        return self.model_copy(update={"definition": definition})

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Read and validate; the reason names the first fault and where in the answer it lies."""
        if self.definition is None:
            raise ConfigError(Problem("SCHEMA_NOT_LOADED", "schema is not loaded", field="file", got=self.file))
        text = output.text
        if self.extract == "fenced":
            blocks = FENCED.findall(text)
            if len(blocks) != 1:
                return passed(False, f"{len(blocks)} fenced blocks in the answer, not one")
            text = blocks[0]
        try:
            value = loads(text)
        except ValueError as exc:
            return passed(False, f"not JSON: {exc}"[:300])
        return _validated(value, self.definition)


def schema_problems(definition: dict[str, Any], file: str = "") -> Iterator[Problem]:
    """Yield what is wrong with a schema: invalid, of another draft, with remote references or unsafe patterns."""
    from jsonschema import Draft202012Validator, SchemaError

    if definition.get("$schema", DRAFT).rstrip("#") != DRAFT:
        yield Problem(
            "SCHEMA_DRAFT", "schema of another draft", file, None, "$schema", definition["$schema"], "use 2020-12"
        )
    try:
        Draft202012Validator.check_schema(definition)
    except SchemaError as exc:
        yield Problem(
            "SCHEMA_INVALID", exc.message[:300], file, None, "/".join(map(str, exc.absolute_path)) or "schema"
        )
    for key, value in _walk(definition):
        if key in ("$ref", "$dynamicRef") and isinstance(value, str):
            yield from _reference_problems(definition, key, value, file)
        if key == "patternProperties" and isinstance(value, dict):
            yield Problem(
                "SCHEMA_PATTERN", "patternProperties is not supported", file, None, key, None, "use propertyNames"
            )
        if key == "pattern" and isinstance(value, str):
            try:
                compiled(value)
            except ValueError as exc:
                yield Problem("SCHEMA_PATTERN", str(exc), file, None, key, value)


def _reference_problems(definition: dict[str, Any], key: str, reference: str, file: str) -> Iterator[Problem]:
    """Yield what is wrong with one reference: it leaves the schema, or leads nowhere."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    if not reference.startswith("#"):
        yield Problem("SCHEMA_REFERENCE", "reference leaves the schema", file, None, key, reference, "put it in $defs")
        return
    try:
        Registry().resolver_with_root(DRAFT202012.create_resource(definition)).lookup(reference)
    except Unresolvable:
        yield Problem("SCHEMA_REFERENCE", "reference leads nowhere", file, None, key, reference, "put it in $defs")


def _walk(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key with its value, at any depth."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)


def _parse(text: str, file: str) -> dict[str, Any]:
    """Return the schema in a file's text."""
    try:
        definition = loads(text)
    except ValueError as exc:
        raise ConfigError(Problem("JSON_SYNTAX", f"not JSON: {exc}", file)) from exc
    if not isinstance(definition, dict):
        raise ConfigError(Problem("SCHEMA_INVALID", "a schema is a JSON object", file, None, "", text))
    return definition


def _validated(value: Any, definition: dict[str, Any]) -> Score | ScoreFailure:
    """Return the score of a JSON value."""
    from referencing.exceptions import Unresolvable

    try:
        error = next(iter(_validator(canonical_bytes(definition)).iter_errors(value)), None)
    except (RecursionError, OverflowError, Unresolvable) as exc:  # an endless schema; multipleOf of huge numbers
        return ScoreFailure(kind="scorer_error", message=f"the schema cannot be applied: {type(exc).__name__}: {exc}")
    if error is None:
        return passed(True)
    return passed(False, f"{error.json_path[:100]}: {error.message[:200]}")


@lru_cache(maxsize=64)
def _validator(definition: bytes) -> Any:
    """Return a validator that fetches nothing and matches patterns by RE2."""
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend
    from referencing import Registry

    def pattern(validator: Any, wanted: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, str) and not compiled(wanted).search(encodable(instance)):
            yield ValidationError(f"{instance[:80]!r} does not match {wanted!r}")

    by_re2 = extend(Draft202012Validator, {"pattern": pattern})  # type: ignore[no-untyped-call]
    return by_re2(orjson.loads(definition), registry=Registry())
