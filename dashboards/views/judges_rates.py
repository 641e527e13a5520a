"""A judge's rates over its versions, and runs' pass rates raw and corrected: parts of the judges page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import charts, charts_data, data_judges, parts
from workbench.calibration.calibrated import Calibrated
from workbench.calibration.measuring import Share
from workbench.errors import WorkbenchError


def drift(mine: Sequence[Calibrated]) -> None:
    """Show the rates over the versions of a judge."""
    points, rows = list[dict[str, object]](), list[dict[str, object]]()
    for number, c in enumerate((c for c in mine if c.test is not None), 1):
        assert c.test is not None
        version = _changed(mine[number - 2], c) if number > 1 else "first"
        when = f"{number} · {c.at[:10]}"
        shares: tuple[tuple[str, Share], ...] = (("TPR", c.test.tpr), ("TNR", c.test.tnr))
        points += [{**charts.mark(when, s.value, s.interval, n=s.n), "at": when, "rate": name, "version": version}
                   for name, s in shares]  # fmt: skip
        rows.append({"opened": c.at[:16].replace("T", " "), "by": c.who, "judge": c.subject.judge,
                     "what is new": version,
                     "TPR": c.test.tpr.value, "TNR": c.test.tnr.value, "kappa": c.test.kappa, "labels": c.test.n,
                     "grade": c.grade, "guideline": c.subject.guideline})  # fmt: skip
    st.caption("Each opening of a test part, with 95 % intervals: rates of different labels under the same guideline.")
    parts.chart(charts_data.rates(points))
    parts.table(list(reversed(rows)))


def _changed(before: Calibrated, after: Calibrated) -> str:
    words = {"scorer": "rubric or prompt", "judge": "judging model"}
    inputs = after.subject.inputs
    new = [words.get(name, name) for name, value in inputs.items() if before.subject.inputs.get(name) != value]
    return " and ".join(new) or "nothing: other labels"


def corrected(metric: str, judged: Sequence[str]) -> None:
    """Show what the judge says of each run, and what is likely true."""
    marks, rows = list[dict[str, object]](), list[dict[str, object]]()
    for run_id in judged:
        told, found = "", None
        try:
            one = data_judges.corrected(run_id, metric)
            found, told = one.corrected, one.why_not or (one.predicted.sentence() if one.predicted else "")
        except WorkbenchError as exc:
            told = str(exc)
        if found is None:
            rows.append({"run": run_id, "judge says": None, "corrected": None, "besides": told})
            continue
        e = found.estimate
        marks += [charts.mark(f"{run_id} · raw", found.raw, found.raw_interval, "inconclusive", n=found.n),
                  charts.mark(f"{run_id} · corrected", e.value, e.interval, "waived", n=found.n_labels)]  # fmt: skip
        rows.append({"run": run_id, "judge says": found.raw, "n": found.n, "corrected": e.value,
                     "low": e.interval.low if e.interval else None, "high": e.interval.high if e.interval else None,
                     "labels": found.n_labels, "besides": e.undefined or told})  # fmt: skip
    if not rows:
        parts.empty("No finished run has this metric.", "workbench eval run EVALSET")
        return
    st.caption("What the judge says (orange), and the rate corrected by its measured error (blue), 95 % intervals. The "
               "corrected one is wider: it knows how few labels it rests on.")  # fmt: skip
    if marks:
        parts.chart(charts.forest(marks, "pass rate"))
    parts.table(rows)
