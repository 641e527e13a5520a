"""Rows of a usual shape: those that differ from others of their shape by nothing but their texts.

A format says which of its rows are such, and `stencils.py` reads the later rows of a shape by what became of the first.
So what is told here must hold: whatever stands in the texts, as long as none is blank, the format's reader puts each of
them, as it is, into the same place.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

Row = dict[str, Any]


class Usual(Protocol):
    """What a format says of its usual rows. Columns besides are none of its business."""

    @property
    def columns(self) -> frozenset[str]:
        """Return the columns that a usual row may have."""

    def taken(self, row: Row) -> tuple[Hashable, list[str]] | None:
        """Return a row's shape and its texts in a fixed order; `None` for an unusual row."""

    def marked(self, row: Row, marks: Iterator[str]) -> Row:
        """Return these columns of a usual row with marks for its texts, in that order."""


@dataclass(frozen=True)
class UsualChat:
    """One column with a list of turns, each of which is a speaker and a text."""

    turns: str
    speaker: str
    said: str
    speakers: frozenset[str]

    @cached_property
    def columns(self) -> frozenset[str]:
        """Return the only column."""
        return frozenset({self.turns})

    def taken(self, row: Row) -> tuple[Hashable, list[str]] | None:
        """Return who speaks, and what they say."""
        turns, speaker, said = row.get(self.turns), self.speaker, self.said
        if type(turns) is not list:
            return None
        try:
            who, texts = tuple([one[speaker] for one in turns]), [one[said] for one in turns]
            usual = self.speakers.issuperset(who) and _speak(texts) and sum(map(len, turns)) == 2 * len(turns)
        except (TypeError, KeyError):  # a turn that is no object, lacks one of the two, or says no text
            return None
        return (who, texts) if usual else None

    def marked(self, row: Row, marks: Iterator[str]) -> Row:
        """Return the turns with marks for what is said."""
        return {self.turns: [{self.speaker: one[self.speaker], self.said: next(marks)} for one in row[self.turns]]}


@dataclass(frozen=True)
class UsualTexts:
    """Columns of plain text, no two of which say the same; further ones, where they are there, are empty."""

    names: tuple[str, ...]
    empty: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> frozenset[str]:
        """Return the columns."""
        return frozenset({*self.names, *self.empty})

    def taken(self, row: Row) -> tuple[Hashable, list[str]] | None:
        """Return the texts; there is only one shape."""
        try:
            texts = [row[name] for name in self.names]
            usual = _speak(texts) and len({*texts}) == len(texts)
        except (TypeError, KeyError):
            return None
        return ((), texts) if usual and all(row.get(name, "") == "" for name in self.empty) else None

    def marked(self, row: Row, marks: Iterator[str]) -> Row:
        """Return the columns with marks."""
        return dict(zip(self.names, marks, strict=False))


def _speak(texts: list[Any]) -> bool:
    """Return whether no text is blank. Raises `TypeError` where one is no text."""
    return True not in map(str.isspace, texts) and "" not in texts
