"""What can be wrong with a file or a row, how grave it is, and how a validator's findings are told."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from workbench.errors import Problem

Gravity = Literal["reject", "set aside", "note"]
"""`reject`: the file is refused · `set aside`: the row is, up to the share the evalset allows · `note`: counted."""

NOTES = frozenset({"BLANK_LINE", "HIDDEN_CHARACTER", "LONE_SURROGATE", "FUTURE_TIME"})
SET_ASIDE = frozenset(
    {
        "NOT_UTF8",
        "NUL_CHARACTER",
        "TRUNCATED_LINE",
        "JSON_SYNTAX",
        "NOT_AN_OBJECT",
        "BIG_INTEGER",
        "CSV_RAGGED",
        "FIELD_MISSING",
        "FIELD_TYPE",
        "FIELD_UNKNOWN",
        "FIELD_VALUE",
        "PROMPT_EMPTY",
        "LABEL_VALUE",
        "LABEL_SCALE",
        "UNKNOWN_QUESTION",
        "PROMPT_MISMATCH",
        "CONTRADICTION",
        "PASSAGE_UNKNOWN",
    }
)


def gravity(problem: Problem) -> Gravity:
    """Return what a problem of a row does to the file; whatever is not listed above rejects it."""
    if problem.code in NOTES:
        return "note"
    return "set aside" if problem.code in SET_ASIDE else "reject"


def told(exc: ValidationError, noun: type[BaseModel], file: str, line: int) -> list[Problem]:
    """Return one problem for each finding of the validator in a row."""
    return [_row_problem(error, noun, file, line) for error in findings(exc)]


def findings(exc: ValidationError) -> list[Any]:
    """Return the validator's findings, without "too short" of a list that is so only because its members are wrong."""
    errors = exc.errors(include_url=False)
    return [e for e in errors if e["type"] != "too_short" or not any(_within(o["loc"], e["loc"]) for o in errors)]


def _within(loc: Sequence[str | int], around: Sequence[str | int]) -> bool:
    return len(loc) > len(around) and loc[: len(around)] == around


def _row_problem(error: Any, noun: type[BaseModel], file: str, line: int) -> Problem:
    loc, kind, value = error["loc"], error["type"], error["input"]
    field = path_text(loc)
    if loc == ("id",) and kind == "string_type" and isinstance(value, int | float):
        fix = f'write "{value}": 1 and "1" would be taken for one sample'
        return Problem("ID_NOT_TEXT", "an id must be text", file, line, field, repr(value), fix)
    if kind == "value_error" and "prompt is empty" in error["msg"]:
        fix = "write the question into it"
        return Problem("PROMPT_EMPTY", sentence(error), file, line, field, None, fix)
    got = None if kind in ("missing", "value_error") else shown(value)
    return Problem(code_of(kind), sentence(error), file, line, field, got, fix_of(error, noun))


def code_of(kind: str) -> str:
    """Return the fault's code from the validator's error type."""
    if kind == "missing":
        return "FIELD_MISSING"
    if kind == "extra_forbidden":
        return "FIELD_UNKNOWN"
    return "FIELD_TYPE" if kind.endswith("_type") else "FIELD_VALUE"


def sentence(error: Any) -> str:
    """Return the validator's message in this project's words."""
    if error["type"] == "missing":
        return "required field is missing"
    if error["type"] == "extra_forbidden":
        return "unknown field"
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should", "should").replace("tuple", "list")
    return message.replace("Tuple", "List")


def fix_of(error: Any, noun: type[BaseModel]) -> str:
    """Return what to do, where it can be told: the nearest known field for an unknown one."""
    if error["type"] != "extra_forbidden":
        return ""
    name = str(error["loc"][-1])
    known = fields_at(noun, error["loc"][:-1])
    if (ours := ELSEWHERE.get(name.lower())) and ours.partition(":")[0] in known:
        return f"write `{ours}`"
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"known fields: {', '.join(known)}"


ELSEWHERE = {
    **dict.fromkeys(
        ("prompt", "question", "input", "instruction", "query"), 'messages: [{"role": "user", "content": "…"}]'
    ),
    **dict.fromkeys(("answer", "expected", "expected_output", "ideal", "target", "label"), 'references: ["…"]'),
    **dict.fromkeys(("context", "passages", "documents"), 'contexts: [{"id": "…", "text": "…"}]'),
}
"""How fields are written here that other tools, and other files, call by these names."""


def path_text(loc: Sequence[str | int]) -> str:
    """Return a location such as `messages[0].role`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shown(value: Any) -> str:
    """Return a value for a message: scalars as they are, containers by kind and size."""
    if isinstance(value, dict | list | tuple):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if value is None or isinstance(value, bool):  # not by a dict of the three: 1 and 0 would be found in it
        return {True: "true", False: "false", None: "null"}[value]
    return repr(value)


def fields_at(noun: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the field names a noun knows at a location, from its JSON Schema; empty where any name may stand."""
    schema = noun.model_json_schema()
    places = [schema]
    for part in loc:
        places = [inner for place in places for inner in _inside(place, part, schema)]
    found = [name for place in places for flat in _flat(place, schema) for name in flat.get("properties", {})]
    return sorted(set(found))


def _inside(place: dict[str, Any], part: str | int, root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schemas below `part`; a union's tag, which the validator puts into the location, chooses its member."""
    if "$ref" in place:
        place = root["$defs"][place["$ref"].rsplit("/", 1)[1]]
    mapping = place.get("discriminator", {}).get("mapping", {})
    if part in mapping:
        yield {"$ref": mapping[part]}
        return
    for flat in _flat(place, root):
        if isinstance(part, int):
            if isinstance(flat.get("items"), dict):
                yield flat["items"]
        elif part in flat.get("properties", {}):
            yield flat["properties"][part]
        else:
            yield from flat.get("patternProperties", {}).values()
            if isinstance(flat.get("additionalProperties"), dict):
                yield flat["additionalProperties"]


def _flat(place: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a schema with references and unions resolved."""
    if "$ref" in place:
        yield from _flat(root["$defs"][place["$ref"].rsplit("/", 1)[1]], root)
    elif members := place.get("anyOf") or place.get("oneOf"):
        for member in members:
            yield from _flat(member, root)
    else:
        yield place
