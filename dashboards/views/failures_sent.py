"""What was sent on of a run's failures, what became of it, and what comes next: a part of the failures page."""

from __future__ import annotations

import streamlit as st

from dashboards import data_failures, parts
from workbench.failures.entries import AnswerId
from workbench.jobs.failures_fates import ActFate, Fate

SHOWN = 20
"""Answers of an act that are listed one by one."""


def show(run: str) -> None:
    """Show each act on answers of the run, the newest first."""
    acts = tuple(a for a in reversed(data_failures.book().acts) if any(of.run == run for of in a.what))
    if not acts:
        parts.empty("Nothing of this run was sent on yet. Choose failures, or type:",
                    f"workbench failures send {run} review-1 --to argilla --metric METRIC")  # fmt: skip
        return
    for one in data_failures.acted(acts):
        with st.container(border=True):
            _act(one)
    st.caption("Labelled, in a dataset, trained on, passing: read from what names the failures, each time.")


def _act(one: ActFate) -> None:
    act = one.act
    into = act.into + (f"-{act.use}" if act.use else "") + (f" ({act.template})" if act.template else "")
    st.markdown(f"**{len(act.what):,} failures → {act.to}: {parts.plain(into)}** · {act.made:,} came of it")
    st.caption(
        f"{act.at[:16].replace('T', ' ')} UTC · {parts.plain(act.by)}{f' · {parts.plain(act.why)}' if act.why else ''}"
    )
    parts.text("", one.told())
    some = [data_failures.fate(of) for of in act.what[:SHOWN]]
    _next(one, some)
    with st.expander("Each of them"):
        parts.table([{"sample": fate.of.record(), "what became of it": fate.told()} for fate in some])
        if len(act.what) > SHOWN:
            st.caption(f"The first {SHOWN} of {len(act.what):,}.")


def _next(one: ActFate, some: list[Fate]) -> None:
    """Lead to what is done next with it, however far it came."""
    act = one.act
    with st.container(horizontal=True):
        if act.to == "argilla":
            parts.link("Labels of it, and pull them", "labelling", dataset=act.into)
        if act.to == "argilla" and one.n_labelled:
            parts.link("Build pairs or conversations", "pairs", labels=act.into, into=act.into)
        for ref in list(dict.fromkeys(row.dataset for fate in some for row in fate.rows))[:3]:
            parts.link(f"Rows of {ref}", "data", dataset=ref)
        for run in one.trained[-3:]:
            parts.link(f"Training {run}", "training", run=run)
        if one.latest:
            parts.link("How the later run did", "compare", a=act.what[0].run, b=one.latest)
        if fixed := _fixed(some, one.latest):
            query = {"sample": fixed.sample, "repeat": str(fixed.repeat), "beside": one.latest}
            parts.link(f"{fixed.record()} before and after", "sample", run=fixed.run, **query)


def _fixed(some: list[Fate], latest: str) -> AnswerId | None:
    return next((fate.of for fate in some if any(run.run == latest and run.passes for run in fate.later)), None)
