"""Charts in one visual language: Okabe and Ito's palette, marks that differ in shape too, the page's own theme.

A chart is a Vega-Lite spec as plain data with its rows inside (https://vega.github.io/vega-lite/docs/spec.html): made
in microseconds, without Altair or pandas, and in any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.evaluation.comparison import MetricDifference
from workbench.gate.decision import RuleRow
from workbench.reports.words import metric_name
from workbench.runs import Interval

BLUE, ORANGE, GREEN, YELLOW, SKY, RED, PINK, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#F0E442", "#56B4E9", "#D55E00", "#CC79A7", "#8A8A8A",
)  # fmt: skip
"""Okabe and Ito's colours (2008), told apart by colour-blind eyes, in light and dark."""
PALETTE = (BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY)
VERDICTS = {"pass": GREEN, "fail": RED, "inconclusive": ORANGE, "waived": BLUE, "": GREY}
SHAPES = {"pass": "circle", "fail": "square", "inconclusive": "diamond", "waived": "triangle-up", "": "circle"}
ROW, AXIS = 28, 60
"""Height of a row of a forest plot, and of its axis, in pixels."""

CLEAR = 0.05
"""Adjusted p-value below which a difference is marked."""

Values = Mapping[str, Any]
"""One mark: plain values by column."""
Drawn = dict[str, Any]
"""A Vega-Lite spec, or a part of one: what `parts.chart` draws."""
NO_LEGEND: Drawn = {"legend": None}


def mark(
    label: str, value: float | None, interval: Interval | None, verdict: str = "", **more: object
) -> dict[str, Any]:
    """Return one row of a forest plot. `verdict` chooses colour and shape; `more` is shown when pointed at."""
    low, high = (interval.low, interval.high) if interval else (None, None)
    return {"label": label, "value": value, "low": low, "high": high, "verdict": verdict, **more}


def forest(marks: Sequence[Values], axis: str, *, zero: float | None = None) -> Drawn:
    """Return a forest plot: one row a mark, its value and interval, a line at `zero`."""
    told = [name for name in marks[0] if name not in ("low", "high", "value")] if marks else []
    names = {"sort": [str(m["label"]) for m in marks], "title": None}
    shared = {
        "y": nominal("label") | names | {"axis": {"labelLimit": 260, "ticks": False, "domain": False}},
        "color": nominal("verdict") | {"scale": scale(VERDICTS)} | NO_LEGEND,
        "tooltip": [*map(nominal, told), *(amount(name, ".4f") for name in ("value", "low", "high"))],
    }
    x = amount("low") | {"title": axis, "scale": {"zero": False}, "axis": {"tickCount": 8}}
    shape = nominal("verdict") | {"scale": scale(SHAPES)} | NO_LEGEND
    layers = [
        {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": {"x": x, "x2": {"field": "high"}}},
        {"mark": points(70), "encoding": {"x": amount("value"), "shape": shape}},
    ]
    rows = {"data": values(marks), "encoding": shared, "layer": layers}
    line = [] if zero is None else [ruler([zero], GREY, (4, 3))]
    return {"height": AXIS + ROW * len(marks), "layer": [*line, rows]}


def surely(m: MetricDifference) -> str:
    """Return `pass` where the candidate is clearly better, `fail` where clearly worse, else nothing."""
    p = m.p if m.p_adjusted is None else m.p_adjusted
    if p is None or m.delta is None or p >= CLEAR:
        return ""
    return "pass" if (m.delta > 0) == (m.better == "higher") else "fail"


def rules(rows: Sequence[RuleRow]) -> Drawn:
    """Return the rows of a gate: how far each interval lies from its limit, good to the right; it must clear zero."""
    marks = []
    for row in rows:
        sign = 1 if row.passes == "above" else -1
        ends = (row.interval.low, row.interval.high) if row.interval else ()
        low, high = sorted(sign * (end - row.limit) for end in ends) if ends else (None, None)
        value = None if row.estimate is None else sign * (row.estimate - row.limit)
        label = metric_name(row.rule.partition(":")[2] or row.rule, row.better)
        marks.append({"label": label, "value": value, "low": low, "high": high, "verdict": row.verdict})
    return forest(marks, "distance from the limit (must lie right of the line)", zero=0.0)


def trend(found: Sequence[Values], title: str) -> Drawn:
    """Return a metric over runs, in their order: `at` (ISO time), `value`, `low`, `high`, `series`, `run`, `n`."""
    ordered = sorted(found, key=lambda p: str(p["at"]))
    told = [{**p, "when": f"{i + 1} · {str(p['at'])[5:16].replace('T', ' ')}"} for i, p in enumerate(ordered)]
    axis = {"labelAngle": -35, "labelOverlap": "greedy"}
    shared = {
        "x": nominal("when") | {"title": None, "sort": [p["when"] for p in told], "axis": axis},
        "color": nominal("series") | {"title": None, "scale": {"range": list(PALETTE)}},
        "tooltip": [
            *map(nominal, ("run", "series")),
            *(amount(name, ".3f") for name in ("value", "low", "high")),
            *map(amount, ("n", "n_failed")),
        ],
    }
    y = amount("value") | {"title": title, "scale": {"zero": False}}
    low = amount("low") | {"title": title}
    layers = [
        {"mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.6}, "encoding": {"y": low, "y2": {"field": "high"}}},
        {"mark": {"type": "line", "opacity": 0.5}, "encoding": {"y": y}},
        {"mark": points(70), "encoding": {"y": y, "shape": nominal("series") | {"title": None}}},
    ]
    return drawn(told, 280, {"encoding": shared, "layer": layers})


def bars(rows: Sequence[Values], x: str, y: str, *, title: str = "") -> Drawn:
    """Return horizontal bars: `y` names, `x` counts, in the given order."""
    names = {"sort": [str(r[y]) for r in rows], "title": None, "axis": {"labelLimit": 260}}
    encoding = {
        "x": amount(x) | {"title": title or x},
        "y": nominal(y) | names,
        "tooltip": [nominal(y), amount(x)],
    }
    return drawn(rows, None, {"mark": {"type": "bar", "color": BLUE}, "encoding": encoding})


def drawn(rows: Sequence[Values], height: int | None, part: Drawn) -> Drawn:
    """Return a part drawn of rows. They stand a level down: at the top Streamlit would take them through pandas."""
    return ({} if height is None else {"height": height}) | {"layer": [{"data": values(rows)} | part]}


def values(rows: Sequence[Values]) -> Drawn:
    """Return rows as the data of a chart, inline: nothing is fetched."""
    return {"values": [dict(row) for row in rows]}


def nominal(field: str) -> Drawn:
    """Return a column of names."""
    return {"field": field, "type": "nominal"}


def amount(field: str, format: str = "") -> Drawn:
    """Return a column of numbers, told in a format of d3's where one is given."""
    return {"field": field, "type": "quantitative"} | ({"format": format} if format else {})


def points(size: int) -> Drawn:
    """Return filled points of a size in square pixels."""
    return {"type": "point", "filled": True, "opacity": 1, "size": size}


def ruler(at: Sequence[float], color: str, dash: tuple[int, int]) -> Drawn:
    """Return dashed lines across a chart, at values of x."""
    mark = {"type": "rule", "strokeDash": list(dash), "color": color}
    return {"data": values([{"at": bound} for bound in at]), "mark": mark, "encoding": {"x": amount("at")}}


def scale(words: Mapping[str, str]) -> Drawn:
    """Return which word has which colour or shape."""
    return {"domain": list(words), "range": list(words.values())}
