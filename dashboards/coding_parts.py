"""Pieces of the coding page: a failure at a glance, tags with keys, the taxonomy, and what coding comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboards import acting_failures, charts, charts_failures, data, data_failures, parts
from workbench.errors import ConfigError, Problem, WorkbenchError
from workbench.failures.counting import Bar
from workbench.failures.entries import AnswerId
from workbench.failures.failure import Failure
from workbench.failures.taxonomy import Mode, as_yaml
from workbench.jobs.failures import checked, exported, tidy, with_mode
from workbench.reports.escaping import one_line
from workbench.reports.words import interval_text, number
from workbench.runs import Interval

MEANING = ((0.4, "mend the definitions before counting"), (0.7, "good for trends only"), (2.0, "may be built on"))
"""What an alpha below each bound is good for."""
TAGS = 40
GLANCE = 6_000
"""Characters of a text that coders see at once; the sample's page shows all."""
REFERENCES = 3


def failure(found: Failure, references: Sequence[str]) -> None:
    """Show a failure at a glance: asked, accepted, answered, found wrong."""
    parts.text(f"asked · {parts.plain(found.of.record())}", found.question)
    for reference in references[:REFERENCES]:
        parts.text("accepted answer", reference[:GLANCE])
    if found.error:
        st.caption(f"no answer: {parts.plain(found.error)}")
    parts.text("answered", (found.output or "")[:GLANCE])
    for fault in found.faults:
        said = fault.failure or fault.label or number(fault.value)
        st.caption(f"{parts.plain(fault.scorer)}: {parts.plain(said)}")
        if fault.reason:
            parts.text("", fault.reason)
    if found.human is not None:
        st.caption(f"people: {'pass' if found.human else 'fail'}")


def tags(name: str, chosen: Sequence[str], hot: int) -> list[str]:
    """Let tags be chosen: the most used ones by a key, all by name, new ones by typing. Return them."""
    key = f"tags {name}"
    if key not in st.session_state:
        st.session_state[key] = list(chosen)
    known = _known_tags()
    with st.container(horizontal=True, gap="small"):
        for at, tag in enumerate(known[:hot], 1):
            kind: Any = "primary" if tag in st.session_state[key] else "secondary"
            st.button(parts.plain(tag, 30), key=f"{key} {at}", shortcut=str(at), type=kind,
                      on_click=_toggle, args=(key, tag))  # fmt: skip
    options = list(dict.fromkeys([*known, *st.session_state[key]]))
    said = st.multiselect("Tags", options, key=key, accept_new_options=True, select_all=False,
                          filter_mode="contains", placeholder="choose, or type a new one; Esc when done",
                          format_func=lambda tag: parts.plain(tag, 60))  # fmt: skip
    return list(tidy(said))


def others(of: AnswerId, me: str) -> None:
    """Show what other coders wrote, folded, so that it sways nobody who has not looked."""
    theirs = [n for n in data_failures.book().current().get(of, ()) if n.by != me]
    if theirs:
        with st.expander(f"{len(theirs)} other {'note' if len(theirs) == 1 else 'notes'} on this answer"):
            for note in theirs:
                parts.text(f"{parts.plain(note.by)} · {parts.plain(', '.join(note.tags)) or 'no tags'}", note.text)


def _toggle(key: str, tag: str) -> None:
    now = st.session_state.get(key, [])
    st.session_state[key] = [t for t in now if t != tag] if tag in now else [*now, tag]


def _known_tags() -> list[str]:
    """Return the tags in use, the most used first, then the codes of the taxonomy."""
    used = Counter(t for notes in data_failures.book().current().values() for n in notes for t in n.tags)
    return list(
        dict.fromkeys([*(t for t, _ in used.most_common()), *(m.value for m in data_failures.taxonomy().modes)])
    )[:TAGS]


# ---------------------------------------------------------------- the taxonomy


