"""What a judge and people said of the same answers, cell by cell, down to each: a part of the judges page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import charts_data, data_judges, parts, pieces
from workbench.calibration.judged import Judged
from workbench.errors import WorkbenchError
from workbench.jobs.judged_cells import Cells

CELLS: dict[str, tuple[bool, bool | None]] = {
    "people fail, judge passes": (False, True),
    "people pass, judge fails": (True, False),
    "both pass": (True, True),
    "both fail": (False, False),
    "people pass, no verdict": (True, None),
    "people fail, no verdict": (False, None),
}
SHOWN = 200
WORDS = {True: "pass", False: "fail", None: "no verdict"}


def show(metric: str, judged: Sequence[str]) -> None:
    """Show the matrix of one run, and the answers of one of its cells."""
    if not judged:
        parts.empty("No finished run has this metric.", "workbench eval run EVALSET")
        return
    run_id = parts.choose("Run", judged, key="run") or judged[0]
    every = st.toggle("Answers too that were picked for what they are: rates may be off", key="every")
    try:
        found = data_judges.cells(run_id, metric, every)
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    _matrix(found)
    if not found.rows:
        told = "No labelled answer of this run may be looked at."
        parts.empty(told, f"workbench label next --run {run_id} --mix random -o next.jsonl")
        return
    names = [name for name, cell in CELLS.items() if found.cell(*cell)]
    chosen = pieces.section(names, key="cell")
    _answers(run_id, found.cell(*CELLS[chosen]))


def _matrix(found: Cells) -> None:
    """Show the counts and what they make."""
    opened = "part to work on and of the opened test part" if found.opened else "part to work on"
    st.caption(f"{len(found.rows):,} labelled answers of the {opened}; {found.n_withheld:,} are not shown: few-shot "
               "examples, or a test part that is not open yet.")  # fmt: skip
    left, right = st.columns([3, 2])
    counts = {(WORDS[human], WORDS[judge]): len(found.cell(human, judge)) for human, judge in CELLS.values()}
    with left:
        parts.chart(charts_data.cells({key: n for key, n in counts.items() if n or key[1] != "no verdict"}))
    trust = found.trust()
    with right:
        parts.metric("TPR", trust.tpr.value, trust.tpr.interval, n=trust.tpr.n, n_failed=trust.n_unjudged)
        parts.metric("TNR", trust.tnr.value, trust.tnr.interval, n=trust.tnr.n, n_failed=trust.n_unjudged)


def _answers(run_id: str, rows: Sequence[Judged]) -> None:
    """List a cell's answers; one that is chosen opens."""
    st.caption(f"{len(rows):,} answers in this cell" + (f", the first {SHOWN}" if len(rows) > SHOWN else ""))
    table = [
        {"answer": row.id.partition("/")[2], "characters": row.length, "family": row.group,
         "slices": ", ".join(f"{name}={value}" for name, value in row.tags.items())}
        for row in rows[:SHOWN]
    ]  # fmt: skip
    at = parts.table(table, key="cell-rows", height=300)
    chosen = str(table[at[0] if at else 0]["answer"])
    sample, _, repeat = chosen.rpartition("#")
    if not sample or not repeat.isdigit():
        sample, repeat = chosen, "0"
    parts.link(f"Open {chosen} with its answer and reasons", "sample", run=run_id, sample=sample, repeat=repeat)
