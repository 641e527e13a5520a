"""Pieces of the sample's page: passages with the gold ones marked, an answer with what nothing supports, scores."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import acting_failures, data, parts
from workbench.errors import WorkbenchError
from workbench.evaluation.one_sample import Answer
from workbench.failures.entries import AnswerId
from workbench.failures.unsupported import unsupported
from workbench.records import Label, Passage, Span
from workbench.reports.words import number

FOLDED = 3
"""Passages that are open; further ones are folded."""


def passages(word: str, found: Sequence[Passage], gold: Sequence[str], answer: str) -> None:
    """Show passages, those that hold the answer first to see by a badge and an open fold."""
    for at, passage in enumerate(found, 1):
        is_gold = passage.id in gold
        score = "" if passage.score is None else f" · score {passage.score:.3g}"
        title = f"{'★ gold · ' if is_gold else ''}{word} {at} · {parts.plain(passage.id, 60)}{score}"
        with st.expander(title, expanded=is_gold or (not gold and at <= FOLDED)):
            parts.text("", passage.text)


def answer(found: Answer, known: Sequence[Passage], labels: Sequence[tuple[str, Label]]) -> None:
    """Show an answer; what people marked in it, else what stands in no passage, is marked."""
    if found.failure is not None:
        parts.trouble(f"No answer: {found.failure}", found.message)
    if found.output is None:
        return
    marked = [s for _, x in labels if isinstance(x.value, tuple) for s in x.value if isinstance(s, Span)]
    spans = [(s.start, s.end) for s in marked]
    if spans:
        st.caption("Marked: what people marked.")
    elif known:
        spans = unsupported(found.output, known)
        if spans:
            st.caption("Marked: sentences whose words stand in no passage. It sees words, not meaning.")
    parts.marked(found.output, spans)
    served = f"served as {parts.plain(found.served_model)} · " if found.served_model else ""
    took = (
        "from the cache"
        if found.usage.cached
        else "not timed"
        if found.usage.latency is None
        else f"{found.usage.latency:.2f} s"
    )
    st.caption(f"{served}{took}{f' · stopped by {parts.plain(found.finish_reason)}' if found.finish_reason else ''}")


def scores(found: Answer) -> None:
    """Show every score with its reason."""
    parts.table(
        [
            {
                "metric": s.scorer,
                "score": number(s.value) if s.failure is None else f"no score: {s.failure}",
                "says": s.label or "",
                "why": s.reason or s.message,
                "evidence": s.evidence,
            }
            for s in found.scores
        ]
    )
    long = [
        (s.scorer, name, t)
        for s in found.scores
        for name, t in (("why", s.reason), ("evidence", s.evidence), ("judge said", s.raw))
        if len(t) > 200
    ]
    if long:
        with st.expander("Reasons in full"):
            for scorer, name, text in long:
                parts.text(f"{parts.plain(scorer)}: {name}", text)


def pick(label: str, better: AnswerId, worse: AnswerId) -> None:
    """Show the button by which somebody prefers one of two answers."""
    if parts.button(label, "pick", key=f"pick-{better.run}-{better.repeat}"):
        try:
            line = acting_failures.pick(better, worse)
        except WorkbenchError as exc:
            parts.fault(exc)
            return
        st.success(f"Written down as {line.id}. Send failures as pairs, and it becomes one.")


def run_name(run_id: str) -> str:
    """Return how a run is called where several stand beside each other."""
    found = data.run(run_id)
    return f"{found.spec.model_name} · {found.started[:16].replace('T', ' ')}"
