from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from workbench.errors import ConfigError
from workbench.runs import ScoreFailure

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("answer", "value", "reason"),
    [
        ('{"name": "Rollo", "age": 3}', 1, ""),
        (' {"name": "Rollo"}\n', 1, ""),
        ('{"age": 3}', 0, "$: 'name' is a required property"),
        ('{"name": "rollo"}', 0, "$.name: 'rollo' does not match"),
        ('{"name": "R", "age": true}', 0, "$.age: True is not of type 'integer'"),
        ('{"name": "R", "x": 1}', 0, "Additional properties"),
        ('{"name": "R", "age": NaN}', 0, "not JSON: NaN"),
        ('{"name": "R", "age": 1e999}', 0, "not JSON: 1e999"),
        ('{"name": "R", "name": "S"}', 0, "'name' is given twice"),
        ("```json\n{}\n```", 0, "not JSON"),
        ('{"name": "R"} and more', 0, "not JSON: Extra data"),
        ("", 0, "not JSON"),
        ("[" * 100_000, 0, "not JSON: nested too deeply"),
        ("9" * 5_000, 0, "not JSON: a whole number of 5000 digits"),
        ('"\ud800"', 0, "$:"),
    ],
)
def test_an_answer_is_strict_json_that_obeys_the_schema_or_fails_with_the_place(
    spec, score, answer, value, reason
) -> None:
    got = score(spec("json_schema", definition=PERSON), answer)
    assert got.value == value
    assert reason in got.reason


def test_fenced_takes_the_one_block_whatever_stands_around_it(spec, score) -> None:
    scorer = spec("json_schema", definition=PERSON, extract="fenced")
    block = '```json\n{"name": "Rollo"}\n```'
    assert score(scorer, f"Here it is:\n{block}\nAnything else?").value == 1
    assert score(scorer, '{"name": "Rollo"}').reason == "0 fenced blocks in the answer, not one"
    assert score(scorer, block + "\n" + block).reason == "2 fenced blocks in the answer, not one"


def test_a_file_is_read_into_the_spec_so_that_a_saved_run_is_complete(spec, score, tmp_path) -> None:
    (tmp_path / "person.json").write_text(json.dumps(PERSON))
    resolved = spec("json_schema", file="person.json").resolve(tmp_path)
    again = spec(**resolved.model_dump(mode="json"))
    assert again == resolved
    assert score(again, '{"name": "Rollo"}').value == 1


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({"type": "strin"}, "is not valid under any"),
        ({"$ref": "https://example.com/person.json"}, "reference leaves the schema"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "reference leaves the schema"),
        ({"$ref": "#/$defs/nobody"}, "reference leads nowhere"),
        ({"pattern": "(?=a)"}, "RE2 refuses"),
        ({"patternProperties": {"(a+)+$": {}}}, "patternProperties is not supported"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "another draft"),
    ],
)
def test_a_schema_that_is_wrong_remote_or_unsafe_is_refused_when_it_is_loaded(
    spec, tmp_path, definition, message
) -> None:
    with pytest.raises(ConfigError, match=message):
        spec("json_schema", definition=definition).resolve(tmp_path)


@pytest.mark.parametrize(("text", "message"), [("{", "not JSON"), ("[]", "JSON object"), ('{"a":1,"a":2}', "twice")])
def test_a_schema_file_that_is_no_schema_is_refused_by_name(spec, tmp_path, text, message) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(ConfigError, match=f"s.json.*{message}"):
        spec("json_schema", file="s.json").resolve(tmp_path)


def test_a_remote_reference_is_never_fetched_even_when_nobody_checked(spec, score) -> None:
    got = score(spec("json_schema", definition={"$ref": "http://127.0.0.1:9/x"}), "{}")
    assert isinstance(got, ScoreFailure)
    assert got.kind == "scorer_error"


def test_a_schema_that_refers_to_itself_without_end_is_a_scorer_error(spec, score) -> None:
    got = score(spec("json_schema", definition={"$ref": "#"}), "{}")
    assert isinstance(got, ScoreFailure)
    assert got.kind == "scorer_error"


def test_a_pattern_that_blows_up_elsewhere_answers_here(spec, score) -> None:
    definition = {"type": "string", "pattern": "^(a+)+$"}
    assert score(spec("json_schema", definition=definition), json.dumps("a" * 20_000 + "!")).value == 0


def test_one_of_definition_and_file_is_needed(spec) -> None:
    with pytest.raises(ValidationError, match="give definition or file"):
        spec("json_schema")
