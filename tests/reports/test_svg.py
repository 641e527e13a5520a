"""Plots: every mark lies where its number is, and says it in words too."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from workbench.reports.plots import by_axis
from workbench.reports.svg import LEFT, RIGHT, WIDTH, Column, Mark, forest, histogram
from workbench.runs import Interval

VALUES = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: 0.0 if abs(x) < 1e-6 else x)


def interval(low: float, high: float) -> Interval:
    return Interval(low=low, high=high, method="t")


@given(st.lists(st.tuples(VALUES, VALUES, st.text(max_size=8)), min_size=1, max_size=6), st.none() | VALUES)
def test_every_mark_lies_inside_the_plot_in_the_order_of_its_numbers(
    rows: list[tuple[float, float, str]], limit: float | None
) -> None:
    marks = [Mark(text, min(a, b), interval(min(a, b), max(a, b)), limit=limit) for a, b, text in rows]
    root = ET.fromstring(forest("p", "title", marks, "axis", zero=0.0))
    circles = [float(c.get("cx", "nan")) for c in root.iter("circle")]
    assert len(circles) == len(rows)
    assert all(LEFT <= x <= WIDTH - RIGHT for x in circles)
    by_number = [x for _, x in sorted(zip((m.value or 0.0 for m in marks), circles, strict=True))]
    assert by_number == sorted(by_number)


def test_a_picture_has_a_title_a_description_and_a_tooltip_a_mark() -> None:
    marks = [Mark("a <b>", 0.5, interval(0.4, 0.6), "fail", "0.500 [0.400, 0.600]", limit=0.45), Mark("none", None)]
    root = ET.fromstring(forest("p", "Means", marks, "mean"))
    assert root.get("role") == "img" and root.get("aria-labelledby") == "p-t p-d"
    assert [t.text for t in root.iter("title")] == ["Means", "a <b>: 0.500 [0.400, 0.600]", "none: —"]
    assert root.findtext("desc") == "a <b>: 0.500 [0.400, 0.600]; none: —"
    assert [r.get("class") for r in root.iter("rect")] == ["bad", "point"], "a fail is a square"


def test_the_shaded_side_is_the_one_that_does_not_pass() -> None:
    for passes in ("above", "below"):
        root = ET.fromstring(forest("p", "t", [Mark("a", 0.5, interval(0.4, 0.6), limit=0.5, passes=passes)], "x"))
        (bad,) = (r for r in root.iter("rect") if r.get("class") == "bad")
        starts_left = float(bad.get("x", "nan")) == LEFT
        assert starts_left == (passes == "above")


def test_a_histogram_colours_wins_by_the_direction_that_is_good() -> None:
    columns = [Column(-1, -0.5, 3), Column(-0.5, 0.5, 90), Column(0.5, 1, 7)]
    for better, sides in (("higher", ["loss", "tie", "win"]), ("lower", ["win", "tie", "loss"])):
        root = ET.fromstring(histogram("h", "t", columns, "x", 0.04, better))
        assert [g.get("class") for g in root.iter("g")] == sides
    heights = [float(r.get("height", "nan")) for r in root.iter("rect")]
    assert heights[1] > heights[2] > heights[0] > 0


def test_nothing_to_draw_is_an_empty_axis() -> None:
    ET.fromstring(forest("p", "t", [], "x"))
    ET.fromstring(histogram("h", "t", [], "x", None, "higher"))


def test_a_rubric_does_not_share_an_axis_with_shares_of_one() -> None:
    marks = [("a", Mark("a", 0.5)), ("rubric", Mark("rubric", 3.5)), ("b", Mark("b", 0.9))]
    assert [(axis, [m.label for m in found]) for axis, found in by_axis("mean", marks)] == [
        ("mean", ["a", "b"]),
        ("mean, rubric", ["rubric"]),
    ]
