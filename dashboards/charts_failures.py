"""Charts of error analysis: what was new with each further answer."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from dashboards.charts import BLUE, Drawn
from workbench.failures.counting import Point


def saturation(points: Sequence[Point]) -> Drawn:
    """Return the number of different codes over the number of coded answers; a dot where one was new."""
    rows = [{"answers": p.n, "codes": p.codes, "new": p.new} for p in points]
    data = alt.Data(values=rows)  # type: ignore[no-untyped-call]
    x = alt.X("answers:Q", title="answers coded", axis=alt.Axis(tickMinStep=1, format="d"))
    y = alt.Y("codes:Q", title="codes seen", axis=alt.Axis(tickMinStep=1, format="d"))
    tips = [alt.Tooltip(f"{name}:Q", format="d") for name in ("answers", "codes", "new")]
    line = alt.Chart(data).mark_line(interpolate="step-after", color=BLUE).encode(x=x, y=y)
    dots = alt.Chart(data).mark_point(filled=True, size=60, color=BLUE).encode(x=x, y=y, tooltip=tips)
    return alt.layer(line, dots.transform_filter("datum.new > 0")).properties(height=240)
