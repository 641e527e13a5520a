"""From a row of a file to the complete plain form of a noun: read by its format, named, tagged, checked.

The check is pydantic's, as for every noun. Rows that are surely right are told by a few comparisons instead, which take
a fifth of the time; a test holds that they accept nothing that pydantic would refuse or change. Usual rows of a shape
that came before are read quicker still, by what became of the first one: see `stencils.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ValidationError

from workbench.curation.formats.format import OURS, Dropped, Fields, Format, Kind, Notes, Unfit, shown_kind
from workbench.datasets import Conversation, PreferencePair, Sample, family_of_texts
from workbench.errors import Problem
from workbench.nouns import canonical_bytes
from workbench.reading.faults import told
from workbench.records import Record, Turn

NOUNS: dict[Kind, type[BaseModel]] = {
    "conversations": Conversation, "pairs": PreferencePair, "samples": Sample, "records": Record,
}  # fmt: skip
MEMBERS: dict[Kind, frozenset[str]] = {kind: frozenset(noun.model_fields) for kind, noun in NOUNS.items()}
NAMES = frozenset({"id", "group", "group_id", "tags", OURS})
"""Columns that mean the same in every format."""
ONLY_ID = {"id"}
LONG_TAG = 200
"""Characters of the longest text that becomes a tag."""
LINEAGE: Fields = {"sources": [], "annotators": [], "recipe": "", "synthetic": False}
ROLES = frozenset({"system", "user", "assistant", "tool"})


@dataclass(frozen=True)
class Recipe:
    """How rows are read."""

    format: Format
    new_ids: bool = False
    """Name rows by their content; their own ids become the tag `source_id`."""
    synthetic: bool = False
    """Whether a model wrote the rows."""
    corpus: dict[str, str] | None = None
    """Text of each document by its id, for questions that name theirs."""
    tables: bool = False
    """Whether the rows come from a table of texts, whose empty cells are left out."""


class Understood(NamedTuple):
    """A row in full."""

    fields: Fields
    """The noun's plain form, every field of it."""
    family: str
    """Its prompt family."""
    labels: Sequence[Fields] = ()
    """What people said of a record."""
    named: bytes = b""
    """Canonical JSON of what its id is made from, where it came without one."""


def understood(row: Fields, recipe: Recipe, notes: Notes) -> list[Understood]:
    """Return what a row says: one noun, or of a trace several. Raises `Unfit`, `Dropped`, `ValidationError`."""
    own = _own(row)
    found = recipe.format.read(row, notes)
    if type(found) is list:
        return [_complete(one, row, own, recipe, notes) for one in found]
    return [_complete(found, row, own, recipe, notes)]  # type: ignore[arg-type]  # a dict, as it is no list


def problems_of(exc: Unfit | ValidationError, kind: Kind, file: str, line: int) -> list[Problem]:
    """Return why a row cannot be used."""
    if isinstance(exc, ValidationError):
        return told(exc, NOUNS[kind], file, line)
    return [Problem(exc.code, exc.message, file, line, exc.field, exc.got, exc.fix)]


def content_name(content: bytes) -> str:
    """Return the id of a row that came without one, from canonical JSON of what it says."""
    return f"row-{hashlib.sha256(content).hexdigest()[:16]}"


def _own(row: Fields) -> Fields:
    """Return what an export kept beside the format's own columns."""
    text = row.get(OURS)
    if text is None:
        return {}
    try:
        own = orjson.loads(text) if isinstance(text, str) else text
    except orjson.JSONDecodeError as exc:
        raise Unfit("FIELD_VALUE", f"the text is no JSON: {exc.msg}", OURS, fix="leave the column out") from exc
    if not isinstance(own, dict):
        raise Unfit("FIELD_TYPE", "should be an object", OURS, shown_kind(own), "leave the column out")
    return own


