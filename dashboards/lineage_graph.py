"""A dataset's lineage as a graph in DOT, drawn by the browser, and as indented lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from dashboards.charts import BLUE, GREEN, GREY, ORANGE, PINK, SKY
from workbench.jobs.lineage import Family, Node
from workbench.reports.escaping import one_line

COLOURS = {
    "dataset": BLUE, "snapshot": GREEN, "annotator": GREEN, "run": ORANGE, "training": PINK, "file": SKY,
}  # fmt: skip
SHAPES = {"annotator": "ellipse", "file": "note", "dataset": "box", "run": "component", "training": "box3d"}
MOST = 60
"""Things that a graph shows; the text has all."""
NAME, NOTE = 44, 54


def dot(found: Family) -> str:
    """Return the graph from what is above to what is below. Colours are readable in light and dark."""
    numbers = count()
    drawn: list[str] = []
    this = _node(found.dataset, next(numbers), drawn, bold=True)
    _walk(found.parents, this, drawn, numbers, up=True)
    _walk(found.children, this, drawn, numbers, up=False)
    head = f'rankdir=LR; bgcolor="transparent"; node [style="rounded" fontname="sans-serif" fontsize=11 color="{GREY}" '
    return f'digraph lineage {{ {head}fontcolor="{GREY}"]; edge [color="{GREY}"];\n' + "\n".join(drawn) + "\n}"


def lines(found: Family) -> Iterator[str]:
    """Yield the lineage as lines, indented by how far a thing is away."""
    yield _told(found.dataset)
    yield "made from"
    yield from _indented(found.parents, 1)
    yield "made of it"
    yield from _indented(found.children, 1)


def _walk(nodes: Sequence[Node], near: str, drawn: list[str], numbers: count[int], *, up: bool) -> None:
    for node in nodes:
        if len(drawn) > 2 * MOST:
            return
        name = _node(node, next(numbers), drawn)
        drawn.append(f"{name} -> {near};" if up else f"{near} -> {name};")
        _walk(node.nodes, name, drawn, numbers, up=up)


def _node(node: Node, number: int, drawn: list[str], *, bold: bool = False) -> str:
    label = "\\n".join(_quoted(part) for part in (node.kind, _cut(node.name, NAME), _cut(node.note, NOTE)) if part)
    colour, shape = COLOURS.get(node.kind, GREY), SHAPES.get(node.kind, "box")
    width = 3 if bold else 1
    drawn.append(f'n{number} [label="{label}" shape={shape} color="{colour}" penwidth={width}];')
    return f"n{number}"


def _cut(text: str, limit: int) -> str:
    return one_line(text, limit)


def _quoted(text: str) -> str:
    """Return text for the inside of a DOT string: a backslash would begin an escape, a quote would end it."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _indented(nodes: Sequence[Node], deep: int) -> Iterator[str]:
    for node in nodes:
        yield "   " * deep + _told(node)
        yield from _indented(node.nodes, deep + 1)


def _told(node: Node) -> str:
    note = f"  ({one_line(node.note, 200)})" if node.note else ""
    return f"{node.kind} {one_line(node.name, 100)}{note}"
