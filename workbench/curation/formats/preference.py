"""Prompt, chosen, rejected: TRL's plain and conversational forms, prompts explicit or implicit; and OpenAI's form."""

from __future__ import annotations

from typing import Any

import orjson

from workbench.curation.formats.format import Fields, Format, Notes, Unfit, present, prompt_text, shown_kind
from workbench.curation.formats.turns import plain, tools_text, turn, turns_of, written
from workbench.curation.formats.usual import UsualTexts

SCORES = (("score_chosen", "score_rejected"), ("chosen_score", "rejected_score"), ("chosen_rating", "rejected_rating"))


def read(row: Fields, notes: Notes) -> Fields:
    """Return a pair's fields."""
    chosen, rejected = (_side(row.get(name), name, notes) for name in ("chosen", "rejected"))
    if present(row, ["prompt"]) is None:
        prompt, chosen, rejected = _split(chosen, rejected)
    else:
        prompt = _prompt(row["prompt"], notes)
        chosen, rejected = (_behind(prompt, side, name) for side, name in ((chosen, "chosen"), (rejected, "rejected")))
    found: Fields = {"prompt": prompt, "chosen": {"messages": chosen}, "rejected": {"messages": rejected}}
    if row.get("tools") is not None:
        found["tools"] = tools_text(row["tools"])
    if (margin := _margin(row)) is not None:
        found["margin"] = margin
    return found


def write(fields: Fields) -> Fields:
    """Return TRL's conversational form with an explicit prompt."""
    row: Fields = {"prompt": written(fields["prompt"], weights=False)}
    row |= {side: written(fields[side]["messages"]) for side in ("chosen", "rejected")}
    return row | ({"tools": fields["tools"]} if fields["tools"] else {})


def write_plain(fields: Fields) -> Fields:
    """Return TRL's plain form: texts."""
    turns = [fields["prompt"], fields["chosen"]["messages"], fields["rejected"]["messages"]]
    roles = ("user", "assistant", "assistant")
    if fields["tools"] or not all(len(t) == 1 and plain(t[0], r) for t, r in zip(turns, roles, strict=True)):
        raise Unfit("CANNOT_HOLD", "more than one question and one answer on each side", "prompt")
    return {n: t[0]["content"] for n, t in zip(("prompt", "chosen", "rejected"), turns, strict=True)}


def read_openai(row: Fields, notes: Notes) -> Fields:
    """Return a pair's fields from OpenAI's form of preference fine-tuning."""
    given = row.get("input")
    if not isinstance(given, dict):
        raise Unfit("FIELD_TYPE", "should be an object with messages", "input", shown_kind(given))
    found: Fields = {"prompt": turns_of(given.get("messages"), "input.messages", notes)}
    for side, name in (("chosen", "preferred_output"), ("rejected", "non_preferred_output")):
        found[side] = {"messages": turns_of(row.get(name), name, notes)}
    return found | ({"tools": tools_text(given["tools"], "input.tools")} if given.get("tools") is not None else {})


def write_openai(fields: Fields) -> Fields:
    """Return OpenAI's form: answers are one assistant's turn."""
    for side in ("chosen", "rejected"):
        turns = fields[side]["messages"]
        if len(turns) != 1 or turns[0]["role"] != "assistant":
            raise Unfit("CANNOT_HOLD", "an answer that is not one assistant's turn", side)
    given: Fields = {"messages": written(fields["prompt"], weights=False)}
    if fields["tools"]:
        given |= {"tools": orjson.loads(fields["tools"]), "parallel_tool_calls": True}
    better, worse = (written(fields[side]["messages"], weights=False) for side in ("chosen", "rejected"))
    return {"input": given, "preferred_output": better, "non_preferred_output": worse}


def read_axolotl(row: Fields, notes: Notes) -> Fields:
    """Return a pair's fields from Axolotl's `chat_template.default`: the prompt is `messages`, a side one message."""
    found: Fields = {"prompt": turns_of(row.get("messages"), "messages", notes)}
    for side in ("chosen", "rejected"):
        found[side] = {"messages": turns_of([row.get(side)], side, notes)}
    return found


def write_axolotl(fields: Fields) -> Fields:
    """Return Axolotl's form."""
    sides = [written(fields[side]["messages"]) for side in ("chosen", "rejected")]
    if any(len(turns) != 1 for turns in sides) or fields["tools"]:
        raise Unfit("CANNOT_HOLD", "an answer of several turns, or tools", "chosen")
    return {"messages": written(fields["prompt"], weights=False), "chosen": sides[0][0], "rejected": sides[1][0]}