def _complete(found: Fields, row: Fields, own: Fields, recipe: Recipe, notes: Notes) -> Understood:
    """Fill in what the format did not say, name the row, and check it."""
    kind = recipe.format.kind
    labels = found.pop("labels", ())
    more = row.keys() - recipe.format.columns
    if more == ONLY_ID and not own and not recipe.new_ids and "id" not in found:
        found["id"] = row["id"]  # the usual case, quickly
    elif own or recipe.new_ids or more:
        _common(found, row, own, recipe, notes)
    if recipe.corpus is not None:
        _look_up(found, recipe.corpus)
    fields = {**DEFAULTS[kind](), **found}
    if kind == "pairs":
        sides = {s: {"model": "", **fields[s]} for s in ("chosen", "rejected") if type(fields.get(s)) is dict}
        if len(sides) == 2 and sides["chosen"].get("messages") == sides["rejected"].get("messages"):
            raise Dropped("SAME_SIDES")
        fields |= sides
    if recipe.synthetic and "lineage" in fields:
        fields["lineage"] = {**fields["lineage"], "synthetic": True}
    if "lineage" in fields and not fields["lineage"]["recipe"]:
        fields["lineage"] = {**fields["lineage"], "recipe": f"import {recipe.format.name}"}
    named = b""
    if fields["id"] == "":
        named = canonical_bytes({**fields, "tags": {}, "lineage": LINEAGE})
        fields["id"] = content_name(named)
    if kind == "records" and not fields["group"]:
        fields["group"] = family_of_texts(prompts_of(kind, fields))
    if kind == "pairs":
        fields = {**UNNAMED, **fields}
    if not SURELY[kind](fields):
        fields = NOUNS[kind].model_validate(fields).model_dump(mode="json")
    return Understood(fields, fields["group"] or family_of_texts(prompts_of(kind, fields)), labels, named)


def _common(found: Fields, row: Fields, own: Fields, recipe: Recipe, notes: Notes) -> None:
    """Take over id, group and tags, and whatever short columns the format does not know."""
    tags: dict[str, Any] = dict(found.get("tags", {}))
    for name in sorted(row.keys() - recipe.format.columns - NAMES):  # of `a` and `tags.a` always the same one stays
        value = row[name]
        if isinstance(value, str | int | float) and len(str(value)) <= LONG_TAG:
            tags[name.removeprefix("tags.")] = spelled(value)
        elif value is not None:
            notes[f"LEFT_OUT {name}"] += 1
    if isinstance(row.get("tags"), dict) and "tags" not in found:
        tags |= {name: spelled(value) for name, value in row["tags"].items() if value is not None}
    elif isinstance(row.get("tags"), str):
        tags["tags"] = row["tags"]
    id = found.get("id", row.get("id"))
    if id is not None and recipe.new_ids:
        tags["source_id"] = str(id)
        found.pop("id", None)
    elif id is not None:
        found["id"] = id
    if (group := row.get("group", row.get("group_id"))) is not None and "group" not in found:
        found["group"] = group
    if tags:
        found["tags"] = tags
    members = MEMBERS[recipe.format.kind]
    if unknown := sorted(own.keys() - members):
        raise Unfit("FIELD_UNKNOWN", "unknown field", f"{OURS}.{unknown[0]}", None, "leave the column out")
    found |= own


