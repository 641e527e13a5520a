"""Datasets: what they hold, where they come from, how good they are, and what changed."""

from __future__ import annotations

import streamlit as st

from dashboards import data_labels, data_sets, parts, pieces
from dashboards.views import data_diff, data_lineage, data_quality, data_rows
from workbench.curation.stored_datasets import Listed
from workbench.errors import WorkbenchError

VIEWS = ("Datasets", "Rows", "Lineage", "Quality", "Duplicates", "Personal data", "Diff")
FIRST = "workbench data import FILE --name NAME --use train"


def show() -> None:
    """Show one part of the page for one version of a dataset."""
    parts.head("Data", "What datasets hold, where they come from, how good they are, and what changed.")
    stored = data_sets.datasets()
    if stored.damaged:
        told = ", ".join(parts.plain(name, 60) for name in stored.damaged[:5])
        st.warning(f"No version of these can be read: {told}", icon=":material/warning:")
    if not stored.newest:
        parts.empty("No datasets yet. What a file is, is guessed and told.", FIRST)
        _records()
        return
    view = pieces.section(VIEWS)
    if view == "Datasets":
        _list(stored.newest)
        _records()
        return
    one = _version(stored.newest)
    st.caption(f"{one.manifest.n:,} {one.manifest.kind} in {one.manifest.n_groups:,} prompt families, for "
               f"{one.manifest.use} only")  # fmt: skip
    try:
        if view == "Rows":
            data_rows.show(one)
        elif view == "Lineage":
            data_lineage.show(one)
        elif view == "Diff":
            data_diff.show(data_sets.versions(one))
        else:
            data_quality.show(one, view)
    except WorkbenchError as exc:
        parts.fault(exc)


def _version(newest: list[Listed]) -> Listed:
    """Let a dataset and a version of it be chosen; the newest where nothing is said."""
    left, right = st.columns(2)
    labels = [one.label for one in newest]
    with left:
        label = parts.choose("Dataset", labels, key="dataset") or labels[0]
    one = newest[labels.index(label)]
    known = {f"{v.version} · {v.path.name[:12]}": v for v in reversed(data_sets.versions(one))}
    with right:
        said = parts.choose("Version", list(known), key="version", shown=lambda name: _when(known[name], name))
    return known.get(said or "", one)


def _when(one: Listed, name: str) -> str:
    return f"{name} · {one.at[:16].replace('T', ' ') or 'unknown when'} · {one.manifest.n:,} rows"


def _list(newest: list[Listed]) -> None:
    rows = [
        {"dataset": one.label, "kind": m.kind, "use": m.use, "rows": m.n, "families": m.n_groups,
         "versions": len(data_sets.versions(one)), "made": one.at[:16].replace("T", " "), "from": _source(m.rule),
         "equal rows left out": m.n_duplicates, "set aside": m.n_quarantined, "fingerprint": m.fingerprint[:12]}
        for one in newest
        for m in (one.manifest,)
    ]  # fmt: skip
    at = parts.table(rows, key="datasets")
    if at:
        label = newest[at[0]].label
        with st.container(horizontal=True):
            for view in VIEWS[1:5]:
                parts.link(f"{view} of {label}", "data", view=view, dataset=label)


def _source(rule: dict[str, str]) -> str:
    return next((rule[name] for name in ("source", "command", "rule") if name in rule), "")


def _records() -> None:
    """Show what was labelled or imported as records; the labelling page has more of it."""
    found, _ = data_labels.snapshots()
    if not found:
        return
    st.subheader("Records")
    st.caption("What logs, traces and labelled data became; pairs and conversations are made of it.")
    parts.table([
        {"records": one.path.parent.name, "rows": one.manifest.n_records, "labelled": one.manifest.n_labelled,
         "labels": one.manifest.n_labels, "people": len(one.manifest.annotators), "versions": one.n_versions,
         "pulled": one.at[:16].replace("T", " "), "fingerprint": one.manifest.fingerprint[:12]}
        for one in found
    ])  # fmt: skip
    parts.link("What people said of them", "labelling")
