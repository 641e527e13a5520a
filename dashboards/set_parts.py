"""Pieces of the pages that build sets: score card, waterfall, what a set is made of, what differs from a version."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import charts, charts_building, charts_data, parts
from workbench.curation.evalsets.finding import Audit
from workbench.curation.pairs.composition import Composition
from workbench.curation.pairs.findings import Figure, Finding, ScoreCard
from workbench.curation.quality.waterfall import Step
from workbench.curation.versions import Diff
from workbench.datasets import Conversation, PreferencePair
from workbench.reports.audit import WORDS
from workbench.reports.escaping import one_line
from workbench.reports.score_card import SIGNS, STATES, finding_line, verdict_of
from workbench.reports.words import interval_text, number

SHOWN = 50
"""Ids and rows that a list names; the rest is counted."""


def waterfall(steps: Sequence[Step]) -> None:
    """Show what went on at each step of a build, and why the rest did not, with examples."""
    if not steps:
        return
    parts.chart(charts_data.waterfall(steps))
    rows = [
        {"step": step.name, "left out": n, "why": reason.replace("_", " "), "rule": step.rule}
        for step in steps
        for reason, n in step.reasons.items()
    ]
    if rows:
        at = parts.table(rows, key="waterfall")
        if at:
            step = next(step for step in steps if step.name == rows[at[0]]["step"])
            parts.table([{"what": e.id, "why": e.why.replace("_", " "), "text": e.text} for e in step.examples])


def score_card(card: ScoreCard, key: str) -> None:
    """Show a score card: its verdict, each flaw with n, share, interval, examples and what to do, and the figures."""
    state, word, sentence = verdict_of(card)
    parts.badge(state, word)
    st.caption(sentence)
    if card.figures:
        parts.grid([lambda f=f: _figure(f) for f in card.figures], width=2)  # type: ignore[misc]
    if card.findings:
        marks = [
            charts.mark(f.kind, f.share, f.interval, STATES[f.severity], n=f.n, of=f.of)
            for f in card.findings
            if f.share is not None
        ]
        if marks:
            parts.chart(charts.forest(marks, "what was measured, with its 95 % interval", zero=0.0))
        at = parts.table([_finding(f) for f in card.findings], key=f"{key}-findings")
        _examples(card.findings[at[0] if at else 0])
    with st.expander(f"Looked for and not found: {len(card.clean)} kinds; not looked for: {len(card.unknown)}"):
        st.caption(", ".join(card.clean) or "nothing")
        parts.table([{"not looked for": kind, "why": why} for kind, why in card.unknown.items()])
        st.caption(f"tokens {parts.plain(card.tokens)}")


def made_of(found: Composition) -> None:
    """Show how long a set's sides are, and how many rows are of each source, rule, model and tag."""
    left, right = st.columns(2)
    with left:
        st.caption("Characters of a side")
        parts.chart(charts_building.lengths(found.lengths))
    with right:
        names = list(dict.fromkeys(part.of for part in found.parts))
        shown = parts.choose("Rows by", names, key="by") if names else None
        st.caption("Beside each bar: in what share of its rows the chosen side is the longer one")
        some = [part for part in found.parts if part.of == (shown or names[0])] if names else []
        parts.chart(charts_building.shares(some, found.n))


