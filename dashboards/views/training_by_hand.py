"""Two runs' answers side by side, blinded: a pick is a label, and so becomes a pair."""

from __future__ import annotations

import streamlit as st

from dashboards import access, building, data, data_training, parts, pieces
from workbench.errors import WorkbenchError
from workbench.jobs.by_hand import Duel, Tally, duel_of, said_by, tally
from workbench.labelling.by_hand import Strength
from workbench.reports.words import interval_text, number

SIDES = {"left": "Left is better", "tie": "Neither is better", "right": "Right is better"}
KEYS = {"left": "1", "tie": "2", "right": "3"}
"""Keyboard, for reviewing at reading speed."""
STRENGTHS: tuple[Strength, ...] = ("slightly", "clearly")


def show() -> None:
    """Let two runs be chosen, and put their answers before the person here."""
    runs = {run.id: f"{run.model} · {run.evalset} · {run.use} · {run.id[:15]}"
            for run in data.finished() if run.use != "gate"}  # fmt: skip
    if len(runs) < 2:
        parts.empty("Two finished runs on the same dev or train samples are needed.", "workbench eval run --use dev")
        return
    left, right = st.columns(2)
    with left:
        a = parts.choose("One run", list(runs), key="a", shown=lambda run: runs[run])
    others = [run for run in runs if run != a]
    with right:
        b = parts.choose("The other", others, key="b", shown=lambda run: runs[run])
    if a is None or b is None:
        return
    try:
        waiting = data_training.to_compare(a, b)
        _next(a, b, waiting)
    except WorkbenchError as exc:
        parts.fault(exc)


def _next(a: str, b: str, waiting: list[str]) -> None:
    here = access.person().name
    said = said_by(data.bench(), here)
    done = [line for line in said.values() if tuple(source.partition("/")[0] for source in line.sources) == (a, b)]
    places = {line.sources[0].partition("/")[2] for line in done}
    open_ = [name for name in waiting if name not in places]
    st.caption(
        f"{len(waiting):,} samples that they answered differently; you compared {len(done):,}. Who wrote which is not "
        "shown, and sides are dealt by lot."
    )
    skipped = st.session_state.setdefault(f"skipped-{a}-{b}", [])
    wanted = st.query_params.get("sample", "")
    name = wanted if wanted in waiting else next((n for n in open_ if n not in skipped), None)
    if name is None:
        st.info("Nothing is left to compare here.", icon=":material/check_circle:")
    else:
        duel = duel_of(data.bench(), a, b, name, seed=f"{here}|{a}|{b}")
        _duel(duel)
        better = _buttons(duel, skipped, name, last=bool(done))
        if better is not None:
            st.query_params.pop("sample", None)
            if better == "back":
                st.query_params["sample"] = done[-1].sources[0].partition("/")[2]
            st.rerun()
    _how_it_stands(tally(data.bench(), ("", ""), (a, b)), data.run(a).spec.model_name, data.run(b).spec.model_name)


def _duel(duel: Duel) -> None:
    """Show the prompt and the two answers, without names."""
    pieces.chat(duel.record.messages)
    if duel.record.contexts:
        with st.expander(f"{len(duel.record.contexts)} passages"):
            pieces.passages(duel.record.contexts)
    for column, label, said in zip(st.columns(2), ("Left", "Right"), (duel.left, duel.right), strict=True):
        with column.container(border=True):
            parts.text(label, said)


def _buttons(duel: Duel, skipped: list[str], name: str, *, last: bool) -> str | None:
    """Return what was pressed: a pick is written down first."""
    strength = st.segmented_control("How clearly", STRENGTHS, default="clearly", required=True, key="strength")
    allowed = access.may("pick")
    with st.container(horizontal=True):
        pressed = [
            side for side, label in SIDES.items()
            if st.button(label, key=f"pick-{side}", shortcut=KEYS[side], disabled=not allowed)
        ]  # fmt: skip
        if pressed:
            building.say(duel, pressed[0], strength or "clearly")
            return pressed[0]
        if st.button("Skip", key="skip", shortcut="s"):
            skipped.append(name)
            return "skip"
        if last and st.button("Back to the last", key="back", shortcut="b"):
            return "back"
    if not allowed:
        st.caption("To pick takes the role annotator.")
    return None


def _how_it_stands(found: Tally, first: str, second: str) -> None:
    """Show the score, folded away so that it does not lead the next pick."""
    with st.expander(f"How it stands after {found.n:,} comparisons by all"):
        if found.n:
            rows = {first: found.first, "neither": found.ties, second: found.second}
            parts.table([{"better": name, "n": n} for name, n in rows.items()])
            share = f"{number(found.share)} {interval_text(found.interval)}"
            st.caption(parts.plain(f"{second} won {share} of those that were decided"))
        st.caption("They become pairs by:")
        parts.code("workbench pairs build by-hand --picks")
        parts.link("Build pairs of them", "pairs", picks="true", into="by-hand")
