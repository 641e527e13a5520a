"""Several runs on the same samples, one above the other: each against the one before."""

from __future__ import annotations

import streamlit as st

from dashboards import charts, data, parts
from workbench.evaluation.catalogue import Entry
from workbench.reports.words import interval_text, number


def show_ladder(runs: list[Entry], candidate: str) -> None:
    """Let runs on the candidate's samples be chosen, and show how each does against the one before."""
    newest = next(run for run in runs if run.id == candidate)
    alike = [r.id for r in reversed(runs) if (r.evalset, r.use, r.n) == (newest.evalset, newest.use, newest.n)]
    if len(alike) < 3:
        return
    st.subheader("Ladder")
    shown = {run.id: f"{run.model} · {run.started[:16].replace('T', ' ')}" for run in runs}
    rungs = parts.choose_several("Rungs, from the first", alike, key="rungs", shown=lambda run: shown[run])
    if len(rungs) < 2:
        st.caption("Choose two runs or more, each to be held against the one before and the first.")
        return
    found = data.ladder(rungs)
    parts.table(
        [
            {"rung": r.model, **{m.scorer: f"{number(m.value)} {interval_text(m.interval)}" for m in r.metrics}}
            | {"p95 s": number(r.latency.p95), "length": number(r.length), "refusals": number(r.refusals), "run": r.run}
            for r in found.rungs
        ]
    )
    steps = [(step, m) for step in found.steps if (m := step.difference(found.metric)) is not None]
    marks = [charts.mark(f"{s.rung} − {s.below}", m.delta, m.interval, charts.surely(m), n=m.n) for s, m in steps]
    parts.chart(charts.forest(marks, f"difference in {found.metric}, each rung against the one before", zero=0.0))
