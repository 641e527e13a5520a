"""How far each judge can be trusted, where it errs, and what that makes of its numbers."""

from __future__ import annotations

import streamlit as st

from dashboards import acting, charts, charts_data, data, data_judges, parts, pieces
from dashboards.data_judges import Books
from dashboards.views import judges_bias, judges_cells, judges_rates
from workbench.calibration.calibrated import Calibrated
from workbench.calibration.measuring import LEAST, TARGET
from workbench.errors import WorkbenchError
from workbench.jobs.background import Job

VIEWS = ("Trust", "Confusion", "Biases", "Drift", "Injection", "Corrected")
RUNS = 12
"""Runs whose rates are corrected on the page, the newest."""
GRADES = {"good": "pass", "usable": "inconclusive", "poor": "fail", "unknown": "inconclusive"}


def show() -> None:
    """Show one part of the page for one judged metric."""
    parts.head("Judges", "How far each judge can be trusted, where it errs, and what that makes of its numbers.")
    books, runs = data_judges.books(), data.finished()
    for why in books.trouble:
        parts.trouble("A book of the judges cannot be read.", why)
    metrics = _metrics(books)
    if not metrics:
        parts.empty("No run was judged by a rubric of pass and fail yet.", "workbench eval run EVALSET")
        return
    metric = parts.choose("Judged metric", metrics, key="metric") or metrics[0]
    view = pieces.section(VIEWS)
    mine = [c for c in books.calibrated if c.subject.metric == metric]
    judged = data_judges.judged_runs(runs, metric, RUNS)
    if view == "Confusion":
        judges_cells.show(metric, judged)
    elif view == "Injection":
        judges_bias.injection([a for a in books.attacked if a.metric == metric], metric)
    elif view == "Corrected":
        judges_rates.corrected(metric, judged)
    elif not mine:
        parts.empty("This judge was never measured on labels it was not tuned on.", _calibrate(metric))
        _open(metric, judged)
    elif view == "Trust":
        _trust(mine[-1])
        _open(metric, judged)
    elif view == "Biases":
        judges_bias.biases(mine[-1], judged)
    else:
        judges_rates.drift(mine)


def open_test(run_id: str, metric: str) -> Job:
    """Start the job that opens a judge's test part. Raises `AccessRefused`."""
    return acting.start(["judge", "calibrate", run_id, "--judge", metric, "--test"])


def _metrics(books: Books) -> list[str]:
    """Return the metrics that were calibrated or attacked, and those that the newest run's judges give."""
    names = [c.subject.metric for c in books.calibrated] + [a.metric for a in books.attacked]
    for run in data.finished()[:1]:
        try:
            names += data_judges.metrics(run.id)
        except WorkbenchError as exc:
            parts.fault(exc)
    return list(dict.fromkeys(reversed(names)))


def _calibrate(metric: str) -> str:
    return (f"workbench label next --run latest --mix random=1 -o next.jsonl\n"
            f"workbench judge calibrate latest --judge {metric} --test")  # fmt: skip


def _trust(c: Calibrated) -> None:
    """Show one calibration: rates with intervals, grade, where its labels come from."""
    trust = c.test or c.dev
    st.caption(f"Judge {parts.plain(c.subject.judge)} against people under {parts.plain(c.subject.guideline)}, test "
               f"part opened {c.at[:16].replace('T', ' ')} by {parts.plain(c.who)}")  # fmt: skip
    parts.badge(GRADES[c.grade], c.grade)
    st.caption(parts.plain(c.why))
    shares = (("TPR: what people pass, passed", trust.tpr), ("TNR: what people fail, failed", trust.tnr),
              ("accuracy", trust.accuracy))  # fmt: skip
    columns = st.columns(4)
    for column, (label, share) in zip(columns, shares, strict=False):
        with column:
            parts.metric(label, share.value, share.interval, n=share.n, n_failed=trust.n_unjudged)
    with columns[3]:
        parts.metric("Cohen's kappa", trust.kappa, None, n=trust.n, n_failed=trust.n_unjudged)
    split = ", ".join(f"{part} {n}" for part, n in c.parts.items())
    spent = f"; {c.n_spent} of the test part were used up by another version" if c.n_spent else ""
    st.caption(f"Labelled answers: {split}{spent}. Failed: labelled answers without a verdict of the judge.")
    if c.slices:
        st.subheader("By slice")
        for name, shares_of in (("TPR", [s.tpr for s in c.slices]), ("TNR", [s.tnr for s in c.slices])):
            marks = [charts.mark(pieces.line(s.slice), share.value, share.interval, n=share.n)
                     for s, share in zip(c.slices, shares_of, strict=True) if share.n]  # fmt: skip
            parts.chart(charts_data.with_lines(marks, name, (LEAST, TARGET)))


def _open(metric: str, judged: list[str]) -> None:
    """Offer to open the test part of the newest judged run."""
    if not judged:
        return
    with st.expander("Open the test part", icon=":material/lock_open:"):
        st.caption("Its labels are measured on once and written down; another version of the judge needs new ones.")
        run_id = parts.choose("Run", judged, key="open-run") or judged[0]
        if parts.button("Open it", "evaluate", key="open-test"):
            parts.started(open_test(run_id, metric))