def taxonomy(run: str) -> None:
    """Show the codes to be edited, the tags that none of them includes yet, and clusters as proposals."""
    now = data_failures.taxonomy()
    file = parts.plain(exported(data.bench()).name)
    st.caption(f"version {parts.plain(now.version)} · content {now.fingerprint()[:12]} · kept in {file}")
    edited = st.data_editor(
        [_mode_row(m) for m in now.modes],
        key=f"codes {now.fingerprint()}",
        num_rows="dynamic",
        hide_index=True,
        column_config={
            "severity": st.column_config.NumberColumn(
                min_value=1, max_value=5, step=1, help="1 cosmetic … 5 does harm"
            ),
            "definition": st.column_config.TextColumn(width="large"),
            "tags": st.column_config.TextColumn(help="open tags that mean this code, by comma"),
        },
    )
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    why = left.text_input("What changed", key="taxonomy-why")
    with right:
        saving = parts.button("Save as a version", "adjudicate", key="save-taxonomy")
    if saving:
        _save(edited, why, now.version, now.fingerprint())
    st.download_button("YAML", as_yaml(now), "taxonomy.yaml", key="taxonomy-yaml", icon=":material/download:")
    _proposals(run)


def _save(edited: Any, why: str, version: str, before: str) -> None:
    try:
        saved = acting_failures.save_taxonomy(checked(version, [_mode(row) for row in _rows(edited)]), why, before)
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    st.toast(f"Saved as version {parts.plain(saved.taxonomy.version)}.", icon=":material/check:")
    st.rerun()


def _proposals(run: str) -> None:
    """Offer what is not in the taxonomy: open tags, and clusters of the run."""
    loose = [b for b in data_failures.bars(()) if not b.known]
    clusters = [c for one in data_failures.clustered(run)[:1] for c in one.clusters]
    if not loose and not clusters:
        st.caption("No open tag is left without a code, and nothing was grouped of this run.")
        return
    st.subheader("Group into codes")
    names = {f"tag {b.code}": (b.code, b.code, "", [b.code]) for b in loose}
    current = data_failures.book().current()
    for c in clusters:
        used = Counter(t for of in c.members for n in current.get(of, ()) for t in n.tags)
        name = c.name or " ".join(c.words[:3])
        known = [t for t, _ in used.most_common() if t in {b.code for b in loose}]
        names[f"cluster {c.number}: {name}, {len(c.members)} failures"] = (name, name, c.definition, known)
    chosen = st.selectbox("From", list(names), key="proposal", format_func=lambda n: parts.plain(n))
    code, name, definition, tags_ = names[str(chosen)]
    with st.form("new-code"):
        left, middle, right = st.columns([2, 3, 1])
        value = left.text_input("Code", "_".join(tidy([code])).replace(" ", "_"))
        title = middle.text_input("Name", one_line(name, 200))
        severity = right.number_input("Severity", 1, 5, 3)
        text = st.text_input("Definition", one_line(definition, 500))
        mine = st.multiselect("Open tags that mean it", [b.code for b in loose], tags_)
        parent = st.selectbox("Group", ["", *(m.value for m in data_failures.taxonomy().modes)])
        if st.form_submit_button("Add the code"):
            _add(Mode(value=value or "code", title=title, description=text, severity=int(severity), parent=parent,
                      includes=tuple(t for t in mine if t != value)))  # fmt: skip


def _add(mode: Mode) -> None:
    now = data_failures.taxonomy()
    try:
        acting_failures.save_taxonomy(with_mode(now, mode), f"code {mode.value}", now.fingerprint())
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    st.rerun()


def _mode_row(mode: Mode) -> dict[str, Any]:
    return {"code": mode.value, "name": mode.title, "definition": mode.description, "severity": mode.severity,
            "group": mode.parent, "tags": ", ".join(mode.includes)}  # fmt: skip


def _rows(edited: Any) -> list[dict[str, Any]]:
    """Return the rows of the editor as plain values, whatever table it gives back."""
    rows: list[dict[str, Any]] = edited if isinstance(edited, list) else edited.to_dict("records")
    return [row for row in rows if any(_filled(value) for value in row.values())]


