"""Pieces that pages are made of. Whatever a model, a file or an annotator wrote passes here before it is shown.

Streamlit reads labels, captions, tables' links and messages as Markdown, with pictures, badges and formulas. So free
text is shown by `text`, `code`, `changed` or in a cell of `table`, or made harmless by `plain` where only a label is
possible.
"""

from __future__ import annotations

import difflib
import html
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import streamlit as st

from dashboards import access, data
from dashboards.charts import Drawn
from workbench.errors import DataError, WorkbenchError
from workbench.jobs import background
from workbench.jobs.background import Job
from workbench.reports.escaping import markdown_text, one_line, shorten, visible
from workbench.reports.words import interval_text, metric_name, number
from workbench.runs import Interval, Metric, ScorerInfo

DONE = "a job that was done"
LIVE = 2.0
"""Seconds between two looks at a job that was started here."""
LAST = 12
"""Lines of its log that are shown of a job that did not come to its end."""
LONG = 20_000
"""Characters of one text that are shown; the rest is counted."""
COLOURS = {"pass": "green", "fail": "red", "inconclusive": "orange", "waived": "blue"}
ICONS = {
    "pass": ":material/check_circle:",
    "fail": ":material/cancel:",
    "inconclusive": ":material/help:",
    "waived": ":material/pan_tool:",
}
MANY_WORDS = 2_000
"""Words from which on a difference is found faster and less finely."""
WORD = re.compile(r"\s+|\w+|[^\w\s]")


def head(title: str, what: str = "") -> None:
    """Begin a page: its title, and one sentence on what it answers. Both are the program's own words."""
    st.title(title)
    if what:
        st.caption(what)
    if (done := st.session_state.pop(DONE, None)) is not None:
        _done(background.job(data.home(), done))


def _done(job: Job) -> None:
    """Say that a job which was followed is done, and lead to what it made."""
    told = f"Done: {plain(' '.join(job.command.argv[:3]))}"
    st.success(told, icon=":material/check:")
    st.toast(told, icon=":material/check:")  # for whoever looks further down
    with st.container(horizontal=True):
        for made in job.made:
            page, query = ("runs", {}) if made.kind == "runs" else ("training", {"view": "Runs"})
            link(f"What it made: {made.id}", page, **query, run=made.id)


def who(person: access.Person) -> None:
    """Say below the menu who is here."""
    with st.sidebar:
        st.caption(f"{plain(person.name)} · {person.role}")
        if access.logged_in():
            st.button("Log out", icon=":material/logout:", on_click=st.logout)


def plain(said: str, limit: int = 160) -> str:
    """Return free text as one line that Markdown, directives and formulas leave alone: for labels and captions."""
    return markdown_text(said, limit).replace(":", ":\N{ZERO WIDTH SPACE}")


def text(label: str, said: str | None) -> None:
    """Show free text as it is, whole lines and blanks, under a label of the program's own."""
    if label:
        st.caption(label)
    st.text(shorten(visible(said or "(no text)"), LONG))


def code(said: str) -> None:
    """Show a command or an id, to be copied."""
    st.code(visible(said), language=None, wrap_lines=True)


def badge(verdict: str, label: str = "") -> None:
    """Show a verdict by colour, sign and word."""
    st.badge(label or verdict, icon=ICONS.get(verdict), color=COLOURS.get(verdict, "gray"))  # type: ignore[arg-type]


def metric(label: str, value: float | None, interval: Interval | None = None, *, n: int, n_failed: int = 0) -> None:
    """Show a number with its interval, n and failures."""
    with st.container(border=True):
        st.metric(plain(label), number(value))
        st.caption(f"{interval_text(interval)} · n {n:,} · failed {n_failed:,}".replace("[", "\\["))


def metric_card(m: Metric, info: ScorerInfo | None) -> None:
    """Show a metric of a run, with all that belongs beside it."""
    name = metric_name(m.scorer, info.better if info else None)
    metric(name, m.value, m.interval, n=m.n, n_failed=m.n_failed + m.n_partial)
    if m.interval is None:
        st.caption(plain(m.undefined))
    if m.n_not_applicable:
        st.caption(f"{m.n_not_applicable:,} to which it does not apply")


def grid(cards: Sequence[Callable[[], None]], width: int = 4) -> None:
    """Show cards side by side, `width` in a row."""
    for at in range(0, len(cards), width):
        for column, card in zip(st.columns(width), cards[at : at + width], strict=False):
            with column:
                card()


def sample_link(run: str, sample: str) -> None:
    """Lead to a sample of a run."""
    link(f"Open {sample}", "sample", run=run, sample=sample)


def empty(what: str, command: str) -> None:
    """Say that there is nothing here yet, and the command that makes it."""
    st.info(what, icon=":material/info:")
    code(command)


