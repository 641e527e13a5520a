"""Alpaca: `instruction`, `input`, `output`, with LLaMA-Factory's `system` and `history`."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.curation.formats.format import Fields, Format, Notes, Unfit, prompt_text, shown_kind, text_of
from workbench.curation.formats.turns import plain, turn
from workbench.curation.formats.usual import UsualTexts


def read(row: Fields, notes: Notes) -> Fields:
    """Return a conversation's fields. An input stands below its instruction, a blank line between."""
    turns = [turn("user", asked(row, ["instruction"])), turn("assistant", text_of(row, ["output"]))]
    turns = [*_history(row.get("history")), *turns]
    system = text_of(row, ["system"], "")
    return {"messages": [turn("system", system), *turns] if system else turns}


def write(fields: Fields) -> Fields:
    """Return a row; the last question is the instruction, earlier ones are history."""
    turns, row = list(fields["messages"]), {"instruction": "", "input": "", "output": ""}
    if not all(plain(one) for one in turns) or fields["tools"]:
        raise Unfit("CANNOT_HOLD", "tools, names or turns that are not learnt", "messages")
    system = turns.pop(0)["content"] if turns[0]["role"] == "system" else ""
    if len(turns) % 2 or [t["role"] for t in turns] != ["user", "assistant"] * (len(turns) // 2):
        raise Unfit("CANNOT_HOLD", "turns that are not a question and an answer by turns", "messages")
    row |= {"instruction": turns[-2]["content"], "output": turns[-1]["content"]}
    if history := [[turns[at]["content"], turns[at + 1]["content"]] for at in range(0, len(turns) - 2, 2)]:
        return row | ({"system": system} if system else {}) | {"history": history}
    return row | ({"system": system} if system else {})


def asked(row: Fields, names: Sequence[str]) -> str:
    """Return an instruction with its input below it, or the input alone. Raises `Unfit` where both are blank."""
    given = text_of(row, ["input"], "")
    if not given.strip():
        return prompt_text(text_of(row, names), names[0]) + (f"\n\n{given}" if given else "")
    told = text_of(row, names)
    return f"{told}\n\n{given}" if told.strip() else given


def _history(given: object) -> list[Fields]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise Unfit("FIELD_TYPE", "should be a list of question and answer", "history", shown_kind(given))
    found = []
    for at, pair in enumerate(given):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise Unfit("FIELD_TYPE", "should be a question and an answer", f"history[{at}]", shown_kind(pair))
        found += [turn("user", pair[0]), turn("assistant", pair[1])]
    return found


ALPACA = Format(
    "alpaca", "conversations", "`instruction`, `input` and `output`",
    lambda row: "instruction" in row and "output" in row, read,
    frozenset({"instruction", "input", "output", "system", "history"}), write, flat=True,
    usual=UsualTexts(("instruction", "output"), ("input", "system")),
)  # fmt: skip
