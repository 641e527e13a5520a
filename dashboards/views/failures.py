"""Which answers fail, which are alike, and what was done with them."""

from __future__ import annotations

import streamlit as st

from dashboards import acting_failures, data, data_failures, failure_filter, parts, pieces, sending_form
from dashboards.views import failures_sent
from workbench.errors import WorkbenchError
from workbench.failures.clusters import Clustering
from workbench.failures.entries import AnswerId
from workbench.failures.failure import Failure, Found, Wanted
from workbench.reports.escaping import one_line
from workbench.reports.words import interval_text, number
from workbench.statistics.intervals import wilson

LIST, CLUSTERS, SENT = "Failures", "Alike", "What was sent"
BY = ("all", "question", "answer", "reason", "note")
CELL = 300


def show() -> None:
    """Show the list, the clusters, or what became of what was sent."""
    parts.head("Failures", "Which answers fail, and why. Choose some, and make better data of them.")
    run = failure_filter.chosen_run()
    if run is None:
        return
    section = pieces.section((LIST, CLUSTERS, SENT))
    if section == SENT:
        failures_sent.show(run)
    elif section == CLUSTERS:
        _clusters(run)
    else:
        _list(run)


def _list(run: str) -> None:
    wanted = failure_filter.chosen(run)
    start = _start()
    cluster = failure_filter.in_cluster(run)
    if cluster is None:
        found = data_failures.page(run, wanted, start)
    else:
        parts.text("Only this cluster, whatever is filtered:", cluster[2])
        if st.button("All failures again", icon=":material/close:", key="no-cluster"):
            del st.query_params["cluster"]
            st.rerun()
        here = cluster[1][start : start + data_failures.PAGE]
        found = data_failures.answers(run, here).model_copy(update={"n": len(cluster[1])})
    _count(run, found, wanted)
    if not found.failures and not any(s.binary for s in data.run(run).scorers) and wanted.below is None:
        parts.empty("No metric of this run is pass or fail. Choose one, and below what it is a failure; or type:",
                    f"workbench failures find {run} --metric {data.run(run).scorers[0].name} --below 0.5")  # fmt: skip
        return
    if not found.failures:
        parts.empty(
            "Nothing is like this. Loosen the filter; what failed of the whole run:", f"workbench eval show {run}"
        )
        return
    chosen = _table(found)
    _pages(start, found.n)
    _leads(run, chosen)
    of = chosen or (None if cluster is None else _answers(run, cluster[1]))
    sending_form.show(run, of, wanted, found.n)


def _count(run: str, found: Found, wanted: Wanted) -> None:
    """Say how many, with the interval of the share, what was not scored, and where the rest is."""
    share = wilson(found.n, found.n_answers) if found.n_answers else None
    failed = data.run(run).n_output_failed
    what = failure_filter.told(data_failures.counted(run), wanted)
    value = number(found.n / found.n_answers) if found.n_answers else "—"
    told = f"{found.n:,} of {found.n_answers:,} answers: {what} · share {value} {interval_text(share)}"
    st.caption(f"{told} · {failed:,} without an answer".replace("[", "\\["))


def _table(found: Found) -> tuple[AnswerId, ...]:
    """Show a page of failures; return those that are chosen."""
    notes = data_failures.book().current()
    rows = [_row(f, [t for n in notes.get(f.of, ()) for t in n.tags]) for f in found.failures]
    size = min(44 + 35 * len(rows), 460)
    said = st.dataframe(
        rows, hide_index=True, height=size, key="failures-table", on_select="rerun", selection_mode="multi-row"
    )
    return tuple(found.failures[at].of for at in said["selection"]["rows"] if at < len(rows))


def _row(f: Failure, tags: list[str]) -> dict[str, object]:
    wrong = "; ".join(f"{x.scorer}: {x.failure or x.label or number(x.value)}" for x in f.faults)
    why = " ".join(x.reason for x in f.faults)
    cells = {
        "sample": f.of.record(), "wrong": f.error or wrong, "question": _asked(f.question), "answer": f.output or "",
        "why": why, "people": {None: "", True: "pass", False: "fail"}[f.human], "notes": ", ".join(dict.fromkeys(tags)),
        "slices": ", ".join(f"{k}={v}" for k, v in f.tags.items()),
    }  # fmt: skip
    return {name: one_line(value, CELL) for name, value in cells.items()}


