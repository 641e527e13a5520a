"""What a dataset was made from and what was made of it, as a graph: a part of the data page."""

from __future__ import annotations

import streamlit as st

from dashboards import data_sets, parts
from dashboards.lineage_graph import dot, lines
from workbench.curation.stored_datasets import Listed


def show(one: Listed) -> None:
    """Show the graph, the rule by which the version was made, and all of it as text."""
    found = data_sets.family(one)
    if not found.parents and not found.children:
        st.caption("Its manifest names nothing that it was made from, and nothing in this home was made of it.")
    st.graphviz_chart(dot(found))
    if one.manifest.rule:
        st.subheader("How it was made")
        parts.table([{"what": what, "how": how} for what, how in one.manifest.rule.items()])
    with st.expander("As text", icon=":material/notes:"):
        st.text("\n".join(lines(found)))
