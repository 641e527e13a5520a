"""Charts in one visual language: Okabe and Ito's palette, marks that differ in shape too, the page's own theme."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec

import altair as alt

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
Drawn = alt.Chart | alt.LayerChart | alt.FacetChart
"""What `parts.chart` draws."""
P = ParamSpec("P")


def mark(
    label: str, value: float | None, interval: Interval | None, verdict: str = "", **more: object
) -> dict[str, Any]:
    """Return one row of a forest plot. `verdict` chooses colour and shape; `more` is shown when pointed at."""
    low, high = (interval.low, interval.high) if interval else (None, None)
    return {"label": label, "value": value, "low": low, "high": high, "verdict": verdict, **more}


def _unchecked(draw: Callable[P, Drawn]) -> Callable[P, Drawn]:
    """Draw without Altair's look at each part against its schema, which takes longer than all the rest of a page."""

    @wraps(draw)
    def drawn(*words: P.args, **named: P.kwargs) -> Drawn:
        with alt.utils.schemapi.debug_mode(False):
            return draw(*words, **named)

    return drawn


@_unchecked
def forest(marks: Sequence[Values], axis: str, *, zero: float | None = None) -> Drawn:
    """Return a forest plot: one row a mark, its value and interval, a line at `zero`."""
    names = [str(m["label"]) for m in marks]
    y = alt.Y("label:N", sort=names, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False))
    colour = alt.Color("verdict:N", scale=_scale(VERDICTS), legend=None)
    tips = [alt.Tooltip(f"{name}:N") for name in marks[0] if name not in ("low", "high", "value")] if marks else []
    tips += [alt.Tooltip(f"{name}:Q", format=".4f") for name in ("value", "low", "high")]
    base = alt.Chart().encode(y=y, tooltip=tips)
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=axis, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=8)), x2="high:Q", color=colour
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x="value:Q", color=colour, shape=alt.Shape("verdict:N", scale=_scale(SHAPES), legend=None)
    )
    layers: list[alt.Chart] = [bars, points]
    if zero is not None:
        layers.insert(0, alt.Chart(_data([{"at": zero}])).mark_rule(strokeDash=[4, 3], color=GREY).encode(x="at:Q"))
    return _layered(layers, marks, AXIS + ROW * len(marks))


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


@_unchecked
def trend(points: Sequence[Values], title: str) -> Drawn:
    """Return a metric over runs, in their order: `at` (ISO time), `value`, `low`, `high`, `series`, `run`, `n`."""
    ordered = sorted(points, key=lambda p: str(p["at"]))
    told = [{**p, "when": f"{i + 1} · {str(p['at'])[5:16].replace('T', ' ')}"} for i, p in enumerate(ordered)]
    names = [str(p["when"]) for p in told]
    base = alt.Chart().encode(
        x=alt.X("when:N", title=None, sort=names, axis=alt.Axis(labelAngle=-35, labelOverlap="greedy")),
        color=alt.Color("series:N", title=None, scale=alt.Scale(range=list(PALETTE))),
        tooltip=[
            alt.Tooltip("run:N"),
            alt.Tooltip("series:N"),
            alt.Tooltip("value:Q", format=".3f"),
            alt.Tooltip("low:Q", format=".3f"),
            alt.Tooltip("high:Q", format=".3f"),
            alt.Tooltip("n:Q"),
            alt.Tooltip("n_failed:Q"),
        ],
    )
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    bars = base.mark_rule(strokeWidth=2, opacity=0.6).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    points_drawn = base.mark_point(filled=True, size=70, opacity=1).encode(y=y, shape=alt.Shape("series:N", title=None))
    return _layered([bars, base.mark_line(opacity=0.5).encode(y=y), points_drawn], told, 280)


@_unchecked
def bars(rows: Sequence[Values], x: str, y: str, *, title: str = "") -> Drawn:
    """Return horizontal bars: `y` names, `x` counts, in the given order."""
    data = _data(rows)
    names = [str(r[y]) for r in rows]
    drawn: alt.Chart = (
        alt.Chart(data)
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X(f"{x}:Q", title=title or x),
            y=alt.Y(f"{y}:N", sort=names, title=None, axis=alt.Axis(labelLimit=260)),
            tooltip=[alt.Tooltip(f"{y}:N"), alt.Tooltip(f"{x}:Q")],
        )
    )
    return drawn


def _layered(layers: Sequence[alt.Chart], rows: Sequence[Values], height: int) -> Drawn:
    """Return layers over the same rows. Given last, since Altair copies a chart's data at each step of building it."""
    return alt.layer(*layers, data=_data(rows)).properties(height=height)


def _data(rows: Sequence[Values]) -> Any:
    return alt.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]


def _scale(words: Mapping[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(words), range=list(words.values()))
