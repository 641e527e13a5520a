"""Plots as SVG text: no library, no script, the same bytes for the same numbers.

Colours and fonts come from the page's style sheet by class, so that light, dark and print are one picture. A state has
a shape as well as a colour. Every picture has a title and a description; what a mark stands for is its tooltip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from unicodedata import east_asian_width

from workbench.reports.document import State
from workbench.reports.escaping import html_text, one_line
from workbench.reports.words import number
from workbench.runs import Interval

WIDTH = 880
LEFT, RIGHT = 260, 200
ROW = 30
TOP, BOTTOM = 14, 44
LABEL, VALUE = 30, 24
"""Columns of text that fit at the left and at the right; the tooltip has the rest."""


@dataclass(frozen=True)
class Mark:
    """One row of a forest plot: an estimate with its interval."""

    label: str
    value: float | None
    interval: Interval | None = None
    state: State = "plain"
    text: str = ""
    """Stands at the right, such as `0.812 [0.77, 0.85]`."""
    limit: float | None = None
    """What the interval must clear, drawn as a tick; the side that does not pass is shaded."""
    passes: str = "above"
    """`above` or `below`: on which side of the limit the interval must lie."""
    worst: Interval | None = None
    """What the value would be if every missing score were the lowest, or highest, possible: a thin dashed line."""


def forest(name: str, title: str, marks: Sequence[Mark], axis: str, zero: float | None = None) -> str:
    """Return a forest plot: one row a mark on a common axis, with a line at `zero`. `name` is unique on its page."""
    scale = _scale([*(x for m in marks for x in numbers_of(m)), *([] if zero is None else [zero])])
    height = TOP + ROW * len(marks) + BOTTOM
    rows = "".join(_row(m, TOP + ROW * i, scale) for i, m in enumerate(marks))
    line = "" if zero is None else _line("zero", scale.x(zero), TOP, scale.x(zero), height - BOTTOM)
    words = "; ".join(f"{m.label}: {m.text or number(m.value)}" for m in marks)
    return _picture(name, title, words, height, _axis(scale, height - BOTTOM, TOP, axis) + line + rows)


@dataclass(frozen=True)
class Column:
    """One bar of a histogram, for values in [low, high)."""

    low: float
    high: float
    n: int


def histogram(name: str, title: str, columns: Sequence[Column], axis: str, mean: float | None, better: str) -> str:
    """Return how paired differences are distributed: losses, ties and wins, with a line at their mean."""
    height, top = 200, 38
    scale = _scale([0.0, *(edge for c in columns for edge in (c.low, c.high))], left=40, right=20)
    most = max((c.n for c in columns), default=1) or 1
    base = height - BOTTOM
    bars = "".join(_bar(c, scale, base, (base - top - 16) * c.n / most, better) for c in columns)
    mark = "" if mean is None else _line("mean", scale.x(mean), top - 8, scale.x(mean), base)
    said = "" if mean is None else _text("note", scale.x(mean), top - 12, f"mean {number(mean)}", "middle")
    words = "; ".join(f"{number(c.low)} to {number(c.high)}: {c.n}" for c in columns if c.n)
    return _picture(name, title, words, height, _axis(scale, base, top, axis) + bars + mark + said)


# ---------------------------------------------------------------- scales


@dataclass(frozen=True)
class Scale:
    """Maps numbers to pixels."""

    low: float
    high: float
    ticks: Sequence[float]
    left: float
    width: float

    def x(self, value: float) -> float:
        """Return the pixel of a number."""
        return self.left + self.width * (value - self.low) / (self.high - self.low)


def _scale(values: Sequence[float], left: float = LEFT, right: float = RIGHT) -> Scale:
    """Return a scale with round ticks that holds all values and a little air."""
    found = [v for v in values if isfinite(v)] or [0.0, 1.0]
    low, high = min(found), max(found)
    span = (high - low) or max(abs(high), 1.0) * 0.1
    low, high = low - 0.04 * span, high + 0.04 * span
    step = _round_step((high - low) / 5)
    ticks = [i * step for i in range(ceil(low / step), floor(high / step) + 1)]
    return Scale(low, high, ticks, left, WIDTH - left - right)


def _round_step(rough: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least `rough`."""
    power = 10.0 ** floor(log10(rough))
    return next(power * f for f in (1, 2, 5, 10) if power * f >= rough * 0.999)


def _axis(scale: Scale, y: float, top: float, name: str) -> str:
    digits = max(0, -floor(log10(_gap(scale.ticks))))
    parts = []
    for tick in scale.ticks:
        x = scale.x(tick)
        parts.append(_line("grid", x, top, x, y))
        parts.append(_text("tick", x, y + 16, f"{tick + 0.0:.{digits}f}", "middle"))
    parts.append(_line("axis", scale.left, y, scale.left + scale.width, y))
    parts.append(_text("name", scale.left + scale.width / 2, y + 35, name, "middle"))
    return "".join(parts)


