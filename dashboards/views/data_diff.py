"""Two versions of a dataset, row by row and word by word: a part of the data page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import data_sets, parts
from workbench.curation.stored_datasets import Listed
from workbench.curation.versions import Changed, Diff

SHOWN = 100
"""Ids of a sort, and changed rows, that are listed."""


def show(versions: Sequence[Listed]) -> None:
    """Show what differs between two versions, by default between the last two."""
    if len(versions) < 2:
        parts.empty("There is one version of it only.", f"workbench data dedupe {versions[-1].label}")
        return
    names = [f"{v.version} · {v.path.name[:12]} · {v.at[:16].replace('T', ' ')}" for v in versions]
    left, right = st.columns(2)
    before = left.selectbox("Before", names, index=len(names) - 2, key="before")
    after = right.selectbox("After", names, index=len(names) - 1, key="after")
    found = data_sets.difference(versions[names.index(before)], versions[names.index(after)])
    st.caption(f"{found.n_before:,} rows → {found.n_after:,}: {len(found.added):,} added, {len(found.removed):,} "
               f"removed, {len(found.changed):,} changed, {found.n_same:,} the same")  # fmt: skip
    _ids(found)
    if not found.changed:
        return
    st.subheader("Changed rows")
    rows = [{"row": c.id, "fields": ", ".join(f.field for f in c.fields)} for c in found.changed[:SHOWN]]
    at = parts.table(rows, key="changed-rows", height=220)
    _changed(found.changed[at[0] if at else 0])
    if len(found.changed) > SHOWN:
        st.caption(f"and {len(found.changed) - SHOWN:,} more: `workbench data diff --limit`")


def _ids(found: Diff) -> None:
    for what, ids in (("Added", found.added), ("Removed", found.removed)):
        if ids:
            st.subheader(what)
            parts.table([{"row": name} for name in ids[:SHOWN]], height=min(40 + 35 * len(ids), 200))
            if len(ids) > SHOWN:
                st.caption(f"and {len(ids) - SHOWN:,} more: `workbench data diff --limit`")
    if found.moved:
        st.subheader("Moved to another family or side")
        parts.table([{"row": m.id, "what": m.what, "before": m.before, "after": m.after} for m in found.moved[:SHOWN]])


def _changed(row: Changed) -> None:
    parts.code(row.id)
    for change in row.fields:
        st.caption(parts.plain(change.field))
        if isinstance(change.before, str) and isinstance(change.after, str):
            parts.changed(change.before, change.after)
        else:
            parts.text("", f"{_plain(change.before)} → {_plain(change.after)}")


def _plain(value: object) -> str:
    return "nothing" if value is None else str(value)
