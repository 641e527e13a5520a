"""ShareGPT: `conversations` of `from` and `value`; LLaMA-Factory's `function_call` and `observation`; its pairs."""

from __future__ import annotations

from typing import Any

import orjson

from workbench.curation.formats.format import Fields, Format, Notes, Unfit, shown_kind, thumb_of
from workbench.curation.formats.turns import call_of, plain, tools_text, turn
from workbench.curation.formats.usual import UsualChat

SPEAKERS = {"system": "system", "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant",
            "chatgpt": "assistant", "bing": "assistant", "bard": "assistant", "model": "assistant",
            "tool": "tool", "observation": "tool", "function_response": "tool"}  # fmt: skip
BACK = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def read(row: Fields, notes: Notes) -> Fields:
    """Return a conversation's fields."""
    found: Fields = {"messages": _turns(row.get("conversations"), "conversations")}
    if row.get("system"):
        found["messages"].insert(0, turn("system", _text(row["system"], "system")))
    if row.get("tools") is not None:
        found["tools"] = tools_text(row["tools"])
    if row.get("label") is not None:
        found["good"] = thumb_of(row["label"], "label")
    return found


def write(fields: Fields) -> Fields:
    """Return a row; a turn that both speaks and calls, or calls twice, has no form here."""
    row: Fields = {"conversations": [_said(one) for one in fields["messages"]]}
    row |= {"tools": fields["tools"]} if fields["tools"] else {}
    return row | ({} if fields["good"] is None else {"label": fields["good"]})


def read_pair(row: Fields, notes: Notes) -> Fields:
    """Return a pair's fields: LLaMA-Factory's ranking form."""
    found: Fields = {"prompt": _turns(row.get("conversations"), "conversations")}
    if row.get("system"):
        found["prompt"].insert(0, turn("system", _text(row["system"], "system")))
    for side in ("chosen", "rejected"):
        found[side] = {"messages": [_turn(row.get(side), side)]}
    if row.get("tools") is not None:
        found["tools"] = tools_text(row["tools"])
    return found


def write_pair(fields: Fields) -> Fields:
    """Return a row of the ranking form, whose answers are one turn each."""
    row: Fields = {"conversations": [_said(one) for one in fields["prompt"]]}
    for side in ("chosen", "rejected"):
        if len(fields[side]["messages"]) != 1:
            raise Unfit("CANNOT_HOLD", "an answer of several turns", side)
        row[side] = _said(fields[side]["messages"][0])
    return row | ({"tools": fields["tools"]} if fields["tools"] else {})


def _turns(messages: Any, field: str) -> list[Fields]:
    if type(messages) is not list:
        code = "FIELD_MISSING" if messages is None else "FIELD_TYPE"
        raise Unfit(code, "should be a list of from and value", field, shown_kind(messages))
    found = []
    for at, message in enumerate(messages):
        if type(message) is dict and len(message) == 2:
            said, role = message.get("value"), SPEAKERS.get(str(message.get("from")))
            if role is not None and type(said) is str:
                found.append(turn(role, said))
                continue
        found.append(_turn(message, f"{field}[{at}]"))
    return found


def _turn(message: Any, field: str) -> Fields:
    if not isinstance(message, dict):
        code = "FIELD_MISSING" if message is None else "FIELD_TYPE"
        raise Unfit(code, "should be an object with from and value", field, shown_kind(message))
    speaker, said = message.get("from"), _text(message.get("value"), f"{field}.value")
    if speaker == "function_call":
        return _calling(said, f"{field}.value")
    if speaker not in SPEAKERS:
        fix = f"one of: {', '.join([*SPEAKERS, 'function_call'])}"
        raise Unfit("FIELD_VALUE", "nobody known speaks", f"{field}.from", shown_kind(speaker), fix)
    weight = message.get("weight")
    if weight is not None and (type(weight) not in (int, float) or weight not in (0, 1)):
        raise Unfit("FIELD_VALUE", "a weight is 0 or 1", f"{field}.weight", shown_kind(weight))
    return turn(SPEAKERS[speaker], said) | {"learnt": weight != 0}


def _calling(said: str, field: str) -> Fields:
    """Return the turn of a `function_call`, whose value is the JSON of one call or of a list of them."""
    try:
        calls = orjson.loads(said)
    except orjson.JSONDecodeError as exc:
        fix = 'write {"name": …, "arguments": …}'
        raise Unfit("FIELD_VALUE", f"the call is no JSON: {exc.msg}", field, said, fix) from exc
    made = [call_of(call, field) for call in (calls if isinstance(calls, list) else [calls])]
    return turn("assistant", "") | {"tool_calls": made}


def _said(one: Fields) -> Fields:
    if one["tool_calls"] and not one["content"]:
        calls = [{"name": c["name"], "arguments": _parsed(c["arguments"])} for c in one["tool_calls"]]
        return {"from": "function_call", "value": orjson.dumps(calls if len(calls) > 1 else calls[0]).decode()}
    if not plain({**one, "learnt": True}):
        raise Unfit("CANNOT_HOLD", "a turn with both a text and calls, or with names", "messages")
    made = {"from": BACK[one["role"]], "value": one["content"]}
    return made if one["learnt"] else made | {"weight": 0}


def _parsed(arguments: str) -> Any:
    try:
        return orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return arguments


def _text(value: Any, field: str) -> str:
    if type(value) is not str:
        code = "FIELD_MISSING" if value is None else "FIELD_TYPE"
        raise Unfit(code, "should be a text", field, shown_kind(value))
    return value


def _spoken(row: Fields) -> bool:
    turns = row.get("conversations")
    return isinstance(turns, list) and bool(turns) and isinstance(turns[0], dict) and "from" in turns[0]


COLUMNS = frozenset({"conversations", "tools", "system"})
SHAREGPT = Format(
    "sharegpt", "conversations", "`conversations` with from and value",
    lambda row: _spoken(row) and not {"chosen", "messages"} & row.keys(), read, COLUMNS | {"label"}, write,
    usual=UsualChat("conversations", "from", "value", frozenset(SPEAKERS)),
)  # fmt: skip
SHAREGPT_PAIRS = Format(
    "sharegpt-pairs", "pairs", "`conversations` with from and value, `chosen` and `rejected`",
    lambda row: _spoken(row) and "chosen" in row, read_pair, COLUMNS | {"chosen", "rejected"}, write_pair,
)  # fmt: skip