def _mode(row: dict[str, Any]) -> Mode:
    def word(name: str) -> str:
        return str(row.get(name) or "").strip() if _filled(row.get(name)) else ""

    severity = row.get("severity")
    try:
        return Mode(
            value=word("code"), title=word("name"), description=word("definition"), parent=word("group"),
            severity=int(severity) if severity is not None and _filled(severity) else None,
            includes=tidy(word("tags").split(",")),
        )  # fmt: skip
    except ValueError as exc:
        what = "a code has a name, texts that are not too long, and a severity from 1 to 5"
        raise ConfigError(Problem("TAXONOMY", what, got=word("code"), fix="mend that row")) from exc


def _filled(value: Any) -> bool:
    return value is not None and value == value and str(value).strip() != ""


# ---------------------------------------------------------------- what it comes to


def weight(run: str) -> None:
    """Show the codes by frequency × severity, and whether new ones still appear."""
    here = st.toggle("This run only", key="here", bind="query-params")
    runs = (run,) if here else ()
    bars, seen = data_failures.bars(runs), data_failures.saturated(runs)
    if not bars:
        parts.empty("No note has a tag yet. Code some failures here, or type:",
                    f"workbench failures code {run} SAMPLE --tag 'wrong unit' --note '…'")  # fmt: skip
        return
    weighed = [b for b in bars if b.weight is not None]
    st.subheader("Causes by frequency × severity" if weighed else "Causes by frequency")
    if not weighed:
        st.caption("No code has a severity yet: give it one under Taxonomy, and causes are weighed by it.")
    shown, axis = (weighed, "share of coded answers × severity") if weighed else (bars, "share of coded answers")
    parts.chart(charts.forest([_mark(b, bool(weighed)) for b in shown], axis))
    st.caption(
        "What was coded was chosen, so the intervals speak of failures like these. Codes of a group count for it too."
    )
    parts.table([_bar_row(b) for b in bars])
    st.subheader("Do new causes still appear?")
    parts.chart(charts_failures.saturation(seen.points))
    chance = "" if seen.unseen is None else f" · a further code is a new one with a chance of about {seen.unseen:.0%}"
    st.caption(
        f"{seen.points[-1].codes} codes in {seen.points[-1].n} answers · none new in the last {seen.since}{chance}"
    )


def _mark(b: Bar, weighed: bool) -> dict[str, Any]:

    if not weighed or b.weight is None or b.low is None or b.high is None:
        return charts.mark(one_line(b.name, 60), b.k / b.n, b.interval, k=b.k, n=b.n)
    interval = Interval(low=b.low, high=b.high, level=b.interval.level, method=b.interval.method)
    return charts.mark(one_line(b.name, 60), b.weight, interval, k=b.k, n=b.n, severity=b.severity)


def _bar_row(b: Bar) -> dict[str, Any]:
    return {
        "code": b.name, "group": b.parent, "in the taxonomy": "yes" if b.known else "no: an open tag",
        "severity": b.severity, "answers": f"{b.k} of {b.n}", "share": number(b.k / b.n),
        "95 % interval": interval_text(b.interval), "share × severity": number(b.weight),
    }  # fmt: skip


def agreement() -> None:
    """Show how far coders agree, and what that is good for."""
    found = data_failures.agreed()
    if not found:
        what = "No failure was coded by two people yet. Whoever codes the same run finds others' notes folded away:"
        parts.empty(what, "workbench failures code RUN SAMPLE --tag …")
        return
    parts.table(
        [
            {
                "code": one.code or "the whole set of codes",
                "alpha": number(one.alpha.value),
                "good for": _meaning(one.alpha.value) or one.alpha.undefined,
                "95 % interval": interval_text(one.alpha.interval) if one.alpha.interval else "—",
                "n": one.alpha.n,
                "given to": one.k,
                "say the same": number(one.equal.value),
            }
            for one in found
        ]
    )
    st.caption("Krippendorff's alpha, nominal, over failures that two people or more coded; intervals over families.")


def _meaning(alpha: float | None) -> str:
    return "" if alpha is None else next(said for bound, said in MEANING if alpha < bound)
