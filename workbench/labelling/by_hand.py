"""What people said of two answers side by side, not knowing who wrote which: `<home>/picks/by_hand.jsonl`.

Lines are only added, chained by digests (`store/book.py`): a person's later word on the same record stands for the
earlier one, and a line without labels takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter

from workbench.nouns import Many, Noun
from workbench.records import Label, Record
from workbench.store.book import Book

GUIDELINE = "by_hand/1"
"""Version of the question: which of the two answers would you rather give to who asks? Bump it when that changes."""
Preferred = Literal["1", "2", "tie"]
"""The first output of the record, the second, or neither."""
Strength = Literal["slightly", "clearly"]


class ByHand(Noun):
    """Two answers to one prompt, and what one person said of them."""

    record: Record
    """The prompt, with both answers as outputs; the tag `models` says who wrote them."""
    sources: Many[str] = ()
    """What was compared, as `<run>/<sample>`; empty where it was asked in a chat."""
    order: Many[int] = Field(min_length=2, max_length=2)
    """Which output stood on the left, and which on the right."""
    by: str = Field(min_length=1)
    """Who."""
    labels: Many[Label] = ()
    """`preferred`, and `strength` unless it is a tie; empty: they took back what they had said."""

    def said(self, question: str) -> str | None:
        """Return the answer to a question, or `None`."""
        return next((str(label.value) for label in self.labels if label.question == question), None)


def book_of(home: Path) -> Book[ByHand]:
    """Return the book of a home."""
    return Book(home / "picks" / "by_hand.jsonl", TypeAdapter(ByHand), "a comparison by hand")


def standing(lines: Sequence[ByHand]) -> list[ByHand]:
    """Return what stands: each person's last word on each record, in the order in which it was first said."""
    last = {(line.record.id, line.by): line for line in lines}
    return [line for line in last.values() if line.labels]
