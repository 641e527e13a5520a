"""Pieces of the pages about data: a choice of sections, counts in a row, one-line names for charts, a record whole."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import parts
from workbench.records import Message, Passage
from workbench.reports.escaping import one_line

NAME = 60
"""Characters of a name in a chart."""


def section(names: Sequence[str], key: str = "view") -> str:
    """Let one section of a page be chosen; the choice stands in the address. Only that section is computed.

    Streamlit's own binding takes the section of the page that one comes from over a link's, so it is written here, as
    `parts.choose` does it.
    """
    asked, noted = st.query_params.get(key), f"{key} in the address"
    if asked != st.session_state.get(noted) or st.session_state.get(key) not in names:
        st.session_state[key] = asked if asked in names else names[0]
    said = st.segmented_control("Section", list(names), required=True, key=key, label_visibility="collapsed")
    if said is not None and said != asked and (asked is not None or said != names[0]):
        st.query_params[key] = said
    st.session_state[noted] = st.query_params.get(key)
    return said or names[0]


def counts(named: Sequence[tuple[str, int]]) -> None:
    """Show counts side by side."""
    for column, (label, n) in zip(st.columns(len(named)), named, strict=True):
        column.metric(label, f"{n:,}")


def line(said: str) -> str:
    """Return free text as a name in a chart: one line, nothing unseen. Charts draw text and read no markup."""
    return one_line(said, NAME)


def chat(messages: Sequence[Message]) -> None:
    """Show the turns of a chat, each under its role."""
    for message in messages:
        parts.text(message.role, message.content)


def passages(found: Sequence[Passage]) -> None:
    """Show passages, each under its id."""
    for passage in found:
        parts.text(f"Passage {parts.plain(passage.id, NAME)}", passage.text)
