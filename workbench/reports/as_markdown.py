"""A document as Markdown that fits a pull request: tables, a few samples, no pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from workbench.reports.document import (
    Badge,
    Block,
    Card,
    Cell,
    Code,
    Document,
    Facts,
    Figure,
    Heading,
    Link,
    Paragraph,
    Piece,
    Samples,
    State,
    Table,
    Verdict,
)
from workbench.reports.escaping import address, markdown_code, markdown_text

CARDS = 5
ROWS = 40
"""Rows of a table that are shown; the page has all."""
LIMIT = 60_000
"""Characters: GitHub refuses a comment of more than 65,536."""
SIGNS: dict[State, str] = {"pass": "✅ ", "fail": "❌ ", "inconclusive": "❔ ", "waived": "🟡 ", "plain": ""}
SENTENCE = 600
NAME = 160
"""Characters of a cell."""


def markdown(document: Document, page: str = "") -> str:
    """Return the whole document; what does not fit a pull request's comment is left out, and says so.

    `page` is where its HTML page will be found, a name beside it or an address; samples link there, if it is given.
    """
    shown = (_block(block, page) for block in document.blocks)
    parts = [f"# {markdown_text(document.title)}", *(p for p in shown if p)]
    kept: list[str] = []
    length = 0
    for part in parts:
        length += len(part) + 2
        if length > LIMIT:
            kept.append(f"… {len(parts) - len(kept)} more parts are in the HTML page.")
            break
        kept.append(part)
    return "\n\n".join(kept) + "\n"


def _block(block: Block, page: str) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {markdown_text(text)}"
        case Verdict(state, word, sentence):
            return f"## {SIGNS[state]}{markdown_text(word)}\n\n{_start(markdown_text(sentence, SENTENCE))}"
        case Facts(lines):
            return "\n".join(f"- {_start(_cell(line, page, SENTENCE))}" for line in lines)
        case Paragraph(text):
            return _start(_cell(text, page, SENTENCE))
        case Table(head, rows, numeric):
            return _table(head, [[_cell(cell, page) for cell in row] for row in rows], numeric)
        case Samples(cards):
            return _samples(cards, page)
        case Figure():
            return ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: frozenset[str]) -> str:
    if not rows:
        return ""
    rule = "|" + "".join("---:|" if name in numeric else "---|" for name in head)
    shown = [_line(row) for row in rows[:ROWS]]
    more = f"\n\n… and {len(rows) - ROWS} more rows in the HTML page." if len(rows) > ROWS else ""
    return "\n".join([_line(markdown_text(name) for name in head), rule, *shown]) + more


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _samples(cards: Sequence[Card], page: str) -> str:
    """Return the first cards as a table, a column a text."""
    shown = cards[:CARDS]
    names = list(dict.fromkeys(name for card in shown for name, _ in card.texts))
    cells = [[card.value, *(dict(card.texts).get(name, "") for name in names)] for card in shown]
    leads = [_piece(Link(card.id, card.anchor) if card.anchor else card.id, page, NAME) for card in shown]
    rows = [[lead, *map(markdown_text, row)] for lead, row in zip(leads, cells, strict=True)]
    return _table(["sample", "value", *names], rows, frozenset({"value"}))


def _start(line: str) -> str:
    """Return the start of a line that opens no list, heading, rule or GitLab command."""
    return re.sub(r"^(\d*)([-+=/.)])", r"\1\\\2", line)


def _cell(cell: Cell, page: str, limit: int = NAME) -> str:
    return "".join(_piece(p, page, limit) for p in cell) if isinstance(cell, tuple) else _piece(cell, page, limit)


def _piece(piece: Piece, page: str, limit: int) -> str:
    match piece:
        case Code(text):
            return markdown_code(text)
        case Badge(state, text):
            return SIGNS[state] + markdown_text(text)
        case Link(text, anchor):
            return f"[{markdown_text(text)}](<{address(page)}#{anchor}>)" if page else markdown_text(text)
        case text:
            lead = " " if text[:1].isspace() else ""
            tail = " " if text[-1:].isspace() and text.strip() else ""
            return f"{lead}{markdown_text(text, limit)}{tail}"
