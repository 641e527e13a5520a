"""The builder of the eval sets page: sources, strata with a preview, and a version that is signed and has a reason."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from dashboards import building, charts_building, data, data_building, parts, set_parts
from workbench.curation.evalsets.choosing import How, Wanted, left_told
from workbench.datasets import Sample
from workbench.errors import WorkbenchError
from workbench.jobs.building_evalsets import Built
from workbench.jobs.evalset_candidates import Sources
from workbench.reading.storing import NAME

SHOWN = 20
WHOLE = "(no strata)"


def show(names: list[str]) -> None:
    """Show the builder."""
    left, right = st.columns(2, vertical_alignment="bottom")
    name = left.text_input(
        "Eval set, or a new name", key="into", bind="query-params", placeholder=names[0] if names else "first",
        help=parts.plain(f"There are: {', '.join(names) or 'none'}", 600),
    )  # fmt: skip
    replace = right.checkbox("Replace rows of the same id", key="replace", bind="query-params")
    sources = _sources()
    if not sources.hold_samples():
        parts.empty("Choose where samples come from; documents are cut into records to be labelled by:",
                    "workbench evalset build NAME --documents FOLDER --by YOU --why WHY")  # fmt: skip
        return
    if not NAME.fullmatch(name) or name != name.lower():
        st.info("Name it: small letters, digits, dash, underscore.", icon=":material/info:")
        return
    wanted = _strata(sources)
    if wanted is None:
        return
    try:
        found = data_building.would_build(name, sources, wanted, replace)
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    _preview(found)
    _save(name, sources, wanted, found, replace=replace)


def _sources() -> Sources:
    snapshots = [one.path.parent.name for one in data_building.snapshots()]
    runs = {run.id: f"{run.model} · {run.evalset} · {run.use}" for run in data.finished() if run.use != "gate"}
    stored = [one.label for one in data_building.datasets("samples")]
    first, second, third = st.columns(3)
    with first:
        labels = parts.choose_several("Labelled records", snapshots, key="labels")
    with second:
        failures = parts.choose_several("Failures of runs", list(runs), key="failures", shown=lambda run: runs[run])
    with third:
        datasets = parts.choose_several("Stored and imported samples", stored, key="datasets")
    return Sources(labels, failures, datasets)


def _strata(sources: Sources) -> Wanted | None:
    """Let number and strata be chosen; `None` where the sources cannot be read, which is told."""
    try:
        tags = data_building.candidate_tags(sources)
    except WorkbenchError as exc:
        parts.fault(exc)
        return None
    first, second, third, fourth = st.columns(4)
    with first:
        tag = parts.choose("Strata", [WHOLE, *tags], key="strata")
    with second:
        how = parts.choose("Of each", get_args(How), key="how") or "equal"
    n = third.number_input("Samples in all", 1, 1_000_000, None, key="n", bind="query-params", placeholder="all")
    seed = fourth.number_input("Seed of the lot", 0, 2**31, 0, key="seed", bind="query-params")
    tag = None if tag in (None, WHOLE) else tag
    return Wanted(None if n is None else int(n), tag, how, int(seed or 0))  # type: ignore[arg-type]


def _preview(found: Built) -> None:
    merged, choice = found.merged, found.choice
    st.subheader("What would change")
    counts = {"samples then": len(merged.samples), "added": len(merged.added), "changed": len(merged.changed),
              "kept as they stand": len(merged.kept)}  # fmt: skip
    for column, (label, n) in zip(st.columns(len(counts)), counts.items(), strict=True):
        column.metric(label, f"{n:,}")
    if any(one.name for one in choice.strata):
        parts.chart(charts_building.strata(choice.strata))
    if left := left_told(choice.left):
        st.caption("Left out")
        parts.table([{"n": len(ids), "why": why, "such as": ", ".join(ids[:5])} for why, ids in left])
    if merged.added:
        with st.expander(f"Samples that would be added: {min(SHOWN, len(merged.added))} of {len(merged.added):,}"):
            parts.table([_row(merged.samples[name]) for name in merged.added[:SHOWN]])
    for change in merged.changed[:SHOWN]:
        with st.expander(f"Changes {parts.plain(change.id)}"):
            for field in change.fields:
                st.caption(parts.plain(field.field))
                parts.changed(str(field.before), str(field.after))


def _row(sample: Sample) -> dict[str, object]:
    tags = ", ".join(f"{tag}={value}" for tag, value in sample.tags.items())
    return {"question": sample.question(), "references": " / ".join(sample.references), "tags": tags,
            "sample": sample.id}  # fmt: skip


def _save(name: str, sources: Sources, wanted: Wanted, found: Built, *, replace: bool) -> None:
    st.subheader("Save as a version")
    if not found.entry:
        st.caption("Nothing would change.")
        return
    with st.expander("Its entry in CHANGES.md"):
        parts.text("", found.entry)
    why = st.text_input("Why", key="why", placeholder="such as: failures of the first release")
    if not parts.button("Save", "build", key="save"):
        return
    if not (why or "").strip():
        st.info("Say why: the change log keeps it.", icon=":material/info:")
        return
    try:
        built = building.save_evalset(name, sources, wanted, why or "", replace=replace)
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    st.success(f"Saved {len(built.merged.samples):,} samples.", icon=":material/save:")
    parts.text("", built.entry)
    set_parts.next_step("Audit it", "evalsets", view="Audit", evalset=name)
