"""What waits on the labelling server: how far it is, the way to it, and pulling it: a part of the labelling page."""

from __future__ import annotations

import streamlit as st

from dashboards import acting, data_labels, parts
from workbench.errors import WorkbenchError


def show(name: str) -> None:
    """Show a dataset that was sent to annotators and of which nothing was pulled yet."""
    st.info("It was sent to annotators; nothing of it was pulled yet.", icon=":material/hourglass:")
    st.caption("Who labels signs in to Argilla under a name of their own. To let somebody in, type:")
    parts.code("workbench argilla users add NAME --workspace default")
    server(name, 0)


def server(name: str, n_pulled: int) -> None:
    """Show what the server says now, once somebody asks, and pull it, once somebody asks for that."""
    with st.container(horizontal=True):
        asked = st.button("Ask Argilla now", icon=":material/sync:", key="ask-argilla")
        pulling = parts.button("Pull what was labelled", "send", key="pull-labels")
    try:
        if asked:
            data_labels.ask(name)
        if pulling:
            parts.started(acting.start(["label", "pull", name]))
    except WorkbenchError as exc:
        parts.fault(exc)
    st.caption("Pulling is the command:")
    parts.code(f"workbench label pull {name}")
    live = data_labels.lives().get(name)
    if live is None:
        return
    p = live.progress
    st.caption(f"On the server, read {live.at}: {p.completed:,} of {p.total:,} records have {live.overlap} answers")
    if p.annotators:
        parts.table([{"annotator": a.name, "submitted": a.submitted, "drafts": a.drafts, "discarded": a.discarded}
                     for a in p.annotators])  # fmt: skip
    st.link_button("Open in Argilla", live.url, icon=":material/open_in_new:")
    if p.completed > n_pulled:
        st.info("There is more on the server than was pulled.", icon=":material/download:")
