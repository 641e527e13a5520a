"""Charts of the pages that build and train, in the language of `charts`."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from dashboards.charts import AXIS, BLUE, GREY, ORANGE, PALETTE, RED, ROW, Drawn
from dashboards.charts_data import values
from workbench.curation.evalsets.choosing import Stratum
from workbench.curation.pairs.composition import LengthClass, Part
from workbench.reports.escaping import one_line
from workbench.training.losses import LossRow
from workbench.training.memory import GB, Memory

SIDES = alt.Scale(domain=["chosen", "rejected"], range=[BLUE, ORANGE])


def lengths(classes: Sequence[LengthClass]) -> Drawn:
    """Return how many chosen and rejected sides are of each length, side by side."""
    rows = [
        {"length": _class(one), "side": side, "n": n}
        for one in classes
        for side, n in (("chosen", one.chosen), ("rejected", one.rejected))
    ]
    drawn: alt.Chart = alt.Chart(values(rows)).mark_bar().encode(
        x=alt.X("length:N", sort=[_class(one) for one in classes], title=None, axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("side:N"),
        y=alt.Y("n:Q", title="sides"),
        color=alt.Color("side:N", title=None, scale=SIDES),
        tooltip=["side:N", "length:N", "n:Q"],
    ).properties(height=240)  # fmt: skip
    return drawn


def shares(parts: Sequence[Part], n: int) -> Drawn:
    """Return how many rows each part has, and in how many of them the chosen side is the longer one."""
    rows = [
        {"name": one_line(part.name, 60), "rows": part.n, "share of rows": part.n / n if n else 0.0,
         "chosen longer": "unknown" if part.longer is None else f"{part.longer:.2f}"}
        for part in parts
    ]  # fmt: skip
    base = alt.Chart(values(rows)).encode(
        y=alt.Y("name:N", sort=[one_line(part.name, 60) for part in parts], title=None, axis=alt.Axis(labelLimit=200)),
        tooltip=["name:N", "rows:Q", alt.Tooltip("share of rows:Q", format=".2f"), "chosen longer:N"],
    )
    bars = base.mark_bar(color=BLUE).encode(x=alt.X("rows:Q", title="rows"))
    text = base.mark_text(align="left", dx=4, color=GREY).encode(x="rows:Q", text="chosen longer:N")
    return alt.layer(bars, text).properties(height=AXIS + ROW * len(rows))


def strata(found: Sequence[Stratum]) -> Drawn:
    """Return how many of the candidates of each stratum are taken."""
    rows = [
        {"stratum": one_line(one.name, 60), "what": what, "n": n}
        for one in found
        for what, n in (("taken", one.taken), ("left", one.available - one.taken))
    ]
    scale = alt.Scale(domain=["taken", "left"], range=[BLUE, GREY])
    drawn: alt.Chart = alt.Chart(values(rows)).mark_bar().encode(
        y=alt.Y("stratum:N", title=None, axis=alt.Axis(labelLimit=260)),
        x=alt.X("n:Q", title="candidates"),
        color=alt.Color("what:N", title=None, scale=scale),
        order=alt.Order("what:N", sort="descending"),
        tooltip=["stratum:N", "what:N", "n:Q"],
    ).properties(height=AXIS + ROW * len(found))  # fmt: skip
    return drawn


def memory(needed: Memory, card: int, name: str) -> Drawn:
    """Return the memory of a training by part as one bar, with the peak and what the card has."""
    rows = [{"part": p.name, "GB": p.bytes / GB, "how": p.how, "at": i} for i, p in enumerate(needed.parts) if p.bytes]
    bar = alt.Chart(values(rows)).mark_bar(height=38).encode(
        x=alt.X("GB:Q", title="GB", stack="zero"),
        color=alt.Color("part:N", title=None, sort=[p.name for p in needed.parts if p.bytes],
                        scale=alt.Scale(range=list(PALETTE)), legend=alt.Legend(orient="bottom", columns=4)),
        order=alt.Order("at:Q"),
        tooltip=["part:N", alt.Tooltip("GB:Q", format=".3f"), "how:N"],
    )  # fmt: skip
    marks = [
        {"at": needed.peak / GB, "what": f"peak {needed.peak / GB:.2f} GB", "kind": "peak"},
        {"at": card / GB, "what": f"{one_line(name, 20)} has {card / GB:.1f} GB", "kind": "card"},
    ]
    base = alt.Chart(values(marks)).encode(
        x="at:Q",
        color=alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["peak", "card"], range=[RED, GREY])),
        tooltip=["what:N"],
    )
    names = base.mark_text(align="left", dx=5, dy=-32).encode(text="what:N")
    lines = alt.layer(base.mark_rule(strokeWidth=3), names)
    drawn: alt.LayerChart = alt.layer(bar, lines).resolve_scale(color="independent").properties(height=120)
    return drawn


def curves(rows: Sequence[LossRow], fields: Sequence[str], title: str) -> Drawn:
    """Return what was measured over the steps: a line a field, dashed and with points on the dev set."""
    points = [
        {"step": row.step, "value": value, "what": f"{field.replace('_', ' ')}, {row.split}", "split": row.split}
        for row in rows
        for field in fields
        if (value := getattr(row, field)) is not None
    ]
    base = alt.Chart(values(points)).encode(
        x=alt.X("step:Q", title="optimizer step"),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False)),
        color=alt.Color(
            "what:N", title=None, scale=alt.Scale(range=list(PALETTE)), legend=alt.Legend(orient="bottom", columns=2)
        ),
        tooltip=["what:N", "step:Q", alt.Tooltip("value:Q", format=".4f")],
    )
    lines = base.mark_line(strokeWidth=2).encode(
        strokeDash=alt.StrokeDash(
            "split:N", legend=None, scale=alt.Scale(domain=["train", "dev"], range=[[1, 0], [5, 3]])
        )
    )
    on_dev = base.transform_filter("datum.split === 'dev'").mark_point(filled=True, size=50)
    return alt.layer(lines, on_dev).properties(height=280)


def _class(one: LengthClass) -> str:
    return f"{one.low}+" if one.high is None else f"{one.low}–{one.high - 1}"