def changes(found: Diff) -> None:
    """Show what is different from another version, row by row."""
    counts = {"same": found.n_same, "added": len(found.added), "removed": len(found.removed),
              "changed": len(found.changed), "moved": len(found.moved)}  # fmt: skip
    for column, (label, n) in zip(st.columns(len(counts)), counts.items(), strict=True):
        column.metric(label, f"{n:,}")
    st.caption(f"{parts.plain(', '.join(found.before))} → now")
    lists = (("added", found.added), ("removed", found.removed))
    for column, (label, ids) in zip(st.columns(2), lists, strict=True):
        if ids:
            with column.expander(f"{len(ids):,} {label}"):
                parts.table([{"row": name} for name in ids[:SHOWN]])
                st.caption(f"and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else "")
    if found.changed:
        rows = [{"row": one.id, "fields": ", ".join(f.field for f in one.fields)} for one in found.changed[:SHOWN]]
        at = parts.table(rows, key="changed-rows")
        for field in found.changed[at[0] if at else 0].fields:
            st.caption(parts.plain(field.field))
            parts.changed(str(field.before), str(field.after))


def rows(shown: Sequence[PreferencePair | Conversation], key: str) -> None:
    """Show some rows, and the chosen one whole."""
    at = parts.table([_row(row) for row in shown], key=key, height=min(420, 42 + 35 * len(shown)))
    row = shown[at[0] if at else 0]
    if isinstance(row, PreferencePair):
        for turn in row.prompt:
            parts.text(turn.role, turn.content)
        _sides(row)
    else:
        for turn in row.messages:
            parts.text(turn.role if turn.learnt else f"{turn.role}, not learnt", turn.content)
    said = row.lineage
    st.caption(parts.plain(f"from {', '.join(said.sources)} · said by {', '.join(said.annotators) or 'nobody'}", 400))


def audit(found: Audit) -> None:
    """Show what an evalset can and cannot tell, a row a check, and one of them with its examples."""
    rows = [
        {"": WORDS[one.state][1], "check": one.check, "n": one.n, "of": one.of, "what": one.told, "to do": one.do}
        for one in found.findings
    ]
    at = parts.table(rows, key="audit", height=42 + 35 * len(rows))
    looked = [number for number, one in enumerate(found.findings) if one.state == "look"]
    one = found.findings[at[0] if at else (looked[0] if looked else 0)]
    parts.badge(WORDS[one.state][0], f"{one.check}: {WORDS[one.state][1]}")
    parts.text("", one.told + (f". To do: {one.do}" if one.do else ""))
    if one.examples:
        parts.table([{"what": e.id, "why": e.text} for e in one.examples])
        st.caption(f"and {one.n - len(one.examples):,} more" if one.n > len(one.examples) else "")


def _sides(row: PreferencePair) -> None:
    """Show both sides: of a correction what was changed, else each as it is."""
    named = [
        " by ".join(filter(None, (what, s.model))) for what, s in (("rejected", row.rejected), ("chosen", row.chosen))
    ]
    for column, name in zip(st.columns(2), named, strict=True):
        column.caption(parts.plain(name))
    if row.rule == "edit":
        parts.changed(row.rejected.text(), row.chosen.text())
        return
    for column, side in zip(st.columns(2), (row.rejected, row.chosen), strict=True):
        with column:
            parts.text("", side.text())


def next_step(label: str, page: str, **query: str) -> None:
    """Lead to what is done next."""
    with st.container(horizontal=True):
        parts.link(label, page, **query)


def _figure(f: Figure) -> None:
    parts.metric(f.name, f.value, f.interval, n=f.n)
    if f.undefined:
        st.caption(parts.plain(f.undefined))


def _finding(f: Finding) -> dict[str, object]:
    sign = "accepted" if f.accepted else SIGNS[f.severity].lower()
    return {"": sign, "kind": f.kind, "what": f.title, "n": f.n, "of": f.of, "measured": number(f.share),
            "95 % interval": interval_text(f.interval), "to do": f.todo}  # fmt: skip


def _examples(f: Finding) -> None:
    st.caption(parts.plain(f"{f.kind}: {finding_line(f)}. To do: {f.todo}", 400))
    if f.examples:
        parts.table([{"row": e.id, "why": e.why, "question": e.text} for e in f.examples])


def _row(row: PreferencePair | Conversation) -> dict[str, object]:
    if isinstance(row, PreferencePair):
        votes = "" if row.votes is None else f"{row.votes.chosen}:{row.votes.rejected}"
        return {"prompt": row.prompt[-1].content, "chosen": row.chosen.text(), "rejected": row.rejected.text(),
                "rule": row.rule, "votes": votes, "margin": number(row.margin), "row": row.id}  # fmt: skip
    good = "" if row.good is None else ("up" if row.good else "down")
    asked = next((t.content for t in reversed(row.messages) if t.role == "user"), "")
    return {"prompt": one_line(asked, 300), "answer": row.messages[-1].content, "thumb": good, "row": row.id}
