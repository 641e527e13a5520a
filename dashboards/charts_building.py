"""Charts of the pages that build and train, in the language of `charts`."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.charts import (
    AXIS,
    BLUE,
    GREY,
    NO_LEGEND,
    ORANGE,
    PALETTE,
    RED,
    ROW,
    Drawn,
    amount,
    drawn,
    nominal,
    points,
    scale,
    values,
)  # fmt: skip
from workbench.curation.evalsets.choosing import Stratum
from workbench.curation.pairs.composition import LengthClass, Part
from workbench.reports.escaping import one_line
from workbench.training.losses import LossRow
from workbench.training.memory import GB, Memory


def lengths(classes: Sequence[LengthClass]) -> Drawn:
    """Return how many chosen and rejected sides are of each length, side by side."""
    rows = [
        {"length": _class(one), "side": side, "n": n}
        for one in classes
        for side, n in (("chosen", one.chosen), ("rejected", one.rejected))
    ]
    names = {"sort": [_class(one) for one in classes], "title": None, "axis": {"labelAngle": 0}}
    encoding = {
        "x": nominal("length") | names,
        "xOffset": nominal("side"),
        "y": amount("n") | {"title": "sides"},
        "color": nominal("side") | {"title": None, "scale": scale({"chosen": BLUE, "rejected": ORANGE})},
        "tooltip": [*map(nominal, ("side", "length")), amount("n")],
    }
    return drawn(rows, 240, {"mark": "bar", "encoding": encoding})


def shares(parts: Sequence[Part], n: int) -> Drawn:
    """Return how many rows each part has, and in how many of them the chosen side is the longer one."""
    rows = [
        {"name": one_line(part.name, 60), "rows": part.n, "share of rows": part.n / n if n else 0.0,
         "chosen longer": "unknown" if part.longer is None else f"{part.longer:.2f}"}
        for part in parts
    ]  # fmt: skip
    names = {"sort": [row["name"] for row in rows], "title": None, "axis": {"labelLimit": 200}}
    shared = {
        "x": amount("rows") | {"title": "rows"},
        "y": nominal("name") | names,
        "tooltip": [nominal("name"), amount("rows"), amount("share of rows", ".2f"), nominal("chosen longer")],
    }
    beside = {"type": "text", "align": "left", "dx": 4, "color": GREY}
    layers = [
        {"mark": {"type": "bar", "color": BLUE}},
        {"mark": beside, "encoding": {"text": nominal("chosen longer")}},
    ]
    return drawn(rows, AXIS + ROW * len(rows), {"encoding": shared, "layer": layers})


def strata(found: Sequence[Stratum]) -> Drawn:
    """Return how many of the candidates of each stratum are taken."""
    rows = [
        {"stratum": one_line(one.name, 60), "what": what, "n": n}
        for one in found
        for what, n in (("taken", one.taken), ("left", one.available - one.taken))
    ]
    encoding = {
        "y": nominal("stratum") | {"title": None, "axis": {"labelLimit": 260}},
        "x": amount("n") | {"title": "candidates"},
        "color": nominal("what") | {"title": None, "scale": scale({"taken": BLUE, "left": GREY})},
        "order": nominal("what") | {"sort": "descending"},
        "tooltip": [*map(nominal, ("stratum", "what")), amount("n")],
    }
    return drawn(rows, AXIS + ROW * len(found), {"mark": "bar", "encoding": encoding})


def memory(needed: Memory, card: int, name: str) -> Drawn:
    """Return the memory of a training by part as one bar, with the peak and what the card has."""
    rows = [{"part": p.name, "GB": p.bytes / GB, "how": p.how, "at": i} for i, p in enumerate(needed.parts) if p.bytes]
    parts = {"title": None, "sort": [row["part"] for row in rows], "scale": {"range": list(PALETTE)}}
    bar = {
        "data": values(rows),
        "mark": {"type": "bar", "height": 38},
        "encoding": {
            "x": amount("GB") | {"title": "GB", "stack": "zero"},
            "color": nominal("part") | parts | {"legend": {"orient": "bottom", "columns": 4}},
            "order": amount("at"),
            "tooltip": [nominal("part"), amount("GB", ".3f"), nominal("how")],
        },
    }
    marks = [
        {"at": needed.peak / GB, "what": f"peak {needed.peak / GB:.2f} GB", "kind": "peak"},
        {"at": card / GB, "what": f"{one_line(name, 20)} has {card / GB:.1f} GB", "kind": "card"},
    ]
    lines = {
        "data": values(marks),
        "encoding": {
            "x": amount("at"),
            "color": nominal("kind") | {"scale": scale({"peak": RED, "card": GREY})} | NO_LEGEND,
            "tooltip": [nominal("what")],
        },
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 3}},
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "dy": -32},
                "encoding": {"text": nominal("what")},
            },
        ],
    }
    return {"height": 120, "layer": [bar, lines], "resolve": {"scale": {"color": "independent"}}}


def curves(rows: Sequence[LossRow], fields: Sequence[str], title: str) -> Drawn:
    """Return what was measured over the steps: a line a field, dashed and with points on the dev set."""
    told = [
        {"step": row.step, "value": value, "what": f"{field.replace('_', ' ')}, {row.split}", "split": row.split}
        for row in rows
        for field in fields
        if (value := getattr(row, field)) is not None
    ]
    colour = {"title": None, "scale": {"range": list(PALETTE)}, "legend": {"orient": "bottom", "columns": 2}}
    shared = {
        "x": amount("step") | {"title": "optimizer step"},
        "y": amount("value") | {"title": title, "scale": {"zero": False}},
        "color": nominal("what") | colour,
        "tooltip": [nominal("what"), amount("step"), amount("value", ".4f")],
    }
    dash = nominal("split") | {"scale": {"domain": ["train", "dev"], "range": [[1, 0], [5, 3]]}} | NO_LEGEND
    layers = [
        {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {"strokeDash": dash}},
        {"transform": [{"filter": "datum.split === 'dev'"}], "mark": points(50)},
    ]
    return drawn(told, 280, {"encoding": shared, "layer": layers})


def _class(one: LengthClass) -> str:
    return f"{one.low}+" if one.high is None else f"{one.low}–{one.high - 1}"
