"""Rows of a dataset, text shown as it is, and what one rests on: a part of the data page."""

from __future__ import annotations

import streamlit as st

from dashboards import data_sets, parts, pieces
from workbench.curation.stored_datasets import Listed
from workbench.curation.wording import answer_of, prompt_of
from workbench.datasets import Conversation, PreferencePair, Row, Sample
from workbench.jobs.lineage import Node
from workbench.records import Turn

SIZE = 50
"""Rows of a page."""


def show(one: Listed) -> None:
    """Show a page of rows, and the one that was chosen."""
    words = st.text_input("Search", key="q", bind="query-params", placeholder="words in a text, an id or a tag").strip()
    number = int(st.number_input("Page", min_value=1, value=1, step=1, key="page"))
    found = data_sets.page(one, (number - 1) * SIZE, SIZE, words)
    pages = max(1, -(-found.n // SIZE))
    st.caption(f"{found.n:,} rows{' with these words' if words else ''}, page {number} of {pages:,}")
    if not found.rows:
        st.info("No row here.", icon=":material/info:")
        return
    at = parts.table([_line(row) for row in found.rows], key="rows", height=320)
    _whole(found.rows[at[0] if at else 0], one)


def _line(row: Row) -> dict[str, object]:
    tags = ", ".join(f"{name}={value}" for name, value in row.tags.items())
    return {"id": row.id, "prompt": prompt_of(row), "answer": answer_of(row), "tags": tags, "family": row.family()}


def _whole(row: Row, one: Listed) -> None:
    """Show a row with every text of it, and below where it comes from."""
    st.subheader("The row")
    parts.code(row.id)
    if isinstance(row, PreferencePair):
        _turns(row.prompt)
        left, right = st.columns(2)
        with left:
            parts.text(f"Chosen{_by(row.chosen.model)}", row.chosen.text())
        with right:
            parts.text(f"Rejected{_by(row.rejected.model)}", row.rejected.text())
    elif isinstance(row, Conversation):
        _turns(row.messages)
    elif isinstance(row, Sample):
        pieces.chat(row.messages)
        for reference in row.references:
            parts.text("Accepted answer", reference)
        pieces.passages(row.contexts)
    with st.expander("Where it comes from", icon=":material/account_tree:"):
        st.text("\n".join(_lines(data_sets.row_origin(one, row.id), 0)))


def _turns(turns: tuple[Turn, ...]) -> None:
    for turn in turns:
        parts.text(turn.role if turn.learnt or turn.role != "assistant" else "assistant, not learnt", turn.content)
        for call in turn.tool_calls:
            parts.text(f"calls {parts.plain(call.name)}", call.arguments)


def _by(model: str) -> str:
    return f", by {parts.plain(model)}" if model else ""


def _lines(node: Node, deep: int) -> list[str]:
    note = f"  ({pieces.line(node.note)})" if node.note else ""
    mine = f"{'   ' * deep}{node.kind} {pieces.line(node.name)}{note}"
    return [mine, *(line for inner in node.nodes for line in _lines(inner, deep + 1))]
