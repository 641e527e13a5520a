"""All runs, searched; and one run: its metrics, slices, worst samples, what it took."""

from __future__ import annotations

import streamlit as st

from dashboards import acting, charts, data, parts
from workbench.evaluation.catalogue import Entry
from workbench.reports.words import (
    SPENDING,
    interval_or_reason,
    interval_text,
    latency_line,
    metric_name,
    number,
    sliced,
    spending_rows,
    whole,
)
from workbench.runs import EvalRun, Metric, ScorerInfo

STATES = ("all", "finished", "running", "unfinished", "damaged")
WORST = 20
"""Samples that are listed as worst."""


def show() -> None:
    """Show the list, or the run that the address names."""
    if wanted := st.query_params.get("run"):
        _one(wanted)
    else:
        _all()


def _all() -> None:
    parts.head("Runs", "Every evaluation, newest first. Choose one to see its metrics and samples.")
    runs = data.runs()
    if not runs:
        parts.empty("Nothing was evaluated yet:", "workbench eval run")
        return
    left, right = st.columns([4, 1])
    words = left.text_input("Search", key="q", bind="query-params", placeholder="evalset, model, id …")
    with right:
        state = parts.choose("State", STATES, key="state")
    found = [run for run in runs if state in ("all", run.state) and _matches(run, words or "")]
    st.caption(f"{len(found):,} of {len(runs):,} runs")
    at = parts.table([_row(run) for run in found], key="runs-table", height=min(42 + 35 * len(found), 600))
    if at:
        st.query_params.from_dict({"run": found[at[0]].id})
        st.rerun()


def _matches(run: Entry, words: str) -> bool:
    text = f"{run.id} {run.evalset} {run.use} {run.model} {run.state} {run.note}".casefold()
    return all(word in text for word in words.casefold().split())


def _row(run: Entry) -> dict[str, object]:
    means = {m.scorer: f"{number(m.value)} {interval_text(m.interval)}" for m in run.metrics}
    told = {"state": run.state, "began": run.started[:16].replace("T", " "), "evalset": run.evalset, "use": run.use}
    return told | {"model": run.model, "n": run.n or None, **means, "note": run.note, "run": run.id}


def _one(wanted: str) -> None:
    entry = next((run for run in data.runs() if run.id == wanted), None)
    if entry is None:
        parts.head("Run")
        _back()
        data.folder(wanted)  # says which are near, or that there is none
        return
    parts.head(f"{parts.plain(entry.evalset)} · {entry.use} · {parts.plain(entry.model)}")
    _back()
    parts.code(entry.id)
    if entry.state == "finished":
        _finished(data.run(wanted))
    else:
        _other(entry)


def _back() -> None:
    if st.button("All runs", icon=":material/arrow_back:", key="back"):
        st.query_params.clear()
        st.rerun()


def _other(run: Entry) -> None:
    """Show a run that is not finished, or that cannot be read."""
    parts.text(run.state, run.note)
    if run.state == "unfinished" and parts.button("Go on", "evaluate", key="resume"):
        parts.started(acting.start(["eval", "run", "--resume", run.id]))


def _finished(run: EvalRun) -> None:
    counts = f"{run.n_attempted:,} asked = {run.n_output:,} answered + {run.n_output_failed:,} failed"
    limit = f" · limited to {run.spec.limit} of {run.dataset.n}" if run.spec.limit else ""
    st.caption(f"{run.started} · {counts} · {run.dataset.n:,} samples in {run.dataset.n_groups or 0:,} families{limit}")
    parts.grid([lambda m=m: parts.metric_card(m, _info(run, m)) for m in whole(run)])  # type: ignore[misc]
    with st.container(horizontal=True):
        parts.link("Failures", "failures", run=run.id)
        parts.link("Compare", "compare", b=run.id)
        if run.spec.parent:
            parts.link(f"Rescored from {run.spec.parent}", "runs", run=run.spec.parent)
        if parts.button("Score anew", "evaluate", key="rescore", help="With the evalset's scorers as they are now"):
            parts.started(acting.start(["eval", "rescore", run.id]))
    scorer = parts.choose("Metric", [m.scorer for m in whole(run)], key="metric")
    if scorer is not None:
        _slices([m for m in sliced(run) if m.scorer == scorer])
        _worst(run, scorer)
    _spending(run)


def _info(run: EvalRun, metric: Metric) -> ScorerInfo | None:
    return next((info for info in run.scorers if info.name == metric.scorer), None)


def _slices(found: list[Metric]) -> None:
    st.subheader("Slices")
    if not found:
        st.caption("The samples have no tags that divide them.")
        return
    parts.chart(charts.forest([charts.mark(m.slice, m.value, m.interval, n=m.n) for m in found], found[0].scorer))
    parts.table(
        [
            {
                "slice": m.slice,
                "mean": number(m.value),
                "interval": interval_or_reason(m),
                "n": m.n,
                "failed": m.n_failed,
            }
            for m in found
        ]
    )


def _worst(run: EvalRun, scorer: str) -> None:
    info = next(info for info in run.scorers if info.name == scorer)
    st.subheader("What to look at first")
    st.caption(f"By {parts.plain(metric_name(scorer, info.better))}, worst first; the best possible are left out.")
    found = data.worst(run.id, scorer, WORST)
    if not found:
        st.caption("Every sample has the best possible score.")
        return
    names = ("value", "question", "output", "references", "reason", "sample_id")
    rows = [{n: " / ".join(r[n]) if n == "references" else r[n] for n in names} for r in found]
    at = parts.table(rows, key=f"worst-{scorer}")
    if at:
        parts.sample_link(run.id, found[at[0]]["sample_id"])
        parts.text("question", found[at[0]]["question"])
        parts.text("answer", found[at[0]]["output"])
        parts.text("why", found[at[0]]["reason"])


def _spending(run: EvalRun) -> None:
    st.subheader("What it took")
    parts.table([dict(zip(("who", *SPENDING[1:]), row, strict=True)) for row in spending_rows(run)])
    st.caption(latency_line(run))
    with st.expander("Resolved spec"):
        parts.code(run.spec.model_dump_json(indent=2))
