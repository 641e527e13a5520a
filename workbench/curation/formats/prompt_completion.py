"""Prompt and completion, in TRL's plain and conversational forms; with a thumb it is what KTO learns from."""

from __future__ import annotations

from typing import Any

from workbench.curation.formats.format import Fields, Format, Notes, Unfit, present, prompt_text, text_of, thumb_of
from workbench.curation.formats.turns import plain, tools_text, turn, turns_of, written
from workbench.curation.formats.usual import UsualTexts

PROMPTS, COMPLETIONS, THUMBS = ("prompt",), ("completion", "response"), ("label", "thumb")


def read(row: Fields, notes: Notes) -> Fields:
    """Return a conversation's fields."""
    prompt, completion = part(row, PROMPTS, "user", notes), part(row, COMPLETIONS, "assistant", notes)
    if not any(one["role"] == "user" and one["content"].strip() for one in prompt):
        raise Unfit("PROMPT_EMPTY", "the prompt is empty", "prompt", None, "write the question into it")
    # What stands in a prompt is given, not learnt.
    given = [{**one, "learnt": False} if one["role"] == "assistant" else one for one in prompt]
    found: Fields = {"messages": given + completion}
    return found | ({"tools": tools_text(row["tools"])} if row.get("tools") is not None else {})


def read_thumbed(row: Fields, notes: Notes) -> Fields:
    """Return a conversation's fields, with the thumb of its last answer."""
    if (name := present(row, THUMBS)) is None:
        raise Unfit("FIELD_MISSING", "required field is missing", "label", None, "write true or false")
    return read(row, notes) | {"good": thumb_of(row[name], name)}


def write(fields: Fields) -> Fields:
    """Return TRL's conversational form: what is learnt is the end, and everything before it the prompt."""
    turns = fields["messages"]
    at = _begin(turns)
    row: Fields = {"prompt": written(turns[:at], weights=False), "completion": written(turns[at:])}
    return row | ({"tools": fields["tools"]} if fields["tools"] else {})


def write_plain(fields: Fields) -> Fields:
    """Return the plain form: one question, one answer, both texts."""
    turns = fields["messages"]
    if len(turns) != 2 or not plain(turns[0], "user") or not plain(turns[1], "assistant") or fields["tools"]:
        raise Unfit("CANNOT_HOLD", "more than one question and one answer", "messages")
    return {"prompt": turns[0]["content"], "completion": turns[1]["content"]}


def write_thumbed(fields: Fields) -> Fields:
    """Return KTO's form. Raises `Unfit` where nobody gave a thumb."""
    if fields["good"] is None:
        raise Unfit("CANNOT_HOLD", "a row without a thumb", "good")
    return write(fields) | {"label": fields["good"]}


def part(row: Fields, names: tuple[str, ...], role: str, notes: Notes) -> list[Fields]:
    """Return one side of a row: a text is one turn of this role, a list is turns."""
    name = present(row, names)
    value: Any = row.get(name or names[0])
    if isinstance(value, list):
        return turns_of(value, str(name), notes)
    text = text_of(row, names)
    return [turn(role, prompt_text(text, str(name)) if role == "user" else text)]


def _begin(turns: list[Fields]) -> int:
    """Return where the learnt end begins: behind the last turn that is a user's, a system's, or not learnt."""
    at = next((i for i in range(len(turns), 0, -1) if _given(turns[i - 1])), 0)
    if at == len(turns) or any(t["role"] == "assistant" and t["learnt"] for t in turns[:at]):
        raise Unfit("CANNOT_HOLD", "an answer that is learnt before the last question", "messages")
    return at


def _given(one: Fields) -> bool:
    return one["role"] in ("system", "user") or (one["role"] == "assistant" and not one["learnt"])


def _looks(row: Fields, thumbed: bool) -> bool:
    both = present(row, PROMPTS) and present(row, COMPLETIONS)
    logged = row.keys() & {"feedback", "rating", "timestamp", "created_at", "correction", "thumbs"}
    return bool(both) and (present(row, THUMBS) is not None) == thumbed and not logged and "chosen" not in row


COLUMNS = frozenset({*PROMPTS, *COMPLETIONS, "tools"})
USUAL = UsualTexts(("prompt", "completion"))
PROMPT_COMPLETION = Format(
    "prompt-completion", "conversations", "`prompt` and `completion`", lambda row: _looks(row, False), read, COLUMNS,
    write, usual=USUAL,
)  # fmt: skip
PROMPT_COMPLETION_PLAIN = Format(
    "prompt-completion-text", "conversations", "", lambda _: False, read, COLUMNS, write_plain, usual=USUAL, flat=True
)
"""As `prompt-completion`, of texts only; never guessed."""
KTO = Format(
    "kto", "conversations", "`prompt`, `completion` and `label`", lambda row: _looks(row, True), read_thumbed,
    COLUMNS | set(THUMBS), write_thumbed,
)  # fmt: skip