def _asked(question: str) -> str:
    """Return a question for a cell, its last paragraph first: passages often stand before what is asked."""
    parts_of_it = [said.strip() for said in question.split("\n\n") if said.strip()]
    return " … ".join([parts_of_it[-1], *parts_of_it[:-1]]) if parts_of_it else ""


def _start() -> int:
    said = st.query_params.get("start", "0")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 8 else 0


def _pages(start: int, n: int) -> None:
    if n <= data_failures.PAGE:
        return
    back, where, on = st.columns([1, 3, 1])
    last = min(start + data_failures.PAGE, n)
    where.caption(f"{start + 1:,} to {last:,} of {n:,}")
    if back.button("Earlier", key="earlier", disabled=start == 0, icon=":material/arrow_back:"):
        st.query_params["start"] = str(max(0, start - data_failures.PAGE))
        st.rerun()
    if on.button("Later", key="later", disabled=last >= n, icon=":material/arrow_forward:"):
        st.query_params["start"] = str(last)
        st.rerun()


def _leads(run: str, chosen: tuple[AnswerId, ...]) -> None:
    left, right = st.columns(2)
    with left:
        if chosen:
            one = chosen[0]
            query = failure_filter.as_query(run)
            parts.link(f"Open {one.record()}", "sample", **query, sample=one.sample, repeat=str(one.repeat))
        else:
            st.caption("Tick rows to open, code or send them.")
    with right:
        begins = {"sample": chosen[0].sample, "repeat": str(chosen[0].repeat)} if chosen else {}
        parts.link("Code these, one after the other", "coding", **failure_filter.as_query(run), **begins)


def _answers(run: str, keys: tuple[tuple[str, int], ...]) -> tuple[AnswerId, ...]:
    return tuple(AnswerId(run=run, sample=sample, repeat=repeat) for sample, repeat in keys)


# ---------------------------------------------------------------- clusters


def _clusters(run: str) -> None:
    known = data_failures.clustered(run)
    wanted = failure_filter.of_address()
    left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
    by = left.selectbox("Compare", BY, key="by", format_func=lambda b: "question and answer" if b == "all" else b)
    models = ["", *data.bench().config.models]
    namer = middle.selectbox("Named by a model", models, key="namer", format_func=lambda m: m or "no model")
    with right:
        asked = parts.button("Group them", "send", key="cluster-now")
    if asked:
        try:
            parts.started(acting_failures.cluster(run, wanted, str(by), str(namer)))
        except WorkbenchError as exc:
            parts.fault(exc)
    if not known:
        parts.empty("Nothing was grouped of this run yet. From the command line:", f"workbench failures cluster {run}")
        return
    _clustering(run, known[0])


def _clustering(run: str, one: Clustering) -> None:
    filtered = ", ".join(f"{k} {v}" for k, v in one.wanted.model_dump(exclude_defaults=True).items())
    how = f"{one.n:,} failures ({filtered or 'all'}), {one.n_texts:,} different texts compared by {one.by}"
    parts.text(f"{one.at[:16].replace('T', ' ')} UTC. A proposal to look at: people name causes.", how)
    if one.embedding != "words" and one.n_embedded < one.n_texts:
        st.caption(f"{one.n_embedded:,} texts were embedded; the others joined the group whose words they have.")
    for cluster in one.clusters:
        with st.container(border=True):
            share = wilson(len(cluster.members), one.n)
            n = f"{len(cluster.members):,} of {one.n:,} {interval_text(share)}".replace("[", "\\[")
            st.markdown(f"**{parts.plain(cluster.name or ', '.join(cluster.words))}** · {n}")
            if cluster.name:
                parts.text(f"named by the model {parts.plain(one.named_by)}", cluster.definition)
            parts.text(f"typical: {parts.plain(cluster.representative.record())}", cluster.text)
            name = f"{one.id}:{cluster.number}"
            parts.link("See its members", "failures", run=run, cluster=name)
            parts.link("Code its members", "coding", run=run, cluster=name)
