"""Is the candidate ready: the last decision with its rows, how it came there, what it cost, what is still to do."""

from __future__ import annotations

import streamlit as st

from dashboards import access, acting, charts, data, parts
from workbench.evaluation.catalogue import Entry
from workbench.gate.decision import GateDecision, RuleRow, joint
from workbench.reports.words import interval_text, money, number, signed

WORDS = {"pass": "Ship", "fail": "Do not ship", "inconclusive": "Not enough evidence"}


def show() -> None:
    """Show the state of the project."""
    parts.head("Overview", "Is the candidate ready for release, what does it rest on, and what is still to do?")
    runs = data.runs()
    if not runs:
        parts.empty("Nothing was evaluated yet. The first run makes this page:", "workbench eval run")
        return
    _decision()
    _trend([run for run in runs if run.state == "finished"])
    left, middle, right = st.columns(3)
    with left:
        _cost(runs)
    with middle:
        _judges()
    with right:
        _jobs(runs)


def _decision() -> None:
    found, wrong = data.decisions()
    for exc in wrong:
        parts.fault(exc)
    if trouble := data.ledger_trouble():
        parts.trouble("The book of gates cannot be trusted; no decision below counts until it is mended.", trouble)
    if not found:
        parts.empty("No release was decided yet. A decision needs an evalset with a policy:", "workbench gate")
    else:
        outcome = joint(gate.decision for gate in found)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(WORDS[outcome], width="content")
            parts.badge(outcome)
    for gate in found:
        _gate(gate)
    if parts.button("Decide again", "gate", key="decide", help="A look at the same samples counts: docs/gate.md"):
        parts.started(acting.start(["gate", "decide"]))


def _gate(gate: GateDecision) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{parts.plain(gate.evalset)}**", width="content")
            parts.badge(gate.decision)
            st.caption(f"decided {gate.at[:16].replace('T', ' ')} · look {gate.look} · alpha {gate.alpha:g}")
        parts.text("", gate.reason)
        if newer := data.newer_runs(gate):
            st.warning(f"{len(newer)} newer runs of the candidate are not in this decision.", icon=":material/update:")
        if gate.rows:
            parts.chart(charts.rules(gate.rows))
            parts.table([_row(row) for row in gate.rows])
        for note in gate.notes:
            parts.text("", note)
        with st.container(horizontal=True):
            for arm, name in ((gate.candidate, "candidate"), (gate.baseline, "baseline")):
                for run in arm.runs if arm else ():
                    parts.link(f"{name} {run}", "runs", run=run)
            if gate.candidate and gate.baseline:
                parts.link("What changed", "compare", a=gate.baseline.runs[-1], b=gate.candidate.runs[-1])


def _row(row: RuleRow) -> dict[str, object]:
    tell = signed if row.kind == "margin" else number
    return {
        "verdict": row.verdict,
        "rule": row.rule,
        "estimate": tell(row.estimate),
        "interval": interval_text(row.interval),
        "must be": f"{row.passes} {tell(row.limit)}",
        "n": row.n,
        "failed": row.n_failed,
        "why": row.reason,
    }


def _trend(runs: list[Entry]) -> None:
    st.subheader("Over time")
    sets = sorted({f"{run.evalset} · {run.use}" for run in runs})
    if not sets:
        st.caption("No run is finished.")
        return
    left, right = st.columns(2)
    with left:
        chosen = parts.choose("Evalset", sets, key="set")
    mine = [run for run in runs if f"{run.evalset} · {run.use}" == chosen]
    names = list(dict.fromkeys(m.scorer for run in mine for m in run.metrics))
    with right:
        scorer = parts.choose("Metric", names, key="metric")
    points = [
        {"at": run.started, "run": run.id, "series": run.model, "value": m.value, "n": m.n, "n_failed": m.n_failed}
        | ({"low": m.interval.low, "high": m.interval.high} if m.interval else {"low": None, "high": None})
        for run in mine
        for m in run.metrics
        if m.scorer == scorer and m.value is not None
    ]
    if points:
        parts.chart(charts.trend(points, scorer or ""))


def _cost(runs: list[Entry]) -> None:
    st.subheader("Cost")
    known = [run.cost for run in runs if run.cost is not None]
    st.metric("of all runs", money(sum(known)) if known else "unknown", border=True)
    st.caption(f"{len(known)} of {len(runs)} runs have a known price; what the cache answered costs nothing.")


def _judges() -> None:
    st.subheader("Judges")
    found = data.judges()
    if found.trouble:
        parts.trouble("The calibrations cannot be read.", found.trouble)
    if not found.calibrated and not found.trouble:
        parts.empty(
            "No judge was measured against people yet.", "workbench judge calibrate latest --judge METRIC --test"
        )
    for one in found.calibrated:
        with st.container(border=True):
            st.markdown(f"**{parts.plain(one.subject.metric)}** by {parts.plain(one.subject.judge)} · {one.grade}")
            parts.text("", one.why)
    for line in data.labels_needed():
        parts.text("", line)
    if "judges" in st.session_state.get("pages", {}):
        parts.link("All about judges", "judges")


def _jobs(runs: list[Entry]) -> None:
    st.subheader("Under way")
    alive = [job for job in data.jobs() if job.alive()]
    for job in alive:
        parts.progress(job)
        parts.link("Log", "jobs", job=job.id)
    others = [run for run in runs if run.state in ("running", "unfinished")]
    for run in others[:5]:
        with st.container(border=True):
            st.caption(f"{run.state} · {parts.plain(run.evalset)} · {parts.plain(run.model)}")
            parts.link(run.id, "runs", run=run.id)
    if not alive and not others:
        st.caption("Nothing runs, and nothing was left half done.")
    if access.may("evaluate") and parts.button("Evaluate the candidate", "evaluate", key="evaluate"):
        parts.started(acting.start(["eval", "run"]))
