"""What a report says, before it is decided how it looks: blocks of plain text, tables, plots and samples.

Text in a document is always raw. The renderers escape it, every one of them all of it, so that no page can forget to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

State = Literal["pass", "fail", "inconclusive", "waived", "plain"]
"""The verdicts of a rule, and what has none."""


@dataclass(frozen=True)
class Code:
    """An id or a command, to be copied as it is."""

    text: str


@dataclass(frozen=True)
class Badge:
    """A verdict in a word; its state decides colour and sign."""

    state: State
    text: str


@dataclass(frozen=True)
class Link:
    """A way to a card of the same report, by its anchor."""

    text: str
    anchor: str


Piece = str | Code | Badge | Link
Cell = Piece | tuple[Piece, ...]


@dataclass(frozen=True)
class Heading:
    """A section's title; level 2 or 3."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Verdict:
    """The decision of the page, shown first and large."""

    state: State
    word: str
    sentence: str


@dataclass(frozen=True)
class Facts:
    """Short statements, one a line. Each begins with the program's own words."""

    lines: Sequence[Cell]


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: Cell


@dataclass(frozen=True)
class Table:
    """Rows under names. Columns in `numeric` are set flush right."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numeric: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A finished SVG, for renderers that show pictures, and what it shows."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Card:
    """One sample, folded away until somebody opens it."""

    id: str
    value: str
    """What it scored, in words."""
    texts: Sequence[tuple[str, str]]
    """Question, answer, reference and so on, by name; long texts are cut by the renderer, and say so."""
    state: State = "plain"
    anchor: str = ""
    """Name of the card's place on the page, of ASCII letters, digits and `_.-`; empty for one that nothing leads to."""


@dataclass(frozen=True)
class Samples:
    """Samples worth a look. Markdown shows the first few as a table, HTML all of them as cards."""

    cards: Sequence[Card]


Block = Heading | Verdict | Facts | Paragraph | Table | Figure | Samples


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
