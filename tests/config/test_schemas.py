"""The JSON Schemas that editors use are those of the code, and agree with the loader."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from workbench.config.schemas import schema_texts, write_schemas

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("name", schema_texts())
def test_the_committed_schema_is_fresh(name: str) -> None:
    assert (SCHEMAS / name).read_bytes() == schema_texts()[name], "run: python -m workbench.config.schemas"


@pytest.mark.parametrize("name", schema_texts())
def test_the_schema_is_a_valid_schema_with_a_line_for_every_field(name: str, tmp_path: Path) -> None:
    write_schemas(tmp_path)
    schema = json.loads((tmp_path / name).read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert [field for field, told in schema["properties"].items() if not told.get("description")] == []


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    schema = json.loads(schema_texts()["workbench.schema.json"])
    validator = jsonschema.Draft202012Validator(schema)
    good = {"candidate": "a", "models": {"a": {"kind": "scripted"}}}
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "candidat": "a"})
    assert not validator.is_valid({**good, "models": {"a": {"kind": "scriptd"}}})
