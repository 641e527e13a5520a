"""Failures one after the other: note, tag, next. And what it comes to: codes, their weight, saturation, agreement."""

from __future__ import annotations

import streamlit as st

from dashboards import access, acting_failures, coding_parts, data_failures, failure_filter, parts, pieces
from workbench.errors import WorkbenchError
from workbench.failures.entries import AnswerId, Note
from workbench.failures.failure import Failure, Key, Wanted

CODE, CODES, WEIGHT, AGREEMENT = "Code", "Taxonomy", "Ranking", "Agreement"
HOT = 9
"""Tags with a key of their own."""


def show() -> None:
    """Show the failure to be coded, or what coding comes to."""
    parts.head("Coding", "Say of each failure what went wrong first. Codes come later, from what was said.")
    run = failure_filter.chosen_run()
    if run is None:
        return
    section = pieces.section((CODE, CODES, WEIGHT, AGREEMENT))
    if section == CODE:
        _code(run)
    elif section == CODES:
        coding_parts.taxonomy(run)
    elif section == WEIGHT:
        coding_parts.weight(run)
    else:
        coding_parts.agreement()


def _code(run: str) -> None:
    keys = _queue(run)
    if not keys:
        parts.empty("Nothing to code here. Loosen the filter, or choose another run:", f"workbench failures find {run}")
        parts.link("Failures", "failures", run=run)
        return
    at = _place(run, keys)
    of = AnswerId(run=run, sample=keys[at][0], repeat=keys[at][1])
    found = data_failures.answers(run, (keys[at],)).failures[0]
    mine = _mine(of)
    _bar(run, keys, at, mine)
    left, right = st.columns([3, 2], gap="large")
    with left:
        coding_parts.failure(found, data_failures.sample(run, of.sample).references)
        parts.link("Everything about it", "sample", run=run, sample=of.sample, repeat=str(of.repeat))
    with right:
        _form(of, keys, at, mine, found)


def _queue(run: str) -> list[Key]:
    """Return what is coded, in order: a cluster, or a filter's failures; it does not shrink while one codes."""
    cluster = failure_filter.in_cluster(run)
    if cluster is not None:
        parts.text("A cluster:", cluster[2])
        return list(cluster[1])
    wanted = failure_filter.of_address()
    if wanted != Wanted():
        told = ", ".join(f"{name} {value}" for name, value in wanted.model_dump(exclude_none=True).items())
        st.caption(f"filtered: {parts.plain(told)}")
    return data_failures.keys(run, wanted)


def _place(run: str, keys: list[Key]) -> int:
    """Return which one is shown: the address's, else the first that the person here has not coded."""
    repeat = st.query_params.get("repeat", "0")
    wanted = (st.query_params.get("sample", ""), int(repeat) if repeat.isascii() and repeat.isdigit() else 0)
    if wanted in keys:
        return keys.index(wanted)
    coded = _coded_by_me(run)
    return next((at for at, key in enumerate(keys) if key not in coded), 0)


def _coded_by_me(run: str) -> set[Key]:
    me, book = access.person().name, data_failures.book()
    return {(n.of.sample, n.of.repeat) for n in book.notes if n.by == me and n.of.run == run}


def _mine(of: AnswerId) -> Note | None:
    me = access.person().name
    return next((n for n in data_failures.book().current().get(of, ()) if n.by == me), None)


# ---------------------------------------------------------------- moving, with keys


def _bar(run: str, keys: list[Key], at: int, mine: Note | None) -> None:
    done = len(_coded_by_me(run) & set(keys))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Previous", key="previous", shortcut="Alt+Left", disabled=at == 0):
            _go(keys[at - 1])
        if st.button("Next", key="next", shortcut="Alt+Right", disabled=at + 1 >= len(keys)):
            _go(keys[at + 1])
        if st.button("Undo my last", key="undo", shortcut="Alt+Z", disabled=not access.may("code")):
            _undo()
        st.caption(f"{at + 1:,} of {len(keys):,} · {done:,} coded by you{' · this one too' if mine else ''}")
        if done:
            parts.link("Send the coded ones on", "failures", **(failure_filter.as_query(run) | {"notes": "with"}))


def _go(key: Key) -> None:
    st.query_params["sample"], st.query_params["repeat"] = key[0], str(key[1])
    st.rerun()


def _undo() -> None:
    """Take back the last thing that the person here wrote in this session, or in the book, and show where it was."""
    me = access.person().name
    last = max((n for n in data_failures.book().notes if n.by == me), key=lambda n: n.at, default=None)
    if last is None:
        st.toast("There is nothing of yours to undo.")
        return
    try:
        acting_failures.undo(last.id)
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    _drafts()[last.of] = (last.text, list(last.tags), last.correction)  # what was written is not lost
    st.query_params["run"] = last.of.run
    _go((last.of.sample, last.of.repeat))


# ---------------------------------------------------------------- writing


def _drafts() -> dict[AnswerId, tuple[str, list[str], str]]:
    """Return what the person here has begun and not saved: text, tags, correction; of this session alone."""
    found: dict[AnswerId, tuple[str, list[str], str]] = st.session_state.setdefault("coding-drafts", {})
    return found


def _form(of: AnswerId, keys: list[Key], at: int, mine: Note | None, found: Failure) -> None:
    saved = (mine.text, list(mine.tags), mine.correction) if mine else ("", [], "")
    text, tags, correction = _drafts().get(of, saved)
    name = f"{of.run}/{of.record()}"
    text = st.text_area("What went wrong first?", text, key=f"note {name}", height=110)
    tags = coding_parts.tags(name, tags, HOT)
    with st.expander("The answer as it should have been", expanded=bool(correction)):
        correction = st.text_area("Whole answer", correction, key=f"correction {name}", height=160,
                                  placeholder=found.output or "", label_visibility="collapsed")  # fmt: skip
    now = (text, tags, correction)
    if now != saved:
        _drafts()[of] = now
        st.caption("Not saved yet.")
    allowed = access.may("code")
    with st.container(horizontal=True):
        told = None if allowed else f"takes the role {access.ACTS['code']}"
        if st.button(
            "Save and next", key="save", type="primary", shortcut="Ctrl+Enter", disabled=not allowed, help=told
        ):
            _save(of, now, keys, at)
    coding_parts.others(of, access.person().name)


def _save(of: AnswerId, now: tuple[str, list[str], str], keys: list[Key], at: int) -> None:
    try:
        acting_failures.code(of, now[0], now[1], now[2])
    except WorkbenchError as exc:  # the draft stays
        parts.fault(exc)
        return
    _drafts().pop(of, None)
    st.toast("Written down.", icon=":material/check:")
    _go(keys[min(at + 1, len(keys) - 1)])
