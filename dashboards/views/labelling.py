"""What people said, how far they agree, what is to be decided, and what to label next."""

from __future__ import annotations

import streamlit as st

from dashboards import charts, charts_data, data, data_failures, data_labels, parts, pieces
from dashboards.views import labelling_differing, labelling_next, labelling_waiting
from workbench.labelling.agreement import ANCHORS_FROM, REPAIR_BELOW, Agreement
from workbench.labelling.stored_snapshots import ListedSnapshot
from workbench.statistics.intervals import Estimate

VIEWS = ("Progress", "Agreement", "Disagreements", "Label next")
FIRST = "workbench label push NAME --template rag_review --run latest\nworkbench label pull NAME"
PART_ROWS = 60
"""Slices, pairs and people of a question that are drawn."""


def show() -> None:
    """Show one part of the page for one pulled dataset."""
    parts.head("Labelling", "What people said, how far they agree, and what to label next.")
    found, damaged = data_labels.snapshots()
    if damaged:
        told = ", ".join(parts.plain(name, 60) for name in damaged[:5])
        st.warning(f"Cannot be read, pull again: {told}", icon=":material/warning:")
    pulled = [one.path.parent.name for one in found]
    names = [*pulled, *data_failures.waiting(pulled)]
    if not names:
        parts.empty("No labels yet. Put answers before people, then pull what they said.", FIRST)
        parts.link("Choose failures to send", "failures")
        return
    name = parts.choose("Dataset", names, key="dataset") or names[0]
    if name not in pulled:
        labelling_waiting.show(name)
        return
    view = pieces.section(VIEWS)
    one = found[names.index(name)]
    if view == "Progress":
        _progress(one)
        _others(found)
    elif view == "Agreement":
        _agreement(one)
    elif view == "Disagreements":
        labelling_differing.show(one)
    else:
        labelling_next.show(data.finished())


def _progress(one: ListedSnapshot) -> None:
    m = one.manifest
    st.caption(f"As pulled {m.pulled_at}, guideline {parts.plain(m.form.version)}, {m.overlap} answers a record wanted")
    counts = (
        ("records", m.n_records), ("labelled", m.n_labelled), (f"with {m.overlap} answers", m.n_complete),
        ("labels", m.n_labels), ("drafts, left out", m.n_drafts), ("discarded, left out", m.n_discarded),
    )  # fmt: skip
    pieces.counts(counts)
    if m.annotators:
        rows = [{"annotator": pieces.line(who), "submitted answers": n} for who, n in m.annotators.items()]
        parts.chart(charts.bars(rows, "submitted answers", "annotator"))
    else:
        st.info("Nobody has submitted an answer to it yet.")
    parts.link("Build pairs or conversations of it", "pairs", labels=m.name, into=m.name)
    labelling_waiting.server(m.name, m.n_complete)


def _others(found: list[ListedSnapshot]) -> None:
    st.subheader("All datasets")
    parts.table([
        {"dataset": one.path.parent.name, "records": one.manifest.n_records, "labelled": one.manifest.n_labelled,
         "complete": one.manifest.n_complete, "labels": one.manifest.n_labels, "people": len(one.manifest.annotators),
         "guideline": one.manifest.form.version, "pulled": one.at[:16].replace("T", " ")}
        for one in found
    ])  # fmt: skip


def _agreement(one: ListedSnapshot) -> None:
    found = [a for a in data_labels.agreement(one) if a.n_labels]
    if not any(a.overall.n for a in found):
        told = "No record was answered by two people: that takes --overlap 2 or more."
        parts.empty(told, f"workbench label push {one.manifest.name} --overlap 2 --template …")
        return
    st.caption(f"Beyond chance, with 95 % intervals. Below {REPAIR_BELOW:g}: repair the guideline · from there: trends "
               f"only · from {ANCHORS_FROM:g}: labels may anchor a gate.")  # fmt: skip
    several = len({a.guideline for a in found}) > 1
    marks = [_mark(f"{a.question} · {a.guideline}" if several else a.question, a.overall, a.measure) for a in found]
    _forest(marks)
    parts.table([
        {"question": a.question, "guideline": a.guideline, "agreement": a.overall.value, "n": a.overall.n,
         "labels": a.n_labels, "people": a.n_annotators, "equal answers": a.equal.value if a.equal else None,
         "what its labels may be used for": a.meaning}
        for a in found
    ])  # fmt: skip
    names = [f"{a.question} · {a.guideline}" for a in found]
    picked = parts.choose("Parts of", names, key="question") or names[0]
    _parts(found[names.index(picked)])


def _parts(a: Agreement) -> None:
    """Show slices, pairs of people and people of one question, lowest first."""
    kinds = (("Slices", a.slices), ("Pairs of people", a.pairs), (f"Each against {a.against}", a.annotators))
    for title, some in ((title, some) for title, some in kinds if some):
        st.subheader(title)
        _forest([_mark(p.name, p.estimate, a.measure) for p in some[:PART_ROWS]])
    if not (a.slices or a.pairs or a.annotators):
        st.caption("No slice, pair or person has ten records yet.")


def _mark(name: str, found: Estimate, measure: str) -> dict[str, object]:
    return charts.mark(pieces.line(name), found.value, found.interval, n=found.n, measure=measure)


def _forest(marks: list[dict[str, object]]) -> None:
    parts.chart(charts_data.with_lines(marks, "agreement", (REPAIR_BELOW, ANCHORS_FROM)))