def fault(exc: WorkbenchError) -> None:
    """Show what cannot be read or done: what, where, and what to do."""
    st.error("This cannot be shown or done.", icon=":material/error:")
    code(str(exc))


def broken(number: str) -> None:
    """Say that a page broke; what happened stands in the server's log under the number."""
    st.error(f"This page broke. Whoever runs the server finds why in its log, under {number}.", icon=":material/error:")


def table(rows: Sequence[Mapping[str, Any]], *, key: str | None = None, height: int | None = None) -> list[int]:
    """Show rows as a table, cells as text; return the positions of those selected (with a `key`), at most one.

    Few rows of which none is chosen are plain HTML: Streamlit's grid has the browser load 1.2 MB of program first.
    """
    shown: Any = [{name: _cell(value) for name, value in row.items()} for row in rows]
    if key is None and len(rows) <= FEW:
        st.html(_html_table(shown, height))
        return []
    size: Any = "auto" if height is None else height
    if key is None:
        st.dataframe(shown, hide_index=True, height=size)
        return []
    said = st.dataframe(shown, hide_index=True, height=size, key=key, on_select="rerun", selection_mode="single-row")
    return [at for at in said["selection"]["rows"] if at < len(rows)]


def _html_table(rows: Sequence[Mapping[str, Any]], height: int | None) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th style='{CELL}opacity:.6;font-weight:400;text-align:left'>{html.escape(n)}</th>" for n in names)
    body = "".join(f"<tr>{''.join(_html_cell(row.get(name)) for name in names)}</tr>" for row in rows)
    whole = f"<table style='{TABLE}'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    most = "" if height is None else f";max-height:{height}px"
    return f"<div style='overflow:auto{most}'>{whole}</div>"


def _html_cell(value: Any) -> str:
    said = "" if value is None else f"{value:,}" if type(value) is int else str(value)
    style = CELL + ("white-space:nowrap" if len(said) <= SHORT else "")
    return f"<td style='{style}'>{html.escape(said)}</td>"


def chart(drawn: Drawn) -> None:
    """Draw a chart over the whole width."""
    st.vega_lite_chart(spec=drawn)


def link(label: str, page: str, **query: str) -> None:
    """Link to another page, in a state of it."""
    target = st.session_state.get("pages", {}).get(page)
    if target is not None:
        st.page_link(target, label=plain(label), query_params=query or None)


def button(label: str, what: access.Act, *, key: str, help: str = "", allowed: bool | None = None) -> bool:
    """Show a button for an act; it is off for whom it is not for. The act's function asks `access.act` by itself."""
    allowed = access.may(what) if allowed is None else allowed
    told = help if allowed else f"takes the role {access.ACTS[what]}"
    return st.button(label, key=key, disabled=not allowed, help=told or None)


def choose(label: str, options: Sequence[str], *, key: str, shown: Callable[[str], str] = str) -> str | None:
    """Let one of the options be chosen; the choice stands in the address, under `key`, unless it is the first one.

    Streamlit's own binding writes what is shown; two runs may look alike, so the option itself is written here.
    """
    asked, noted = st.query_params.get(key), f"{key} in the address"
    if asked in options and (asked != st.session_state.get(noted) or key not in st.session_state):
        st.session_state[key] = asked  # a link was followed, another page opened, or the browser went back
    elif st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    labels = _labels(options, shown)
    said = st.selectbox(label, list(options), key=key, format_func=lambda option: labels.get(option, str(option)))
    if said is not None and said != asked and (asked is not None or said != options[0]):
        st.query_params[key] = said
    st.session_state[noted] = st.query_params.get(key)
    return said


def choose_several(
    label: str, options: Sequence[str], *, key: str, shown: Callable[[str], str] = str
) -> tuple[str, ...]:
    """Let several of the options be chosen; the choice stands in the address, under `key`, as `choose` does it."""
    asked, noted = st.query_params.get_all(key), f"{key} in the address"
    if asked != st.session_state.get(noted, []) or (asked and key not in st.session_state):
        st.session_state[key] = [option for option in asked if option in options]
    elif any(option not in options for option in st.session_state.get(key, [])):
        st.session_state.pop(key)
    said = st.multiselect(label, list(options), key=key, format_func=lambda option: one_line(shown(option), 120))
    if said != asked:
        st.query_params[key] = said
    st.session_state[noted] = st.query_params.get_all(key)
    return tuple(said)


def _labels(options: Sequence[str], shown: Callable[[str], str]) -> dict[str, str]:
    """Return what is shown for each option; two that look alike also show themselves: a browser sends what it shows."""
    told = {option: one_line(shown(option), 120) for option in options}
    alike = Counter(told.values())
    return {
        option: label if alike[label] == 1 else f"{label} · {one_line(option, 120)}" for option, label in told.items()
    }


