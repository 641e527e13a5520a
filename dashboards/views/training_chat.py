"""Chat with two models side by side, blinded: the answer that is picked goes on, and is a label."""

from __future__ import annotations

import streamlit as st

from dashboards import access, building, data, parts, pieces
from dashboards.views.training_by_hand import SIDES
from workbench.errors import WorkbenchError
from workbench.jobs.by_hand import Duel, tally
from workbench.models import EndpointSpec, LocalSpec, RagSpec, ScriptedSpec
from workbench.records import Message
from workbench.reports.words import interval_text, number
from workbench.training.folder import folders

ANSWERS = (EndpointSpec, LocalSpec, RagSpec, ScriptedSpec)
"""Models that answer what nobody asked before; recorded ones do not."""


def show() -> None:
    """Show the chat, and the two answers that wait for a word."""
    names = _models()
    if len(names) < 2:
        parts.empty("Two models that answer are needed; add one, or train one.", "workbench model ls")
        return
    left, right = st.columns(2)
    with left:
        first = parts.choose("One model", names, key="first") or names[0]
    rest = [name for name in names if name != first]
    with right:
        second = parts.choose("The other", rest, key="second") or rest[0]
    st.caption("Who answers left and who right is dealt by lot for each question. Each starts within some seconds.")
    state = st.session_state.setdefault(f"chat-{first}-{second}", {"turns": [], "duel": None})
    pieces.chat(state["turns"])
    if state["duel"] is None:
        _ask((first, second), state)
    else:
        _answers(state)
    if state["turns"] and st.button("Begin anew", key="anew"):
        state.update({"turns": [], "duel": None})
        st.rerun()
    found = tally(data.bench(), (first, second))
    with st.expander(f"How it stands after {found.n:,} answers by all"):
        parts.table([{"better": first, "n": found.first}, {"better": "neither", "n": found.ties},
                     {"better": second, "n": found.second}])  # fmt: skip
        if found.share is not None:
            said = f"{second} won {number(found.share)} {interval_text(found.interval)} of those that were decided"
            st.caption(parts.plain(said))


def _models() -> list[str]:
    """Return the models that answer anything: those of workbench.yaml, and what finished trainings made."""
    config = data.bench().config
    named = [name for name, spec in config.models.items() if isinstance(spec, ANSWERS)]
    trained = [f"train:{one.id}" for one in reversed(folders(data.home())) if one.summary.exists()]
    return [*named, *trained]


def _ask(models: tuple[str, str], state: dict[str, object]) -> None:
    turns: list[Message] = state["turns"]  # type: ignore[assignment]
    with st.form("ask", clear_on_submit=True, border=False):
        asked = st.text_area("Ask both", key="asked", placeholder="What a user would ask")
        pressed = st.form_submit_button("Ask", disabled=not access.may("evaluate"))
    if not pressed or not (asked or "").strip():
        return
    said = [*turns, Message(role="user", content=asked or "")]
    try:
        with st.spinner("Both are asked …"):
            state["duel"] = building.ask(models, said)
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    state["turns"] = said
    st.rerun()


def _answers(state: dict[str, object]) -> None:
    duel: Duel = state["duel"]  # type: ignore[assignment]
    for column, label, said in zip(st.columns(2), ("Left", "Right"), (duel.left, duel.right), strict=True):
        with column.container(border=True):
            parts.text(label, said)
    if duel.left.strip() == duel.right.strip():
        st.caption("Both say the same.")
        pressed = ["left"] if st.button("Go on", key="same") else []
    else:
        with st.container(horizontal=True):
            pressed = [side for side, label in SIDES.items() if parts.button(label, "pick", key=f"chat-{side}")]
        if pressed:
            building.say(duel, pressed[0], "clearly")
    if pressed:
        kept = duel.right if pressed[0] == "right" else duel.left
        state["turns"] = [*duel.record.messages, Message(role="assistant", content=kept)]
        state["duel"] = None
        st.rerun()
