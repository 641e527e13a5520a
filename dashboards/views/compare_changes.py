"""The answers that changed between two runs, side by side, with the words that differ marked."""

from __future__ import annotations

import streamlit as st

from dashboards import parts
from workbench.evaluation.comparison import Change, Comparison
from workbench.reports.words import number

SHOWN = 5
"""Changes on one page."""


def show_changes(found: Comparison) -> None:
    """Show regressions or fixes of one metric, the largest first."""
    st.subheader("What changed")
    names = [m.scorer for m in found.metrics if not m.slice]
    left, middle, right = st.columns(3)
    with left:
        kind = parts.choose("Show", ("regression", "fix"), key="kind")
    with middle:
        scorer = parts.choose("By", names, key="by")
    mine = [c for c in found.changes if c.kind == kind and c.scorer == scorer]
    n = (found.n_regressions if kind == "regression" else found.n_fixes).get(scorer or "", 0)
    pages = max(1, -(-len(mine) // SHOWN))
    page = right.number_input("Page", 1, pages, key="page", bind="query-params")
    st.caption(f"{n:,} samples" + (f", the largest {len(mine)} to read" if len(mine) < n else ""))
    for change in mine[(page - 1) * SHOWN : page * SHOWN]:
        _change(found, change)


def _change(found: Comparison, change: Change) -> None:
    with st.container(border=True):
        st.caption(f"{parts.plain(change.sample_id)} · {number(change.before)} → {number(change.after)}")
        parts.text("", change.question)
        parts.changed(change.answer_before, change.answer_after)
        if change.reason_before or change.reason:
            parts.beside(("why, before", change.reason_before), ("why, after", change.reason))
        parts.sample_link(found.candidate.runs[-1], change.sample_id)
