"""Charts of error analysis: what was new with each further answer."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.charts import BLUE, Drawn, amount, drawn, points
from workbench.failures.counting import Point


def saturation(found: Sequence[Point]) -> Drawn:
    """Return the number of different codes over the number of coded answers; a dot where one was new."""
    rows = [{"answers": p.n, "codes": p.codes, "new": p.new} for p in found]
    whole = {"axis": {"tickMinStep": 1, "format": "d"}}
    shared = {
        "x": amount("answers") | {"title": "answers coded"} | whole,
        "y": amount("codes") | {"title": "codes seen"} | whole,
    }
    tooltip = [amount(name, "d") for name in ("answers", "codes", "new")]
    layers = [
        {"mark": {"type": "line", "interpolate": "step-after", "color": BLUE}},
        {
            "transform": [{"filter": "datum.new > 0"}],
            "mark": points(60) | {"color": BLUE},
            "encoding": {"tooltip": tooltip},
        },
    ]
    return drawn(rows, 240, {"encoding": shared, "layer": layers})
