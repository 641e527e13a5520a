"""The form by which chosen failures are sent on, and what it says when they were."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import streamlit as st

from dashboards import access, acting_failures, data, data_failures, parts
from workbench.config.labelling_yaml import find_templates
from workbench.datasets import Use
from workbench.errors import WorkbenchError
from workbench.failures.entries import AnswerId, Target
from workbench.failures.failure import Wanted
from workbench.jobs.failures_sending import Sending

WORDS: dict[Target, str] = {
    "argilla": "to annotators, in Argilla",
    "evalset": "into an evalset",
    "pairs": "as preference pairs",
    "conversations": "as training conversations",
}
NAMES = {"argilla": "review-1", "evalset": "watched", "pairs": "fixes", "conversations": "fixes-chat"}


def show(run: str, chosen: tuple[AnswerId, ...] | None, wanted: Wanted, n: int) -> None:
    """Draw the form; of what is ticked, or of all that is listed. Sending asks for the role itself."""
    gate = data.run(run).spec.use == "gate"
    count = len(chosen) if chosen else n
    with st.expander(f"Send {count:,} on" + ("" if chosen else ": all that are listed"), expanded=bool(chosen)):
        if gate:
            st.caption("This run is on a gate set: its failures may only be relabelled.")
        targets = get_args(Target)[:1] if gate else get_args(Target)
        to: Target = st.selectbox("What for", targets, key="send-to", format_func=lambda t: WORDS[t])
        sending = _asked(run, to, chosen or ())
        what: access.Act = "send" if to == "argilla" else "build"
        if parts.button("Send on", what, key="send-now"):
            _send(run, sending, wanted)


def _asked(run: str, to: Target, chosen: tuple[AnswerId, ...]) -> Sending:
    left, right = st.columns(2)
    into = left.text_input(
        "Name", NAMES[to], key=f"send-into-{to}", help="of the dataset or evalset; made if it is new"
    )
    why = right.text_input("Why", key="send-why", help="for the book")
    template, better = "open_coding", None
    use: Use = "train"
    if to == "argilla":
        names = [one.name for one in find_templates(data.bench())]
        at = names.index(template) if template in names else 0
        template = st.selectbox("Template", names, index=at, key="send-template")
    elif to != "evalset":
        st.caption("Made of corrections and picks that people wrote down; and, where you name one, of another run.")
        there = ["", *data_failures.runs_beside(run)]
        better = left.selectbox("Where this run passes, its answer is the chosen one", there, key="send-better",
                                format_func=lambda r: r or "no other run") or None  # fmt: skip
        use = right.selectbox("Use", ("train", "dev"), key="send-use")
    return Sending(to, into.strip(), chosen, "", why, template, use, better)


def _send(run: str, sending: Sending, wanted: Wanted) -> None:
    try:
        access.act("send" if sending.to == "argilla" else "build")
        what = sending.what or tuple(AnswerId(run=run, sample=s, repeat=r) for s, r in data_failures.keys(run, wanted))
        done = acting_failures.send_on(replace(sending, what=what))
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    st.success("Sent on, and written down.", icon=":material/check_circle:")
    parts.text("", done.told)
    with st.container(horizontal=True):
        if sending.to == "argilla":
            parts.link("Where they are labelled, and pulled", "labelling", dataset=sending.into)
        elif sending.to == "evalset":
            parts.link("Look at the evalset", "evalsets", evalset=sending.into)
        elif done.act.fingerprint:
            method = "dpo" if sending.to == "pairs" else "sft"
            dataset = f"{sending.into}@{done.act.fingerprint[:12]}"
            parts.link("Plan a training on it", "training", view="Plan", method=method, dataset=dataset)
        parts.link("See what becomes of it", "failures", run=run, view="What was sent")