def started(job: Job) -> None:
    """Say that a job was started, and follow it here; once it is done, the page is drawn anew, with what it made."""
    st.success(f"Started {job.id}.", icon=":material/rocket_launch:")
    link("Follow it", "jobs", job=job.id)
    st.fragment(_follow, run_every=LIVE)(job.id)


def _follow(job_id: str) -> None:
    try:
        job = background.job(data.home(), job_id)
    except DataError:
        return  # somebody removed its folder; the page of jobs tells of it
    if job.state == "done":
        st.session_state[DONE] = job.id  # told by the head of the page that is drawn now
        st.rerun(scope="app")
    progress(job)
    if not job.alive():
        trouble("It did not come to its end.", "\n".join(background.log(job).splitlines()[-LAST:]))


def progress(job: Job) -> None:
    """Show how far a job is, in one line and a bar."""
    told = job.progress
    words = f"{job.state}" + (f", exit code {job.code}" if job.code else "")
    if told is None:
        st.caption(f"{words} · {plain(' '.join(job.command.argv))}")
        return
    left = told.left() if job.alive() else None
    rest = f" · about {duration(left)} left" if left is not None else ""
    note = f" · {plain(told.note)}" if told.note else ""
    line = f"{words} · {plain(told.title)} · {told.done:,} of {told.total:,}{note}{rest}"
    st.progress(min(1.0, told.done / told.total) if told.total else 0.0, line)


def duration(seconds: float) -> str:
    """Return seconds in the two largest units."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def trouble(what: str, why: str) -> None:
    """Say what is wrong, in the program's own words, and why, as plain text."""
    st.error(what, icon=":material/error:")
    code(why)


def changed(before: str, after: str) -> None:
    """Show two texts side by side, with the words marked that one has and the other has not."""
    both = word_diff(visible(before), visible(after))
    _side_by_side(["".join(_piece(said, mark) for said, mark in pieces) for pieces in both])


def beside(left: tuple[str, str], right: tuple[str, str]) -> None:
    """Show two free texts side by side, each under a label of the program's own: (label, text)."""
    _side_by_side([f"<div style='{LABEL}'>{html.escape(label)}</div>{_whole(said)}" for label, said in (left, right)])


def _side_by_side(cells: Sequence[str]) -> None:
    """Draw cells of our own HTML in a row, in one element: the browser's work grows with the number of elements."""
    row = "".join(f"<div class='wb-text' style='flex:1 1 20rem;min-width:0'>{cell}</div>" for cell in cells)
    st.html(f"<div style='display:flex;flex-wrap:wrap;gap:1rem'>{row}</div>")


def _whole(said: str) -> str:
    return _piece(shorten(visible(said or "(no text)"), LONG), "")


def marked(said: str, spans: Sequence[tuple[int, int]]) -> None:
    """Show a text with spans of it (characters from, to) marked."""
    pieces, at = [], 0
    for begin, end in sorted(spans):
        pieces += [(said[at:begin], ""), (said[max(at, begin) : end], "mark")]
        at = max(at, end)
    pieces.append((said[at:], ""))
    st.html("<div class='wb-text'>" + "".join(_piece(visible(part), mark) for part, mark in pieces) + "</div>")


@lru_cache(maxsize=2_000)
def word_diff(before: str, after: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return both texts in pieces of (text, mark): `del` what only the first has, `ins` what only the second has."""
    old, new = WORD.findall(before[:LONG]), WORD.findall(after[:LONG])
    left, right = list[tuple[str, str]](), list[tuple[str, str]]()
    for same, a, b, c, d in difflib.SequenceMatcher(
        None, old, new, autojunk=len(old) + len(new) > MANY_WORDS
    ).get_opcodes():
        left.append(("".join(old[a:b]), "" if same == "equal" else "del"))
        right.append(("".join(new[c:d]), "" if same == "equal" else "ins"))
    return [piece for piece in left if piece[0]], [piece for piece in right if piece[0]]


FEW = 30
"""Rows of a table up to which it is plain HTML."""
SHORT = 24
"""Characters of a cell up to which it stays on one line."""
TABLE = "border-collapse:collapse;width:100%;font-size:.9em;font-variant-numeric:tabular-nums"
CELL = "padding:.35em .7em;border:1px solid rgba(128,128,128,.2);overflow-wrap:break-word;max-width:28rem;"
LABEL = "opacity:.6;font-size:.875em"
STYLES = {
    "": "",
    "del": "background:rgba(213,94,0,.25);text-decoration:line-through;",
    "ins": "background:rgba(0,114,178,.25);text-decoration:underline;",
    "mark": "background:rgba(230,159,0,.35);",
}


def _piece(said: str, mark: str) -> str:
    """Return the only HTML that pages make: escaped text within a span of our own style."""
    return f"<span style='white-space:pre-wrap;overflow-wrap:anywhere;{STYLES[mark]}'>{html.escape(said)}</span>"


def _cell(value: Any) -> Any:
    return one_line(value, 300) if isinstance(value, str) else value