def _gap(ticks: Sequence[float]) -> float:
    return ticks[1] - ticks[0] if len(ticks) > 1 else 1.0


# ---------------------------------------------------------------- marks


def _row(mark: Mark, top: float, scale: Scale) -> str:
    y = top + ROW / 2
    parts = [f"<title>{html_text(one_line(f'{mark.label}: {mark.text or number(mark.value)}', 400))}</title>"]
    if mark.limit is not None:
        parts.append(_limit(mark.limit, mark.passes, top, scale))
    parts.append(_text("label", LEFT - 14, y + 4, _fit(mark.label, LABEL), "end"))
    if mark.worst is not None:
        parts.append(_line("worst", scale.x(mark.worst.low), y, scale.x(mark.worst.high), y))
    if mark.interval is not None:
        low, high = scale.x(mark.interval.low), scale.x(mark.interval.high)
        parts += [_line("bar", low, y, high, y), *(_line("bar", x, y - 5, x, y + 5) for x in (low, high))]
    if mark.value is not None:
        parts.append(SHAPES[mark.state](scale.x(mark.value), y))
    parts.append(_text("value", WIDTH - RIGHT + 14, y + 4, _fit(mark.text, VALUE), "start"))
    return f'<g class="{mark.state}">{"".join(parts)}</g>'


def _limit(limit: float, passes: str, top: float, scale: Scale) -> str:
    x = scale.x(limit)
    start, end = (scale.left, x) if passes == "above" else (x, scale.left + scale.width)
    bad = f'<rect class="bad" x="{_n(start)}" y="{_n(top + 3)}" width="{_n(end - start)}" height="{ROW - 6}"/>'
    return bad + _line("limit", x, top + 3, x, top + ROW - 3)


def _bar(column: Column, scale: Scale, base: float, height: float, better: str) -> str:
    left, right = scale.x(column.low), scale.x(column.high)
    if right - left < 4:  # a bar for one value only, such as all ties
        left, right = left - 2, right + 2
    side = _side(column, better)
    said = f"{column.n} samples between {number(column.low)} and {number(column.high)}"
    count = _text("note", (left + right) / 2, base - height - 5, str(column.n), "middle") if column.n else ""
    return (
        f'<g class="{side}"><title>{said}</title><rect class="column" x="{_n(left + 1)}" y="{_n(base - height)}" '
        f'width="{_n(right - left - 2)}" height="{_n(height)}"/>{count}</g>'
    )


def _side(column: Column, better: str) -> str:
    """Return whether a bar holds wins, losses or what lies around 0."""
    if column.low < 0 < column.high or column.low == column.high == 0:
        return "tie"
    up = column.low >= 0
    return "win" if up == (better == "higher") else "loss"


def _circle(x: float, y: float) -> str:
    return f'<circle class="point" cx="{_n(x)}" cy="{_n(y)}" r="5"/>'


def _square(x: float, y: float) -> str:
    return f'<rect class="point" x="{_n(x - 5)}" y="{_n(y - 5)}" width="10" height="10"/>'


def _diamond(x: float, y: float) -> str:
    return f'<path class="point" d="M{_n(x)} {_n(y - 7)}l7 7l-7 7l-7 -7z"/>'


def _triangle(x: float, y: float) -> str:
    return f'<path class="point" d="M{_n(x)} {_n(y - 6)}l6.5 11l-13 0z"/>'


SHAPES: dict[State, Callable[[float, float], str]] = {
    "plain": _circle,
    "pass": _circle,
    "fail": _square,
    "inconclusive": _diamond,
    "waived": _triangle,
}


# ---------------------------------------------------------------- SVG


def _picture(name: str, title: str, words: str, height: float, inside: str) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {_n(height)}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{html_text(title)}</title><desc id="{name}-d">{html_text(one_line(words, 2000))}</desc>'
        f"{inside}</svg>"
    )


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>'


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{html_text(text)}</text>'


def _fit(text: str, columns: int) -> str:
    """Return the start of a text that fits so many columns; a Chinese character or an emoji takes two."""
    line, used = one_line(text, 4 * columns), 0
    for at, char in enumerate(line):
        used += 2 if east_asian_width(char) in "WF" else 1
        if used > columns:
            return line[: at - 1] + "…"
    return line


def _n(value: float) -> str:
    """Return a pixel with one digit: more would only make bytes differ between machines."""
    return f"{value:.1f}".removesuffix(".0")


def numbers_of(mark: Mark) -> list[float]:
    """Return every number that a mark puts on its axis."""
    ends = [x for i in (mark.interval, mark.worst) if i is not None for x in (i.low, i.high)]
    return [*ends, *(x for x in (mark.value, mark.limit) if x is not None)]
