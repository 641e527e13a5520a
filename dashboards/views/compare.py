"""Candidate minus baseline on the same samples: what is better, what is worse, and the very answers."""

from __future__ import annotations

import streamlit as st

from dashboards import charts, data, parts
from dashboards.views.compare_changes import show_changes
from dashboards.views.compare_ladder import show_ladder
from workbench.evaluation.catalogue import Entry
from workbench.evaluation.comparison import Arm, Comparison, MetricDifference
from workbench.reports.words import interval_text, metric_name, money, number, p_value, signed


def show() -> None:
    """Show two runs held against each other."""
    parts.head(
        "Compare", "Candidate minus baseline on the same samples, with paired intervals; never the other way round."
    )
    runs = data.finished()
    if len(runs) < 2:
        parts.empty("Two finished runs on the same samples are needed:", "workbench eval run --model ANOTHER")
        return
    chosen = _choose(runs)
    if chosen is None:
        return
    found = data.comparison(*chosen)
    _facts(found)
    _metrics(found)
    _slices(found)
    show_changes(found)
    show_ladder(runs, chosen[1])


def _choose(runs: list[Entry]) -> tuple[str, str] | None:
    """Let two runs be chosen; by default the newest, and the one before it of the same evalset and use."""
    by_id = {run.id: run for run in runs}
    shown = {run.id: f"{run.model} · {run.evalset} · {run.use} · {run.started[:16].replace('T', ' ')}" for run in runs}
    left, right = st.columns(2)
    with right:
        b = parts.choose("Candidate", list(by_id), key="b", shown=lambda name: shown[name])
    rivals = [r.id for r in runs if b and r.id != b and _on(r) == _on(by_id[b])]
    with left:
        # Rivals first, so that the first one is the default.
        a = parts.choose("Baseline", list(dict.fromkeys([*rivals, *by_id])), key="a", shown=lambda name: shown[name])
    if a is None or b is None or a == b:
        st.info("Choose two different runs of one evalset.", icon=":material/info:")
        return None
    return a, b


def _on(run: Entry) -> tuple[str, str, int]:
    """Return what runs have in common that may be compared."""
    return run.evalset, run.use, run.n


def _facts(found: Comparison) -> None:
    st.caption(f"{found.n:,} samples of {parts.plain(found.evalset)} · {found.use}")
    sides = {"baseline": found.baseline, "candidate": found.candidate}
    parts.table([_side(name, arm) for name, arm in sides.items()])
    change = f"median {signed(found.latency_p50)} s, 95 % within {signed(found.latency_p95)} s"
    timed = change if found.latency_p50 is not None else "not compared, one side was not timed"
    price = "unknown" if found.cost_per_answer is None else f"{found.cost_per_answer:+.6f}"
    st.caption(f"Latency: {timed}. Price of an answer: {price}.")
    for refused in found.refused:
        parts.trouble("A metric cannot be compared.", f"{refused.scorer}: {refused.reason}")


def _side(name: str, arm: Arm) -> dict[str, object]:
    took = {"p50 s": number(arm.latency.p50), "p95 s": number(arm.latency.p95), "cost": money(arm.spending.cost)}
    counts = {"asked": arm.n_attempted, "answered": arm.n_answered}
    return {"": name, "model": arm.model, **counts, **took, "runs": ", ".join(arm.runs)}


def _metrics(found: Comparison) -> None:
    st.subheader("Metrics")
    whole = [m for m in found.metrics if not m.slice]
    if whole:
        parts.chart(charts.forest([_mark(m) for m in whole], "candidate - baseline", zero=0.0))
        parts.table([_row(m) for m in whole])


def _slices(found: Comparison) -> None:
    sliced = [m for m in found.metrics if m.slice]
    if not sliced:
        return
    st.subheader("Slices")
    st.caption(
        "Looked through, not asked one question: p-values are adjusted together (Benjamini-Hochberg); "
        f"coloured are those below {charts.CLEAR:g}."
    )
    scorer = parts.choose("Metric", list(dict.fromkeys(m.scorer for m in sliced)), key="metric")
    mine = [m for m in sliced if m.scorer == scorer]
    parts.chart(charts.forest([_mark(m) for m in mine], "candidate - baseline", zero=0.0))
    parts.table([_row(m) for m in mine])


def _mark(m: MetricDifference) -> dict[str, object]:
    label = m.slice or metric_name(m.scorer, m.better)
    return charts.mark(
        label, m.delta, m.interval, charts.surely(m), n=m.n, p=p_value(m.p), adjusted=p_value(m.p_adjusted)
    )


def _row(m: MetricDifference) -> dict[str, object]:
    return {
        "metric": m.slice or metric_name(m.scorer, m.better),
        "difference": signed(m.delta),
        "interval": interval_text(m.interval) if m.interval else f"none: {m.undefined}",
        "baseline": number(m.baseline),
        "candidate": number(m.candidate),
        "p": p_value(m.p),
        "adjusted": p_value(m.p_adjusted),
        "n": m.n,
        "failed": f"{m.n_missing_baseline} / {m.n_missing_candidate}",
        "better / worse / same": f"{m.wins} / {m.losses} / {m.ties}",
        "detectable": number(m.detectable),
    }
