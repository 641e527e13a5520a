"""Charts of the pages about data, in the language of `charts`."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from dashboards.charts import AXIS, BLUE, GREY, ORANGE, PALETTE, RED, ROW, Drawn, Values, forest
from workbench.calibration.judged import Judged
from workbench.curation.quality.waterfall import Step


def with_lines(marks: Sequence[Values], axis: str, at: Sequence[float], *, zero: float | None = None) -> Drawn:
    """Return a forest plot with lines at bounds."""
    drawn = forest(marks, axis, zero=zero)
    lines = alt.Chart(values([{"at": bound} for bound in at])).mark_rule(strokeDash=[2, 4], color=ORANGE)
    return alt.layer(lines.encode(x="at:Q"), drawn).properties(height=AXIS + 20 + ROW * len(marks))


def cells(counts: dict[tuple[str, str], int]) -> Drawn:
    """Return a confusion matrix: people's verdict down, the judge's across; right cells are blue, wrong ones red."""
    rows = [
        {"people": human, "judge": judge, "n": n, "kind": "they agree" if human == judge else "they differ"}
        for (human, judge), n in counts.items()
    ]
    base = alt.Chart(values(rows)).encode(
        x=alt.X("judge:N", title="the judge says", sort=["pass", "fail", "no verdict"], axis=alt.Axis(labelAngle=0)),
        y=alt.Y("people:N", title="people say", sort=["pass", "fail"]),
    )
    colour = alt.Color(
        "kind:N", title=None, scale=alt.Scale(domain=["they agree", "they differ"], range=[BLUE, RED]), legend=None
    )
    boxes = base.mark_rect(opacity=0.25, stroke=GREY).encode(color=colour, tooltip=["people:N", "judge:N", "n:Q"])
    return alt.layer(boxes, base.mark_text(fontSize=20, color=GREY, fontWeight="bold").encode(text="n:Q")).properties(
        height=190
    )


def rates(points: Sequence[Values]) -> Drawn:
    """Return rates over calibrations: `at`, `rate`, `value`, `low`, `high`, `version`; a point and bar each."""
    base = alt.Chart(values(points)).encode(
        x=alt.X("at:N", title=None, sort=None, axis=alt.Axis(labelAngle=0)),
        color=alt.Color("rate:N", title=None, scale=alt.Scale(range=list(PALETTE))),
        shape=alt.Shape("rate:N", title=None),
        xOffset=alt.XOffset("rate:N"),
        tooltip=["at:N", "rate:N", alt.Tooltip("value:Q", format=".3f"), "n:Q", "version:N"],
    )
    scale = alt.Scale(domain=[0, 1])
    bars = base.mark_rule(strokeWidth=2).encode(
        y=alt.Y("low:Q", title="share", scale=scale), y2="high:Q", shape=alt.Undefined
    )
    return alt.layer(bars, base.mark_point(filled=True, size=80).encode(y=alt.Y("value:Q", scale=scale))).properties(
        height=260
    )


def lengths(rows: Sequence[Judged]) -> Drawn:
    """Return the judge's passes minus people's by length of the answer, in bins, with the number of answers."""
    points = [{"length": r.length, "excess": float(bool(r.judge)) - float(r.human)} for r in rows if r.length]
    binned = alt.Chart(values(points)).encode(x=alt.X("length:Q", bin=alt.Bin(maxbins=8), title="characters"))
    drawn: alt.Chart = binned.mark_bar(color=BLUE, opacity=0.8).encode(
        y=alt.Y("mean(excess):Q", title="judge − people", scale=alt.Scale(domain=[-1, 1]),
                axis=alt.Axis(format="+.1f")),
        tooltip=[alt.Tooltip("mean(excess):Q", format="+.3f"), alt.Tooltip("count():Q", title="n")],
    ).properties(height=200)  # fmt: skip
    return drawn


def waterfall(steps: Sequence[Step]) -> Drawn:
    """Return how many rows each filter lets through, and how many it would take or change."""
    rows = []
    for step in steps:
        taken = step.n_in - step.n_out
        rows.append({"filter": step.name, "from": 0, "to": step.n_out, "rows": step.n_out, "what": "go on"})
        rows.append({"filter": step.name, "from": step.n_out, "to": step.n_in, "rows": taken, "what": "taken"})
    scale = alt.Scale(domain=["go on", "taken"], range=[BLUE, ORANGE])
    drawn: alt.Chart = alt.Chart(values(rows)).mark_bar().encode(
        x=alt.X("from:Q", title="rows"), x2="to:Q",
        y=alt.Y("filter:N", sort=[step.name for step in steps], title=None),
        color=alt.Color("what:N", title=None, scale=scale),
        tooltip=["filter:N", "what:N", "rows:Q"],
    ).properties(height=AXIS + ROW * len(steps))  # fmt: skip
    return drawn


def values(rows: Sequence[Values]) -> alt.Data:
    """Return rows as the data of a chart, inline: nothing is fetched."""
    return alt.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]
