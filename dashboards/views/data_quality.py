"""How good a dataset is: what filters would take, duplicates, personal data, sizes: parts of the data page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboards import acting, charts, charts_data, data_sets, parts, pieces
from workbench.curation.quality.profile import Profile
from workbench.curation.quality.waterfall import Cluster, Step
from workbench.curation.stored_datasets import Listed
from workbench.jobs.background import Job

SHOWN = 15
"""Bars of a distribution."""


def show(one: Listed, view: str) -> None:
    """Show one side of a version's quality; of a large one what `data stats` found."""
    found = data_sets.profile(one)
    name = f"{one.label}@{one.path.name[:8]}"
    if found is None:
        st.info(f"{one.manifest.n:,} rows are too many to be looked through while a page opens.",
                icon=":material/info:")  # fmt: skip
        if parts.button("Look through them as a job", "build", key="stats"):
            parts.started(look_through(name))
        parts.code(f"workbench data stats {name}")
    elif view == "Duplicates":
        _duplicates(found, name)
    elif view == "Personal data":
        _personal(found, name)
    else:
        _quality(found, name)


def look_through(name: str) -> Job:
    """Start the job that describes a dataset. Raises `AccessRefused`."""
    return acting.start(["data", "stats", name])


def _quality(found: Profile, name: str) -> None:
    st.caption("What each filter would take, one after the other. Nothing was taken.")
    parts.chart(charts_data.waterfall(found.steps))
    parts.table([{"filter": s.name, "in": s.n_in, "taken": s.n_in - s.n_out, "out": s.n_out, "rule": s.rule}
                 for s in found.steps])  # fmt: skip
    for step in found.steps:
        if step.examples and not step.clusters:
            with st.expander(f"{step.name}: {step.n_in - step.n_out:,} rows"):
                parts.table([{"row": e.id, "why": e.why, "text": e.text} for e in step.examples])
    st.caption("Leave them out as one more version:")
    taking = " ".join(f"--drop {s.name}" for s in found.steps if s.n_in > s.n_out)
    parts.code(f"workbench data filter {name} {taking or '--drop refusals'}")
    _distributions(found)


def _distributions(found: Profile) -> None:
    """Show lengths, languages and balance."""
    st.subheader("Lengths")
    st.caption(f"Tokens: {parts.plain(found.tokenizer, 200)}")
    spreads = [("turns", found.turns), *((f"tokens, {part}", spread) for part, spread in found.tokens.items())]
    parts.table([{"what": what, "n": s.n, "lowest": s.low, "5 %": s.p5, "median": s.median, "mean": round(s.mean, 1),
                  "95 %": s.p95, "highest": s.high} for what, s in spreads])  # fmt: skip
    left, right = st.columns(2)
    with left:
        _bars("Language", found.languages)
    with right:
        _bars("Openings that repeat", {one.text: one.n for one in found.openings})
    for one in found.balance:
        _bars(f"{parts.plain(one.tag)}: {one.n_values} values, evenness {one.evenness:.2f}", one.values)


def _duplicates(found: Profile, name: str) -> None:
    steps = [step for step in found.steps if step.name in ("exact", "near", "semantic")]
    n = sum(step.n_in - step.n_out for step in steps)
    st.caption(f"{n:,} of {found.n:,} rows say what another one says: "
               f"{', '.join(f'{s.n_in - s.n_out:,} {s.name}' for s in steps)}. Semantic ones are looked for by "
               "`workbench data stats --semantic`.")  # fmt: skip
    if not n:
        st.info("No duplicates.", icon=":material/check_circle:")
        return
    for step in steps:
        for cluster in step.clusters:
            _cluster(step, cluster)
    st.caption("Keep one of each as one more version:")
    parts.code(f"workbench data dedupe {name}")


def _cluster(step: Step, cluster: Cluster) -> None:
    with st.expander(f"{cluster.n} alike, {step.name}; kept {parts.plain(cluster.kept.id, pieces.NAME)}"):
        parts.text("Kept", cluster.kept.text)
        parts.table([{"dropped": e.id, "likeness": e.why, "text": e.text} for e in cluster.dropped])


def _personal(found: Profile, name: str) -> None:
    st.caption("Places in texts that look like personal data or a secret, by kind. Examples are masked; names, "
               "addresses and dates of birth are not looked for.")  # fmt: skip
    if not found.found:
        st.info("None found.", icon=":material/check_circle:")
        return
    _bars("Places", found.found)
    for step in (s for s in found.steps if s.name in ("secrets", "personal") and s.examples):
        st.caption(f"{step.name}: {step.n_in - step.n_out:,} rows")
        parts.table([{"row": e.id, "what": e.why, "text, masked": e.text} for e in step.examples])
    st.caption("Mask them as one more version:")
    parts.code(f"workbench data filter {name} --mask secrets --mask personal")


def _bars(title: str, counted: Mapping[str, int]) -> None:
    if not counted:
        return
    st.subheader(title)
    rows: Sequence[dict[str, object]] = [{"n": n, "what": pieces.line(key) or "(none)"} for key, n in counted.items()]
    parts.chart(charts.bars(rows[:SHOWN], "n", "what"))
    if len(rows) > SHOWN:
        st.caption(f"and {len(rows) - SHOWN} more")
