"""What to label next of a run's answers, why, and how many labels a judge still needs: a part of the labelling page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

import streamlit as st

from dashboards import access, acting, data, data_labels, parts, pieces
from workbench.curation.wording import asked_in
from workbench.errors import WorkbenchError
from workbench.evaluation.catalogue import Entry
from workbench.jobs.background import Job
from workbench.jobs.labelling_next import Asked, Choice
from workbench.jobs.picked import write_picks
from workbench.labelling.next import Wanted, Way

PLAIN: tuple[Way, ...] = tuple(w for w in get_args(Way) if w in ("random", "uncertain", "disagreement"))
"""Ways that need nothing but a run; the others take options of `workbench label next`."""
WITHIN = 0.05
"""Half the width that a judge's corrected interval is to have."""
WHY = {
    "random": "by lot: the only picks that may calibrate a judge",
    "uncertain": "the judge's verdict is near a half",
    "disagreement": "judges, or a judge's repeats, differ",
}


def show(runs: Sequence[Entry]) -> None:
    """Show the picks of a run, the labels that its judges need, and a way to send the picks."""
    if not runs:
        parts.empty("No finished run whose answers could be labelled.", "workbench eval run")
        return
    run_id = parts.choose("Run", [run.id for run in runs], key="run") or runs[0].id
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    n = int(left.number_input("Records", 1, 500, 30, key="n"))
    ways = right.pills("Ways", PLAIN, selection_mode="multi", default=PLAIN[:2], key="ways") or [*PLAIN[:1]]
    st.caption(" · ".join(f"{way}: {WHY[way]}" for way in ways))
    asked = Asked(Wanted(n=n, shares=dict.fromkeys(ways, 1.0)))
    try:
        found = data_labels.choice(run_id, asked)
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    _needs(run_id)
    if not found.picks:
        st.info("Nothing is left to label: every answer of this run has a label.", icon=":material/check_circle:")
        return
    by = ", ".join(f"{count} {way}" for way, count in Counter(pick.way for pick in found.picks).items())
    st.caption(f"{len(found.picks)} of {found.n_left:,} answers that nobody labelled: {by}")
    rows = [
        {"record": pick.record_id, "way": pick.way, "why": pick.reason, "question": asked_in(task.messages)}
        for pick, task in zip(found.picks, found.tasks, strict=True)
    ]
    at = parts.table(rows, key="picks", height=320)
    if at:
        _one(found, at[0])
    _send(run_id, found, f"workbench label next --run {run_id} -n {n} --mix {','.join(ways)} -o next.jsonl")


def send(run_id: str, found: Choice, dataset: str, template: str) -> Job:
    """Start the job that puts picks before annotators. Raises `AccessRefused`, `ConfigError`."""
    access.act("send")
    file = write_picks(data.bench(), found)
    return acting.start(["label", "push", dataset, "--template", template, "--from", file])


def _needs(run_id: str) -> None:
    """Say for each judge how many labels its corrected rate still needs."""
    metrics = data_labels.judged(run_id)
    if not metrics:
        st.caption("No judge of pass and fail scored this run, so no label is needed to correct one.")
    for metric in metrics:
        try:
            told = data_labels.labels_left(run_id, metric, WITHIN).why
        except WorkbenchError as exc:
            told = str(exc)
        parts.text(f"Labels that the corrected rate of {parts.plain(metric)} still needs for ±{WITHIN:g}", told)


def _one(found: Choice, at: int) -> None:
    st.subheader("This one")
    task = found.tasks[at]
    pieces.chat(task.messages)
    for answer in task.outputs:
        parts.text("Answer", answer)
    pieces.passages(task.contexts)


def _send(run_id: str, found: Choice, command: str) -> None:
    """Offer to push the picks, or the command that writes them."""
    st.subheader("Put them before annotators")
    left, right = st.columns(2)
    dataset = left.text_input("Dataset in Argilla", "next", key="push-dataset")
    names = data_labels.templates()
    usual = names.index("rag_review") if "rag_review" in names else 0
    template = right.selectbox("Template", names, index=usual, key="push-template")
    if parts.button("Send to Argilla", "send", key="push-picks"):
        try:
            parts.started(send(run_id, found, dataset, template))
        except WorkbenchError as exc:
            parts.fault(exc)
    st.caption("Or by hand:")
    parts.code(command)
