"""Answers that got a thumb → tokens, for KTO: what stood before the last assistant turn, the turn, and its thumb."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.datasets import Conversation
from workbench.errors import Problem
from workbench.training.rows import How, Prepared, Thumbed, fits, plain, refuse, tools_of
from workbench.training.template import render


def prepare_thumbs(rows: Iterable[Conversation], how: How, name: str) -> Prepared:
    """Return conversations with a thumb in tokens. Raises `DataError` with every fault, or for thumbs all alike."""
    kept: list[Thumbed] = []
    faults, dropped = list[Problem](), list[str]()
    for row in rows:
        found = _thumbed(row, how)
        if isinstance(found, str):
            faults.append(Problem("NOT_LEARNABLE", found, name, field=row.id, fix="mend the row, or leave it out"))
        elif fits(found, how, name, faults, dropped):
            kept.append(found)
    refuse(faults, len(kept), name)
    return Prepared(thumbs=tuple(kept), dropped=tuple(dropped), notes=_balance(kept))


def _thumbed(row: Conversation, how: How) -> Thumbed | str:
    """Return an answer in tokens, or why it cannot be learnt from."""
    if row.good is None:
        return "nobody gave its last answer a thumb (`good`)"
    if row.messages[-1].role != "assistant":
        return "its last turn is not the assistant's, which the thumb is for"
    messages, tools = [plain(m) for m in row.messages], tools_of(row.tools)
    asked, _ = render(how.tokenizer, how.template, messages[:-1], tools, prompt=True)
    whole, _ = render(how.tokenizer, how.template, messages, tools)
    if whole[: len(asked)] != asked:
        return "its template renders the prompt otherwise once an answer follows"
    if len(whole) == len(asked):
        return "its answer has no tokens"
    return Thumbed(row.id, asked, whole[len(asked) :], row.good)


def _balance(rows: list[Thumbed]) -> tuple[str, ...]:
    """Tell where thumbs are so uneven that one side drowns the other (equation 8 of the paper allows 1 to 1.33)."""
    up = sum(row.good for row in rows)
    down = len(rows) - up
    if up and down and max(up, down) <= 4 * min(up, down):
        return ()
    return (f"{up} thumbs up and {down} down: KTO wants both, at most four of one for each of the other",)
