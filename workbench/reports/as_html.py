"""A document as one HTML page that loads nothing: style and pictures inside, no script, all text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

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
from workbench.reports.escaping import html_text, one_line, shorten

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a browser may load for this page: nothing. It would hold even if something hostile got in unescaped."""
LONG = 6_000
"""Characters of a model's text that a card holds."""
NAME = 300
"""Characters of a name, a cell or a title."""
SENTENCE = 2_000
SHORT = 34
"""Characters of a cell that is not broken into lines."""
SIGNS: dict[State, str] = {"pass": "✔ ", "fail": "✘ ", "inconclusive": "? ", "waived": "△ ", "plain": ""}


def page(document: Document) -> str:
    """Return the whole page."""
    title = html_text(one_line(document.title, NAME))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"{_blocks(document.blocks)}\n</main>\n</body>\n</html>\n"
    )


@cache
def _style() -> str:
    return files("workbench.reports").joinpath("page.css").read_text(encoding="utf-8")


def _blocks(blocks: Sequence[Block]) -> str:
    """Return the blocks, with links to the sections before the first of them."""
    sections = [b.text for b in blocks if isinstance(b, Heading) and b.level == 2]
    links = "".join(
        f'<a href="#section-{i}">{html_text(one_line(text, 60))}</a> ' for i, text in enumerate(sections, 1)
    )
    parts, seen = [], 0
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            seen += 1
            parts += [f"<nav>{links}</nav>"] if seen == 1 and len(sections) > 2 else []
            parts.append(f'<h2 id="section-{seen}">{html_text(one_line(block.text, NAME))}</h2>')
        else:
            parts.append(_block(block))
    return "\n".join(parts)


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{html_text(one_line(text, NAME))}</h{level}>"
        case Verdict(state, word, sentence):
            said = f"<strong>{SIGNS[state]}{html_text(one_line(word, NAME))}</strong>{html_text(sentence[:SENTENCE])}"
            return f'<div class="verdict {state}">{said}</div>'
        case Facts(lines):
            return f"<ul>{''.join(f'<li>{_cell(line)}</li>' for line in lines)}</ul>"
        case Paragraph(text):
            return f"<p>{_cell(text)}</p>"
        case Table():
            return _table(block)
        case Figure(svg, caption):
            return f"<figure>{svg}<figcaption>{html_text(caption)}</figcaption></figure>"
        case Samples(cards):
            return "\n".join(map(_card, cards))


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    numeric = [name in table.numeric for name in table.head]
    head = "".join(
        f'<th scope="col"{CLASS["n"] if right else ""}>{html_text(one_line(name, NAME))}</th>'
        for name, right in zip(table.head, numeric, strict=True)
    )
    body = "\n".join(
        "<tr>" + "".join(_data(cell, right) for cell, right in zip(row, numeric, strict=True)) + "</tr>"
        for row in table.rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


CLASS = {"n": ' class="n"', "s": ' class="s"', "w": ' class="w"', "": ""}
"""A column of numbers; a cell so short that it is not broken; one so long that it needs room."""


def _data(cell: Cell, right: bool) -> str:
    text = cell if isinstance(cell, str) else "" if isinstance(cell, tuple) else cell.text
    kind = "n" if right else "s" if len(text) <= SHORT else "w" if len(text) > NAME / 4 else ""
    return f"<td{CLASS[kind]}>{_cell(cell)}</td>"


def _card(card: Card) -> str:
    value = f'<span class="value">{_badge(card.state, one_line(card.value, NAME))}</span>'
    texts = "".join(
        f'<dt>{html_text(name)}</dt><dd><div class="text" dir="auto">{html_text(shorten(text, LONG))}</div></dd>'
        for name, text in card.texts
        if text
    )
    name = f'<bdi class="id">{html_text(one_line(card.id, NAME))}</bdi>'
    # Within the folded part: a browser that is led to it unfolds what it lies in.
    place = f' id="{html_text(card.anchor)}"' if card.anchor else ""
    return f"<details><summary>{name} {value}</summary><dl{place}>{texts}</dl></details>"


def _cell(cell: Cell) -> str:
    return "".join(map(_piece, cell)) if isinstance(cell, tuple) else _piece(cell)


def _piece(piece: Piece) -> str:
    match piece:
        case Code(text):
            return f"<code>{html_text(one_line(text, NAME))}</code>"
        case Badge(state, text):
            return _badge(state, text)
        case Link(text, anchor):
            return f'<a href="#{html_text(anchor)}"><bdi>{html_text(one_line(text, NAME))}</bdi></a>'
        case text:
            return f"<bdi>{html_text(shorten(text, SENTENCE))}</bdi>"


def _badge(state: State, text: str) -> str:
    return f'<span class="badge {state}">{SIGNS[state]}<bdi>{html_text(text)}</bdi></span>'
