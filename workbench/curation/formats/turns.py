"""Turns of a chat as OpenAI, TRL and the Hub write them, to and from the plain form of `Turn`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from workbench.curation.formats.format import Fields, Notes, Unfit, shown_kind

ROLES = {"system": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
RENAMED = {"developer": "system", "function": "tool"}
"""Roles that are told under another name here; that is counted as a note."""
KNOWN = frozenset({"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal"})


def turn(role: str, content: str) -> Fields:
    """Return a plain turn."""
    return {"role": role, "content": content, "tool_calls": [], "tool_call_id": "", "name": "", "learnt": True}


def turns_of(messages: Any, field: str, notes: Notes) -> list[Fields]:
    """Return the turns of a list of `role` and `content`. Raises `Unfit`."""
    if type(messages) is not list:
        raise Unfit("FIELD_TYPE", "should be a list of messages", field, shown_kind(messages))
    found = []
    for at, message in enumerate(messages):
        if type(message) is dict and len(message) == 2:  # the usual one, quickly
            role, content = message.get("role"), message.get("content")
            if type(content) is str and type(role) is str and role in ROLES:
                found.append(turn(role, content))
                continue
        found.append(_turn(message, f"{field}[{at}]", notes))
    return found


def _turn(message: Any, field: str, notes: Notes) -> Fields:
    if type(message) is not dict:
        raise Unfit("FIELD_TYPE", "should be an object with role and content", field, shown_kind(message))
    if unknown := sorted(message.keys() - KNOWN):
        fix = f"known fields: {', '.join(sorted(KNOWN))}"
        raise Unfit("FIELD_UNKNOWN", "unknown field", f"{field}.{unknown[0]}", None, fix)
    given = message.get("role")
    role = ROLES.get(given) or RENAMED.get(given) if isinstance(given, str) else None
    if role is None:
        code = "FIELD_MISSING" if given is None else "FIELD_VALUE"
        raise Unfit(code, "a role is one of system, user, assistant, tool", f"{field}.role", shown_kind(given))
    if given in RENAMED:
        notes["ROLE_RENAMED"] += 1
    calls = _calls(message, role, field)
    made = turn(role, _content(message.get("content"), bool(calls), field))
    made["tool_calls"] = calls
    for name in ("tool_call_id", "name"):
        if message.get(name) is not None:
            made[name] = _text(message[name], f"{field}.{name}")
    made["learnt"] = _learnt(message.get("weight"), role, field)
    if message.get("refusal"):
        raise Unfit("FIELD_VALUE", "a refusal is no answer to learn", f"{field}.refusal", None, "put it into content")
    return made


def _content(content: Any, calls: bool, field: str) -> str:
    """Return the text of a message; parts of text are joined."""
    if content is None and calls:
        return ""
    if isinstance(content, list) and all(isinstance(p, dict) and p.get("type") == "text" for p in content):
        return "".join(_text(part.get("text"), f"{field}.content") for part in content)
    if isinstance(content, list):
        raise Unfit("FIELD_VALUE", "only text can be held", f"{field}.content", None, "leave images and sound out")
    if content is None:
        raise Unfit("FIELD_MISSING", "required field is missing", f"{field}.content")
    return _text(content, f"{field}.content")


def _learnt(weight: Any, role: str, field: str) -> bool:
    """Return whether a turn is learnt from; OpenAI's `weight` is 0 or 1 and stands at assistants' turns."""
    if weight is None:
        return True
    if role != "assistant" or type(weight) not in (int, float) or weight not in (0, 1):
        fix = "write 0 or 1, at assistants' turns only"
        raise Unfit("FIELD_VALUE", "a weight is 0 or 1", f"{field}.weight", shown_kind(weight), fix)
    return bool(weight)


def _calls(message: Fields, role: str, field: str) -> list[Fields]:
    """Return the tools that a turn asks for, in today's form or as `function_call`."""
    given = message.get("tool_calls") or []
    if old := message.get("function_call"):
        given = [{"function": old}]
    if given and role != "assistant":
        raise Unfit("FIELD_VALUE", "only an assistant calls tools", f"{field}.tool_calls", f"a {role}'s turn")
    if not isinstance(given, list):
        raise Unfit("FIELD_TYPE", "should be a list", f"{field}.tool_calls", shown_kind(given))
    return [call_of(one, f"{field}.tool_calls[{at}]") for at, one in enumerate(given)]


def call_of(call: Any, field: str) -> Fields:
    """Return a tool's call from OpenAI's form, or from a plain name with arguments. Raises `Unfit`."""
    inner = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        raise Unfit("FIELD_TYPE", "a call has a function with name and arguments", field, shown_kind(call))
    if not inner["name"]:
        raise Unfit("FIELD_VALUE", "the tool has no name", f"{field}.function.name")
    arguments = inner.get("arguments", {})
    id = call.get("id")
    return {
        "id": "" if id is None else _text(id, f"{field}.id"),
        "name": inner["name"],
        "arguments": arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode(),
    }


def tools_text(tools: Any, field: str = "tools") -> str:
    """Return the tools on offer as JSON text, empty where there are none. Raises `Unfit`."""
    if tools is None or tools == "":
        return ""
    try:
        parsed = orjson.loads(tools) if isinstance(tools, str) else tools
    except orjson.JSONDecodeError as exc:
        raise Unfit("FIELD_VALUE", f"the text is no JSON: {exc.msg}", field, fix="write a list of schemas") from exc
    if not isinstance(parsed, list):
        raise Unfit("FIELD_TYPE", "should be a list of schemas", field, shown_kind(parsed))
    if not parsed:
        return ""
    return tools if isinstance(tools, str) else orjson.dumps(parsed).decode()


def written(turns: Iterable[Fields], weights: bool = True) -> list[Fields]:
    """Return turns as OpenAI writes them, without what is empty. `weights`: turns that are not learnt are marked."""
    return [_written(one, weights) for one in turns]


def _written(one: Fields, weights: bool) -> Fields:
    made: Fields = {"role": one["role"], "content": one["content"]}
    for name in ("name", "tool_call_id"):
        if one[name]:
            made[name] = one[name]
    if one["tool_calls"]:
        made["tool_calls"] = [
            {"id": c["id"], "type": "function", "function": {"name": c["name"], "arguments": c["arguments"]}}
            for c in one["tool_calls"]
        ]
    if weights and one["role"] == "assistant" and not one["learnt"]:
        made["weight"] = 0
    return made


def plain(one: Fields, role: str | None = None) -> bool:
    """Return whether a turn is nothing but a text, and of this role."""
    bare = not (one["tool_calls"] or one["tool_call_id"] or one["name"]) and one["learnt"]
    return bare and role in (None, one["role"])


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise Unfit("FIELD_TYPE", "should be a text", field, shown_kind(value))
    return value
