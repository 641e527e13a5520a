"""Records on which people differ, and their way to an adjudicator: a part of the labelling page."""

from __future__ import annotations

import streamlit as st

from dashboards import acting, data_labels, parts, pieces
from dashboards.data_labels import Differing
from workbench.errors import WorkbenchError
from workbench.jobs.background import Job
from workbench.jobs.labelling_progress import record_address
from workbench.labelling.adjudicating import SUFFIX
from workbench.labelling.stored_snapshots import ListedSnapshot


def show(one: ListedSnapshot) -> None:
    """Show what is to be decided of a pulled dataset, and one record of it."""
    found, name = data_labels.differing(one), one.manifest.name
    st.caption(f"{len(found):,} of {one.manifest.n_labelled:,} labelled records are answered differently; "
               f"{sum(d.decided for d in found):,} are decided. Whose answer is whose is not shown.")  # fmt: skip
    if not found:
        st.info("Nothing to decide: nobody disagrees.", icon=":material/check_circle:")
        return
    if not data_labels.is_queue(name):
        if parts.button("Queue them for an adjudicator", "send", key="adjudicate"):
            parts.started(queue(name))
        st.caption("What was decided in Argilla comes back with:")
        parts.code(f"workbench label pull {name} --resolve adjudicated,majority")
    at = parts.table([_row(d) for d in found], key="differing", height=280)
    _one(found[at[0]] if at else found[0], name)


def queue(name: str) -> Job:
    """Start the job that puts disagreements of a dataset before an adjudicator. Raises `AccessRefused`."""
    return acting.start(["label", "adjudicate", name])


def _row(d: Differing) -> dict[str, object]:
    decided = "yes" if d.decided else ""
    return {"record": d.task.id, "differ on": ", ".join(d.questions), "decided": decided, "question": _asked(d)}


def _one(d: Differing, name: str) -> None:
    """Show a record as it was labelled, and what was said of it."""
    st.subheader("One of them")
    left, right = st.columns(2)
    with left:
        pieces.chat(d.task.messages)
        for answer in d.task.outputs:
            parts.text("Answer", answer)
        pieces.passages(d.task.contexts)
    with right:
        parts.text("Record", d.task.id)
        parts.text("What was answered", d.answers)
        _link(d, name)


def _link(d: Differing, name: str) -> None:
    """Lead to the record in the adjudicators' queue: in the dataset itself it has all the answers that it needs."""
    if st.button("Ask Argilla for a link", icon=":material/sync:", key="ask-link"):
        try:
            data_labels.ask(name)
        except WorkbenchError as exc:
            parts.fault(exc)
    queued = data_labels.lives().get(name if data_labels.is_queue(name) else name + SUFFIX)
    if queued is not None:
        place = record_address(queued.url, d.task.group, _asked(d), alone=d.alone)
        st.link_button("Decide this record in Argilla", place, icon=":material/open_in_new:")
    elif name in data_labels.lives():
        st.caption("It is not queued for an adjudicator yet.")


def _asked(d: Differing) -> str:
    return d.task.messages[-1].content if d.task.messages else ""