def spelled(value: object) -> str:
    """Return a plain value as the text of a tag."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _look_up(found: Fields, corpus: dict[str, str]) -> None:
    """Give a question the passages that it names. Raises `Unfit` for one that the corpus has not."""
    for name in found.get("gold_contexts", []):
        if name not in corpus:
            fix = "give the corpus that the questions were written against"
            raise Unfit("PASSAGE_UNKNOWN", "the corpus has no document of this id", "gold_contexts", repr(name), fix)
    if not found.get("contexts"):
        found["contexts"] = [{"id": n, "text": corpus[n], "score": None} for n in found.get("gold_contexts", [])]


def _conversation() -> Fields:
    return {"id": "", "group": "", "tools": "", "good": None, "tags": {}, "lineage": LINEAGE}


def _pair() -> Fields:
    return {"id": "", "group": "", "rule": "imported", "margin": None, "on_policy": None, "tools": "", "tags": {},
            "lineage": LINEAGE}  # fmt: skip


def _sample() -> Fields:
    return {"id": "", "group": "", "references": [], "contexts": [], "gold_contexts": [], "tags": {}}


def _record() -> Fields:
    return {"id": "", "outputs": [], "contexts": [], "reference": None, "origin": "", "group": "", "tags": {},
            "shown": {}}  # fmt: skip


UNNAMED: Fields = {"votes": None, "seen_first": None}
"""What pairs have besides, and are not named by: names stay what they were before there was such."""
DEFAULTS: dict[Kind, Callable[[], Fields]] = {
    "conversations": _conversation, "pairs": _pair, "samples": _sample, "records": _record,
}  # fmt: skip


def prompts_of(kind: Kind, fields: Fields) -> Iterable[str]:
    """Return the texts that a row's family is made from, as the nouns' `family` takes them."""
    turns = fields["prompt" if kind == "pairs" else "messages"]
    if kind == "conversations":
        turns = _before_first_answer(turns)
    return [one["content"] for one in turns if one["role"] in ("user", "system")]


def _before_first_answer(turns: list[Fields]) -> list[Fields]:
    asked = False
    for at, one in enumerate(turns):
        if asked and one["role"] == "assistant":
            return turns[:at]
        asked = asked or one["role"] == "user"
    return turns


# ---------------------------------------------------------------- rows that are surely right

CONVERSATION, PAIR, TURN = (len(noun.model_fields) for noun in (Conversation, PreferencePair, Turn))
"""Fields of each noun; other counts are for pydantic to judge."""


NOTHING = ("margin", "on_policy", "votes", "seen_first")
TURN_PARTS = itemgetter("role", "content", "tool_calls", "tool_call_id", "name", "learnt")


def _sure_conversation(fields: Fields) -> bool:
    turns = fields.get("messages")
    if len(fields) != CONVERSATION or type(turns) is not list or len(turns) < 2 or not _sure_rest(fields):
        return False
    good = fields["good"]
    asked = taught = False
    for one in turns:
        if not _sure_turn(one):
            return False
        role = one["role"]
        taught = taught or (role == "assistant" and one["learnt"])
        asked = asked or (role == "user" and not one["content"].isspace() and one["content"] != "")
    return asked and taught and (good is None or good is True or good is False)


def _sure_pair(fields: Fields) -> bool:
    prompt = fields.get("prompt")
    if len(fields) != PAIR or type(prompt) is not list or not prompt or not _sure_rest(fields):
        return False
    sides: list[Any] = [fields.get("chosen"), fields.get("rejected")]
    for side in sides:
        if type(side) is not dict or side.keys() != {"messages", "model"} or type(side["model"]) is not str:
            return False
        turns = side["messages"]
        if type(turns) is not list or len(turns) != 1 or not _sure_turn(turns[0]):
            return False
    plain = fields["rule"] == "imported" and all(fields[name] is None for name in NOTHING)
    return plain and all(map(_sure_turn, prompt)) and sides[0]["messages"] != sides[1]["messages"]


def _sure_rest(fields: Fields) -> bool:
    """Return whether id, group, tools, tags and lineage are surely right."""
    id, tags, lineage = fields["id"], fields["tags"], fields["lineage"]
    if type(id) is not str or not id or type(fields["group"]) is not str or type(fields["tools"]) is not str:
        return False
    if type(tags) is not dict or not all(type(k) is str and type(v) is str for k, v in tags.items()):
        return False
    simple = type(lineage) is dict and lineage.keys() == LINEAGE.keys()
    return (
        simple
        and type(lineage["recipe"]) is str
        and type(lineage["synthetic"]) is bool
        and (lineage["sources"] == [] and lineage["annotators"] == [])
    )


def _sure_turn(one: Any) -> bool:
    if type(one) is not dict or len(one) != TURN:
        return False
    try:
        role, content, calls, call, name, learnt = TURN_PARTS(one)
    except KeyError:
        return False
    if type(role) is not str or role not in ROLES or type(content) is not str:
        return False
    return calls == [] and call == "" and name == "" and (learnt is True or learnt is False)


SURELY: dict[Kind, Callable[[Fields], bool]] = {
    "conversations": _sure_conversation, "pairs": _sure_pair, "samples": lambda _: False, "records": lambda _: False,
}  # fmt: skip
