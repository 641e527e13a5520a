"""Charts in one visual language: Okabe and Ito's palette, marks that differ in shape too, the page's own theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from workbench.runs import Interval

BLUE, ORANGE, GREEN, YELLOW, SKY, RED, PINK, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#F0E442", "#56B4E9", "#D55E00", "#CC79A7", "#8A8A8A",
)  # fmt: skip
"""Okabe and Ito's colours (2008), told apart by colour-blind eyes, in light and dark."""
PALETTE = (BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY)
VERDICTS = {"pass": GREEN, "fail": RED, "inconclusive": ORANGE, "waived": BLUE, "": GREY}
SHAPES = {"pass": "circle", "fail": "square", "inconclusive": "diamond", "waived": "triangle-up", "": "circle"}
ROW = 30
"""Height of a row of a forest plot, in pixels."""

Values = Mapping[str, Any]
"""One mark: plain values by column."""
Drawn = alt.Chart | alt.LayerChart | alt.FacetChart
"""What `st.altair_chart` draws."""


def mark(
    label: str, value: float | None, interval: Interval | None, verdict: str = "", **more: object
) -> dict[str, Any]:
    """Return one row of a forest plot. `verdict` chooses colour and shape; `more` is shown when pointed at."""
    low, high = (interval.low, interval.high) if interval else (None, None)
    return {"label": label, "value": value, "low": low, "high": high, "verdict": verdict, **more}


def forest(marks: Sequence[Values], axis: str, *, zero: float | None = None) -> Drawn:
    """Return a forest plot: one row a mark, its value and interval, a line at `zero`."""
    data = _data(marks)
    names = [str(m["label"]) for m in marks]
    y = alt.Y("label:N", sort=names, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False))
    colour = alt.Color("verdict:N", scale=_scale(VERDICTS), legend=None)
    tips = [alt.Tooltip(f"{name}:N") for name in marks[0] if name not in ("low", "high", "value")] if marks else []
    tips += [alt.Tooltip(f"{name}:Q", format=".4f") for name in ("value", "low", "high")]
    base = alt.Chart(data).encode(y=y, tooltip=tips)
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=axis, scale=alt.Scale(zero=False)), x2="high:Q", color=colour
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x="value:Q", color=colour, shape=alt.Shape("verdict:N", scale=_scale(SHAPES), legend=None)
    )
    layers: list[alt.Chart] = [bars, points]
    if zero is not None:
        line = alt.Chart(_data([{"at": zero}])).mark_rule(strokeDash=[4, 3], color=GREY).encode(x="at:Q")
        layers.insert(0, line)
    return alt.layer(*layers).properties(height=max(60, ROW * len(marks)))


def trend(points: Sequence[Values], title: str) -> Drawn:
    """Return a metric over runs: `at` (ISO time), `value`, `low`, `high`, `series`; the band is the interval."""
    data = _data(points)
    base = alt.Chart(data).encode(
        x=alt.X("at:T", title=None),
        color=alt.Color("series:N", title=None, scale=alt.Scale(range=list(PALETTE))),
        tooltip=[
            alt.Tooltip("run:N"),
            alt.Tooltip("series:N"),
            alt.Tooltip("value:Q", format=".3f"),
            alt.Tooltip("n:Q"),
        ],
    )
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    bars = base.mark_rule(opacity=0.5).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    return alt.layer(bars, base.mark_line(opacity=0.6).encode(y=y), base.mark_point(filled=True, size=50).encode(y=y))


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


def _data(rows: Sequence[Values]) -> Any:
    return alt.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]


def _scale(words: Mapping[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(words), range=list(words.values()))
