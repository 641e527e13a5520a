"""Eval sets: built from what people settled, looked through for what they cannot tell, each version with its reason."""

from __future__ import annotations

import streamlit as st

from dashboards import data, data_building, parts, pieces, set_parts
from dashboards.views import evalsets_build
from workbench.config.evalset_yaml import FILE
from workbench.errors import WorkbenchError
from workbench.jobs.building_evalsets import CHANGES

VIEWS = ("Audit", "Build", "Changes")


def show() -> None:
    """Show the audit of an evalset, the builder, or what changed."""
    parts.head("Eval sets", "What is asked, what the answers can and cannot tell, and who changed it, when and why.")
    view = pieces.section(VIEWS)
    if view == "Build":
        evalsets_build.show(_names())
        return
    if not (names := _names()):
        parts.empty("No evalset yet: write one, or build one from labels.", "workbench init")
        return
    name = parts.choose("Eval set", names, key="evalset") or names[0]
    try:
        if view == "Audit":
            _audit(name)
        else:
            _changes(name)
    except WorkbenchError as exc:
        parts.fault(exc)


def _names() -> list[str]:
    """Return the evalsets' names, those whose file is damaged too."""
    return sorted(path.parent.name for path in data.bench().evalsets.glob(f"*/{FILE}"))


def _audit(name: str) -> None:
    evalset = data_building.evalset(name)
    found = data_building.audit_of(name)
    st.caption(parts.plain(evalset.spec.description, 400))
    for column, (side, n) in zip(st.columns(max(4, len(found.sides))), found.sides.items(), strict=False):
        column.metric(f"{side} samples", f"{n:,}")
        column.caption(f"fingerprint {found.fingerprints[side][:12]}")
    st.subheader("Audit")
    set_parts.audit(found)
    with st.container(horizontal=True):
        parts.link("Its runs", "runs", q=name)


def _changes(name: str) -> None:
    folder = data.bench().evalsets / name
    log = folder / CHANGES
    if not log.exists():
        parts.empty(
            "No version was built here yet: its samples were written by hand.", f"workbench evalset build {name}"
        )
        return
    changes = data_building.since(name)
    st.subheader("Since the newest entry")
    if changes is None:
        st.caption(
            "This home no longer has the version of the newest entry, so they cannot be held against each other."
        )
    else:
        set_parts.changes(changes)
    st.subheader("Change log")
    with st.container(height=480):
        parts.text("", log.read_text("utf-8", "replace"))
