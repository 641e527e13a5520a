"""Preference pairs and conversations: built from what people said, looked at, and saved as a version."""

from __future__ import annotations

import streamlit as st

from dashboards import building, data_building, parts, pieces, set_parts
from dashboards.views.pairs_sources import wanted
from workbench.errors import LeakageError, WorkbenchError
from workbench.jobs.pairs import Building
from workbench.jobs.pairs_linting import LintWish
from workbench.jobs.pairs_preview import Preview

MANY = 20_000
"""Rows of the sources from which on a preview is made when it is asked for, and not with every change."""
WISH = LintWish()


def show() -> None:
    """Show the builder, or a stored set."""
    parts.head("Pairs", "From what people said to a set that may be learnt from, and what is wrong with it.")
    if pieces.section(("Build", "Stored sets")) == "Build":
        _builder()
    else:
        _stored()


def _builder() -> None:
    building_wanted = wanted()
    if building_wanted is None:
        return
    n = data_building.rows_of(building_wanted)
    if n > MANY and not st.button(f"Look at it: about {n:,} rows", key="look"):
        st.caption("So many rows take a while; choose sources and rules first.")
        return
    try:
        found = data_building.preview_of(building_wanted, WISH)
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    _preview(found)
    _save(building_wanted, found)


def _preview(found: Preview) -> None:
    m = found.manifest
    st.subheader(f"{m.n:,} {m.kind} in {m.n_groups:,} families")
    set_parts.waterfall(found.steps)
    if found.leaks:
        parts.trouble(
            f"{len(found.leaks):,} rows are known to gate sets" + (", and are left out." if _drops(found) else ":"),
            "\n".join(f"{name}: {how}" for name, how in list(found.leaks.items())[:10]),
        )
    else:
        st.caption(
            f"No row is known to any of {found.n_gates} gate sets." if found.n_gates else "There is no gate set."
        )
    st.subheader("Score card")
    set_parts.score_card(found.card, "card")
    st.subheader("Balance")
    set_parts.made_of(found.made_of)
    st.subheader("Rows")
    set_parts.rows(found.shown, "preview-rows")
    if found.set_aside:
        with st.expander(f"{len(found.set_aside)} pairs that contradict each other, set aside"):
            parts.table([{"why": w, "prompt": p.prompt[-1].content, "row": p.id} for w, p in found.set_aside])
    if found.changes is not None and found.before is not None:
        st.subheader(f"Against version {found.before.version}")
        set_parts.changes(found.changes)


def _save(wanted: Building, found: Preview) -> None:
    """Offer to save: as it is, and a length-matched part besides."""
    st.subheader("Save as a version")
    number = 1 if found.before is None else found.before.version + 1
    st.caption(f"Version {number} of {parts.plain(wanted.name)}-{wanted.use}; signed with who and when.")
    if found.known:
        st.caption("The newest version has these very rows: saving adds a line to its history.")
    even = found.n_balanced is not None and 0 < found.n_balanced < found.manifest.n
    with st.container(horizontal=True):
        whole = parts.button("Save", "build", key="save")
        matched = even and parts.button(
            f"Save, and a length-matched part of {found.n_balanced:,}", "build", key="save-balanced",
            help="In which length does not tell which side was chosen; stored as one version more.",
        )  # fmt: skip
    if not (whole or matched):
        return
    try:
        stored = building.save_pairs(wanted).stored
        name = f"{stored.manifest.name}-{stored.manifest.use}"
        if matched:
            stored = building.save_balanced(name, WISH).stored
    except LeakageError as exc:
        parts.trouble("It was not saved: gate sets know rows of it. Drop them by the policy.", str(exc)[:2000])
    except WorkbenchError as exc:
        parts.fault(exc)
    else:
        said = f"Saved {stored.manifest.n:,} rows by {stored.manifest.rule.get('by', '')}"
        st.success(parts.plain(said), icon=":material/save:")
        parts.code(f"{name}@{stored.manifest.fingerprint[:12]}")
        method = "dpo" if wanted.kind == "pairs" else "sft"
        dataset = f"{stored.manifest.name}@{stored.path.name[:12]}"
        parts.link("Plan a training on it", "training", view="Plan", method=method, dataset=dataset, called=wanted.name)


def _stored() -> None:
    """Show a stored set: its versions, who made them, its score card, and what changed."""
    found = data_building.datasets("pairs", "conversations")
    if not found:
        parts.empty("No pairs or conversations are stored yet.", "workbench pairs build NAME --labels DATASET")
        return
    label = parts.choose("Set", [one.label for one in found], key="set") or found[0].label
    rows = [
        {"version": one.version, "at": one.at[:19], "rows": one.manifest.n, "families": one.manifest.n_groups,
         "by": one.manifest.rule.get("by", ""), "made by": one.manifest.rule.get("made by", ""),
         "how": one.manifest.rule.get("balanced") or one.manifest.rule.get("waterfall", ""),
         "fingerprint": one.path.name[:12]}
        for one in reversed(data_building.versions(label))
    ]  # fmt: skip
    parts.table(rows)
    st.subheader("Score card")
    set_parts.score_card(data_building.card_of(label, WISH), "stored")
    changes = data_building.changes_of(label)
    if changes is not None:
        st.subheader("Against the version before")
        set_parts.changes(changes)


def _drops(found: Preview) -> bool:
    return found.manifest.rule.get("policy.leaks") == "drop"
