"""Charts of the pages about data, in the language of `charts`."""

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
    Values,
    amount,
    drawn,
    forest,
    nominal,
    points,
    ruler,
    scale,
)  # fmt: skip
from workbench.calibration.judged import Judged
from workbench.curation.quality.waterfall import Step


def with_lines(marks: Sequence[Values], axis: str, at: Sequence[float], *, zero: float | None = None) -> Drawn:
    """Return a forest plot with lines at bounds."""
    below = forest(marks, axis, zero=zero)
    return {"height": below["height"] + 20, "layer": [ruler(at, ORANGE, (2, 4)), *below["layer"]]}


def cells(counts: dict[tuple[str, str], int]) -> Drawn:
    """Return a confusion matrix: people's verdict down, the judge's across; right cells are blue, wrong ones red."""
    rows = [
        {"people": human, "judge": judge, "n": n, "kind": "they agree" if human == judge else "they differ"}
        for (human, judge), n in counts.items()
    ]
    across = {"title": "the judge says", "sort": ["pass", "fail", "no verdict"], "axis": {"labelAngle": 0}}
    shared = {
        "x": nominal("judge") | across,
        "y": nominal("people") | {"title": "people say", "sort": ["pass", "fail"]},
    }
    colour = nominal("kind") | {"title": None, "scale": scale({"they agree": BLUE, "they differ": RED})} | NO_LEGEND
    tooltip = [*map(nominal, ("people", "judge")), amount("n")]
    layers = [
        {"mark": {"type": "rect", "opacity": 0.25, "stroke": GREY}, "encoding": {"color": colour, "tooltip": tooltip}},
        {
            "mark": {"type": "text", "fontSize": 20, "color": GREY, "fontWeight": "bold"},
            "encoding": {"text": amount("n")},
        },
    ]
    return drawn(rows, 190, {"encoding": shared, "layer": layers})


def rates(found: Sequence[Values]) -> Drawn:
    """Return rates over calibrations: `at`, `rate`, `value`, `low`, `high`, `version`; a point and bar each."""
    shared = {
        "x": nominal("at") | {"title": None, "sort": None, "axis": {"labelAngle": 0}},
        "color": nominal("rate") | {"title": None, "scale": {"range": list(PALETTE)}},
        "xOffset": nominal("rate"),
        "tooltip": [*map(nominal, ("at", "rate")), amount("value", ".3f"), amount("n"), nominal("version")],
    }
    whole = {"scale": {"domain": [0, 1]}}
    low = amount("low") | {"title": "share"} | whole
    layers = [
        {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": {"y": low, "y2": {"field": "high"}}},
        {
            "mark": points(80),
            "encoding": {"y": amount("value") | whole, "shape": nominal("rate") | {"title": None}},
        },
    ]
    return drawn(found, 260, {"encoding": shared, "layer": layers})


def lengths(rows: Sequence[Judged]) -> Drawn:
    """Return the judge's passes minus people's by length of the answer, in bins, with the number of answers."""
    told = [{"length": r.length, "excess": float(bool(r.judge)) - float(r.human)} for r in rows if r.length]
    mean: Drawn = amount("excess") | {"aggregate": "mean"}
    encoding = {
        "x": amount("length") | {"bin": {"maxbins": 8}, "title": "characters"},
        "y": mean | {"title": "judge − people", "scale": {"domain": [-1, 1]}, "axis": {"format": "+.1f"}},
        "tooltip": [mean | {"format": "+.3f"}, {"aggregate": "count", "type": "quantitative", "title": "n"}],
    }
    return drawn(told, 200, {"mark": {"type": "bar", "color": BLUE, "opacity": 0.8}, "encoding": encoding})


def waterfall(steps: Sequence[Step]) -> Drawn:
    """Return how many rows each filter lets through, and how many it would take or change."""
    rows = []
    for step in steps:
        taken = step.n_in - step.n_out
        rows.append({"filter": step.name, "from": 0, "to": step.n_out, "rows": step.n_out, "what": "go on"})
        rows.append({"filter": step.name, "from": step.n_out, "to": step.n_in, "rows": taken, "what": "taken"})
    encoding = {
        "x": amount("from") | {"title": "rows"},
        "x2": {"field": "to"},
        "y": nominal("filter") | {"sort": [step.name for step in steps], "title": None},
        "color": nominal("what") | {"title": None, "scale": scale({"go on": BLUE, "taken": ORANGE})},
        "tooltip": [*map(nominal, ("filter", "what")), amount("rows")],
    }
    return drawn(rows, AXIS + ROW * len(steps), {"mark": "bar", "encoding": encoding})
