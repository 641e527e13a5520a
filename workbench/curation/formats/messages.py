"""Chat `messages`: OpenAI's fine-tuning form, TRL's conversational one, and such with a thumb for the last answer."""

from __future__ import annotations

import orjson

from workbench.curation.formats.format import Fields, Format, Notes, Unfit, present, thumb_of
from workbench.curation.formats.turns import ROLES, tools_text, turns_of, written
from workbench.curation.formats.usual import UsualChat

THUMBS = ("label", "thumb", "thumbs", "good")
OTHERS = frozenset({"conversations", "references", "lineage", "outputs", "chosen", "rejected", "prompt", "completion"})
"""Columns that say that messages are not all of the row."""


def read(row: Fields, notes: Notes) -> Fields:
    """Return a conversation's fields."""
    if "messages" not in row:
        raise Unfit("FIELD_MISSING", "required field is missing", "messages")
    found: Fields = {"messages": turns_of(row["messages"], "messages", notes)}
    if row.get("functions") is not None:
        found["tools"] = tools_text([{"type": "function", "function": f} for f in row["functions"]], "functions")
    elif row.get("tools") is not None:
        found["tools"] = tools_text(row["tools"])
    if (name := present(row, THUMBS)) is not None:
        found["good"] = thumb_of(row[name], name)
    return found


def write(fields: Fields) -> Fields:
    """Return a row that OpenAI and TRL take."""
    row: Fields = {"messages": written(fields["messages"])}
    if fields["tools"]:
        row["tools"] = orjson.loads(fields["tools"])
    return row


def write_thumbed(fields: Fields) -> Fields:
    """Return a row with the thumb of its last answer, which only readers of feedback take."""
    return write(fields) | ({} if fields["good"] is None else {"label": fields["good"]})


def _looks(row: Fields) -> bool:
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages or OTHERS & row.keys():
        return False
    return isinstance(messages[0], dict) and "role" in messages[0] and messages[-1].get("role") != "user"


COLUMNS = frozenset({"messages", "tools", "functions", "parallel_tool_calls", *THUMBS})
USUAL = UsualChat("messages", "role", "content", frozenset(ROLES))
MESSAGES = Format(
    "messages", "conversations", "`messages` with role and content", _looks, read, COLUMNS, write_thumbed, usual=USUAL
)
OPENAI = Format("openai", "conversations", "", lambda _: False, read, COLUMNS, write, strict=True, usual=USUAL)
"""As `messages`, with nothing beside what OpenAI takes; never guessed."""
