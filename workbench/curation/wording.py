"""What a row asks and what it teaches, each in one text, for lists of rows."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.datasets import Conversation, PreferencePair, Row
from workbench.records import Message


def prompt_of(row: Row) -> str:
    """Return what a row asks, in one text."""
    return asked_in(row.prompt if isinstance(row, PreferencePair) else row.messages)


def asked_in(messages: Sequence[Message]) -> str:
    """Return what the user said last."""
    return next((m.content for m in reversed(messages) if m.role == "user"), "")


def answer_of(row: Row) -> str:
    """Return what a row teaches or accepts, in one text."""
    if isinstance(row, PreferencePair):
        return f"{row.chosen.text()} > {row.rejected.text()}"
    if isinstance(row, Conversation):
        return row.messages[-1].content or ", ".join(c.name for c in row.messages[-1].tool_calls)
    return " | ".join(row.references)
