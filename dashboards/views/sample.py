"""One sample with all that is known of it: asked, retrieved, answered by each model, scored, labelled, coded, used."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import data_failures, failure_filter, parts, pieces, sample_parts
from workbench.evaluation.one_sample import Answer, OneSample
from workbench.failures.entries import AnswerId
from workbench.jobs.lineage import Node
from workbench.jobs.row_lineage import in_words


def show() -> None:
    """Show the sample that the address names."""
    parts.head("Sample", "Everything about one question: what came back, what was found wrong, what became of it.")
    run = failure_filter.chosen_run()
    if run is None:
        return
    name = st.text_input("Sample", key="sample", bind="query-params", placeholder="id of the sample")
    if not name:
        first = data_failures.page(run, failure_filter.of_address(), 0, 1)
        st.caption("Type an id, or choose a failure:")
        parts.link("Failures", "failures", run=run)
        for failure in first.failures:
            parts.link(f"The first failure: {failure.of.record()}", "sample", run=run, sample=failure.of.sample)
        return
    sample = data_failures.sample(run, name)
    repeat = _repeat(sample)
    of = AnswerId(run=run, sample=sample.id, repeat=repeat)
    _about(of, sample)
    left, right = st.columns([1, 1], gap="large")
    with left:
        _asked(sample, sample.answers[repeat])
    with right:
        _answer(run, sample, sample.answers[repeat])
    _others(of, sample)
    _people(of)
    _lineage(of)


def _repeat(sample: OneSample) -> int:
    """Let one of several answers be chosen; the choice stands in the address."""
    if len(sample.answers) == 1:
        return 0
    numbers = [str(a.repeat) for a in sample.answers]
    chosen = parts.choose("Answer", numbers, key="repeat", shown=lambda r: f"{int(r) + 1} of {len(numbers)}")
    return int(chosen or 0)


def _about(of: AnswerId, sample: OneSample) -> None:
    tags = ", ".join(f"{name}={value}" for name, value in sample.tags.items())
    st.caption(f"family {parts.plain(sample.group)} · {parts.plain(tags) or 'no tags'}")
    with st.container(horizontal=True):
        _neighbours(of)
        parts.link("Write a note", "coding", **failure_filter.as_query(of.run), sample=of.sample, repeat=str(of.repeat))
        parts.link("Its run", "runs", run=of.run)
        parts.link("All failures of the run", "failures", run=of.run)


def _neighbours(of: AnswerId) -> None:
    """Lead to the failures before and after, of the filter that the address holds."""
    keys = data_failures.keys(of.run, failure_filter.of_address())
    here = (of.sample, of.repeat)
    if here not in keys:
        return
    at = keys.index(here)
    query = failure_filter.as_query(of.run)
    for label, place in (("Previous failure", at - 1), ("Next failure", at + 1)):
        if 0 <= place < len(keys):
            parts.link(label, "sample", **query, sample=keys[place][0], repeat=str(keys[place][1]))


def _asked(sample: OneSample, answer: Answer) -> None:
    st.subheader("Asked")
    pieces.chat(sample.messages)
    for reference in sample.references:
        parts.text("accepted answer", reference)
    given = sample.given_contexts
    seen = {p.id for p in given}
    sample_parts.passages("given", given, sample.gold_contexts, answer.output or "")
    sample_parts.passages(
        "retrieved", [p for p in answer.contexts if p.id not in seen], sample.gold_contexts, answer.output or ""
    )
    missed = [one for one in sample.gold_contexts if one not in seen | {p.id for p in answer.contexts}]
    if missed:
        parts.text(":material/warning: gold passages that were neither given nor retrieved", ", ".join(missed))


def _answer(run: str, sample: OneSample, answer: Answer) -> None:
    st.subheader("Answered")
    known = [*answer.contexts, *sample.given_contexts]
    sample_parts.answer(answer, known, data_failures.labels(AnswerId(run=run, sample=sample.id, repeat=answer.repeat)))
    st.subheader("Scores")
    sample_parts.scores(answer)


def _others(of: AnswerId, sample: OneSample) -> None:
    there = data_failures.runs_beside(of.run)
    if not there:
        return
    st.subheader("Other models")
    chosen = parts.choose("Beside", there, key="beside", shown=sample_parts.run_name)
    if chosen is None:
        return
    other = data_failures.sample(chosen, of.sample)
    answer = sample.answers[of.repeat]
    beside = next((a for a in other.answers if a.repeat == of.repeat), other.answers[0])
    left, right = st.columns(2)
    left.caption(f"this one: {parts.plain(sample_parts.run_name(of.run))}")
    right.caption(f"the other: {parts.plain(sample_parts.run_name(chosen))}")
    parts.changed(answer.output or "", beside.output or "")
    left, right = st.columns(2)
    with left:
        sample_parts.scores(answer)
        sample_parts.pick("This one is better", of, AnswerId(run=chosen, sample=of.sample, repeat=beside.repeat))
    with right:
        sample_parts.scores(beside)
        sample_parts.pick("The other is better", AnswerId(run=chosen, sample=of.sample, repeat=beside.repeat), of)


def _people(of: AnswerId) -> None:
    st.subheader("What people said")
    labels = data_failures.labels(of)
    notes = data_failures.book().current().get(of, [])
    if not labels and not notes:
        st.caption("Nothing yet.")
    if labels:
        parts.table(
            [
                {"dataset": name, "question": x.question, "answer": in_words(x.value), "annotator": x.annotator,
                 "guideline": x.guideline, "when": x.at.isoformat(timespec="minutes")}
                for name, x in labels
            ]
        )  # fmt: skip
    for note in notes:
        with st.container(border=True):
            when, tags = note.at[:16].replace("T", " "), parts.plain(", ".join(note.tags)) or "no tags"
            parts.text(f"{parts.plain(note.by)} · {when} · {tags}", note.text)
            if note.correction:
                parts.text("as it should have been", note.correction)


def _lineage(of: AnswerId) -> None:
    st.subheader("Lineage")
    parts.text("what became of it", data_failures.fate(of).told())
    family = data_failures.parents(of.run)
    if family is None:
        st.caption("The dataset that it was asked from is not in this home.")
        return
    parts.text("where the question comes from", "\n".join(_tree((family.dataset, *family.parents))))


def _tree(nodes: Sequence[Node], deep: int = 0) -> list[str]:
    lines = []
    for node in nodes:
        lines.append(f"{'  ' * deep}{node.kind} {node.name}{f' ({node.note})' if node.note else ''}")
        lines += _tree(node.nodes, deep + 1)
    return lines