def _prompt(value: Any, notes: Notes) -> list[Fields]:
    if isinstance(value, list):
        return turns_of(value, "prompt", notes)
    if not isinstance(value, str):
        raise Unfit("FIELD_TYPE", "should be a text or a list of messages", "prompt", shown_kind(value))
    return [turn("user", prompt_text(value, "prompt"))]


def _side(value: Any, name: str, notes: Notes) -> str | list[Fields]:
    """Return a side as a text or as turns."""
    if isinstance(value, str):
        return value
    if value is None:
        raise Unfit("FIELD_MISSING", "required field is missing", name)
    turns = turns_of(value, name, notes)
    if not turns:
        raise Unfit("FIELD_VALUE", "the answer is empty", name, "a list of 0")
    return turns


def _behind(prompt: list[Fields], side: str | list[Fields], name: str) -> list[Fields]:
    """Return what a side says after an explicit prompt, which some sets write into the sides once more."""
    if isinstance(side, str):
        return [turn("assistant", side)]
    if _same(side[: len(prompt)], prompt):
        side = side[len(prompt) :]
    if not side or side[0]["role"] in ("user", "system"):
        fix = "let both sides answer the prompt of the row"
        raise Unfit("PROMPT_MISMATCH", "this side does not answer the row's prompt", name, None, fix)
    return side


def _split(chosen: str | list[Fields], rejected: str | list[Fields]) -> tuple[Any, Any, Any]:
    """Return prompt, chosen and rejected of an implicit prompt: what both sides begin with, as TRL's extract_prompt."""
    if isinstance(chosen, str) and isinstance(rejected, str):
        at = _agree(chosen, rejected)
        if at and chosen[at - 1] == " ":
            at -= 1  # the space belongs to the answer
        better, worse = ([turn("assistant", text[at:])] for text in (chosen, rejected))
        return [turn("user", _asked(chosen[:at].strip() and chosen[:at]))], better, worse
    if isinstance(chosen, str) or isinstance(rejected, str):
        raise Unfit("FIELD_TYPE", "one side is a text and the other a list", "rejected")
    at = _agree(chosen, rejected)
    at = min(at, len(chosen) - 1, len(rejected) - 1)
    if not any(one["role"] == "user" for one in chosen[:at]) or chosen[at]["role"] == "user":
        raise Unfit("PROMPT_MISMATCH", "the sides begin with no common prompt", "rejected", None, "add a `prompt`")
    return chosen[:at], chosen[at:], rejected[at:]


def _asked(text: str) -> str:
    if not text:
        raise Unfit("PROMPT_MISMATCH", "the sides begin with no common prompt", "rejected", None, "add a `prompt`")
    return text


def _agree(one: Any, other: Any) -> int:
    """Return how many characters or turns two sides begin with in common."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _same(turns: list[Fields], prompt: list[Fields]) -> bool:
    said = [[(one["role"], one["content"]) for one in side] for side in (turns, prompt)]
    return said[0] == said[1]


def _margin(row: Fields) -> float | None:
    """Return by how much chosen is preferred, where two scores or a margin say so; negative ones are no margin."""
    for better, worse in (("margin", ""), *SCORES):
        values = [row.get(better), row.get(worse, 0.0)]
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            margin = float(values[0]) - float(values[1])
            if margin < 0:
                raise Unfit("FIELD_VALUE", "the rejected answer has the higher score", better, repr(margin))
            return margin
    return None


COLUMNS = frozenset({"prompt", "chosen", "rejected", "tools", "margin", *(name for pair in SCORES for name in pair)})
USUAL = UsualTexts(("prompt", "chosen", "rejected"))
PREFERENCE = Format(
    "preference", "pairs", "`chosen` and `rejected`",
    lambda row: {"chosen", "rejected"} <= row.keys() and "conversations" not in row and "lineage" not in row
    and not isinstance(row["chosen"], dict),
    read, COLUMNS, write, usual=USUAL,
)  # fmt: skip
PREFERENCE_PLAIN = Format(
    "preference-text", "pairs", "", lambda _: False, read, COLUMNS, write_plain, usual=USUAL, flat=True
)
"""As `preference`, of texts only; never guessed."""
OPENAI_PAIRS = Format(
    "openai-preference", "pairs", "`input`, `preferred_output` and `non_preferred_output`",
    lambda row: "preferred_output" in row, read_openai,
    frozenset({"input", "preferred_output", "non_preferred_output"}), write_openai, strict=True,
)  # fmt: skip
AXOLOTL = Format(
    "axolotl-pairs", "pairs", "`messages`, and one message each in `chosen` and `rejected`",
    lambda row: isinstance(row.get("chosen"), dict) and "messages" in row, read_axolotl,
    frozenset({"messages", "chosen", "rejected"}), write_axolotl,
)  # fmt: skip
