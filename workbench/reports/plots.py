"""Which numbers share an axis, and the plots that comparisons and gates have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from workbench.reports.document import State
from workbench.reports.svg import Column, Mark, histogram, numbers_of
from workbench.reports.words import interval_text, metric_name, signed

if TYPE_CHECKING:
    from workbench.evaluation.comparison import MetricDifference

ALPHA = 0.05
"""Adjusted p-value above which a difference is not told apart from none."""


def by_axis(name: str, marks: Iterable[tuple[str, Mark]]) -> list[tuple[str, list[Mark]]]:
    """Divide (metric, mark) pairs into plots: shares of 1 together, every metric on another scale by itself.

    Returns each axis' name and its marks. A 1-to-5 rubric on one axis with a share would press the share flat.
    """
    plots: dict[str, list[Mark]] = {}
    for metric, mark in marks:
        small = all(abs(x) <= 1.0 for x in numbers_of(mark))
        plots.setdefault("" if small else metric, []).append(mark)
    return [(f"{name}, {metric}" if metric else name, found) for metric, found in plots.items()]


def difference_mark(difference: MetricDifference, label: str) -> Mark:
    """Return a row of a forest plot of differences: better, worse, or not told apart from no difference."""
    d = difference
    worst = d.worst_case if d.n_missing_baseline + d.n_missing_candidate else None
    said = f"{signed(d.delta)} {interval_text(d.interval)}" if d.interval else f"{signed(d.delta)} no interval"
    return Mark(label, d.delta, d.interval, direction(d), said, worst=worst)


def direction(difference: MetricDifference) -> State:
    """Return `pass` where the whole interval is better than no difference, `fail` where worse, else `inconclusive`.

    Where many are looked at, such as slices, the adjusted p-value must agree.
    """
    interval, p = difference.interval, difference.p_adjusted
    if interval is None or interval.low <= 0 <= interval.high or (p is not None and p > ALPHA):
        return "inconclusive"
    return "pass" if (interval.low > 0) == (difference.better == "higher") else "fail"


def difference_histogram(name: str, difference: MetricDifference) -> str:
    """Return how the paired differences of one metric are distributed."""
    columns = [Column(b.low, b.high, b.n) for b in difference.histogram]
    title = f"Differences of {difference.scorer} per sample"
    axis = f"{metric_name(difference.scorer, difference.better)}: candidate − baseline, per sample"
    return histogram(name, title, columns, axis, difference.delta, difference.better)
