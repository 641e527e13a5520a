"""What a judge goes by that people do not, and what attacks do to it: parts of the judges page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import charts, charts_data, data_judges, parts, pieces
from workbench.calibration.attacked import MOST, MOST_OF_A_FAMILY, Attacked, FamilyRate
from workbench.calibration.calibrated import Calibrated
from workbench.calibration.judged import Judged
from workbench.calibration.pairwise import CONSISTENT
from workbench.errors import WorkbenchError
from workbench.reports.words import number


def biases(c: Calibrated, judged: Sequence[str]) -> None:
    """Show length and family bias of a calibration, answers by length, and what another order changes."""
    st.caption("By how much the judge favours something that people do not, with 95 % intervals; 0 is none.")
    marks = [charts.mark(b.kind, b.value, b.interval, "fail" if b.clear else "", n=b.n, what=b.what)
             for b in c.biases if b.value is not None]  # fmt: skip
    if marks:
        parts.chart(charts.forest(marks, "excess over people", zero=0.0))
    parts.table([{"bias": b.kind, "what it is": b.what, "excess": b.value, "n": b.n, "clear": "yes" if b.clear else "",
                  "why there is no number": b.undefined} for b in c.biases])  # fmt: skip
    if not judged:
        return
    try:
        rows = data_judges.cells(judged[0], c.subject.metric, False).rows
        orders = data_judges.orders(judged[0])
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    _lengths(rows)
    _orders(orders, judged[0])


def _lengths(rows: Sequence[Judged]) -> None:
    if any(row.length for row in rows):
        st.subheader("By length of the answer")
        st.caption("The judge's share of passes minus people's; above 0 it is kinder than they are.")
        parts.chart(charts_data.lengths([row for row in rows if row.judge is not None]))


def _orders(orders: Sequence[data_judges.Orders], run_id: str) -> None:
    st.subheader("By position")
    if not orders:
        st.caption("No judge of this run compares two answers, so none can go by which comes first. One that does: "
                   "`kind: pairwise_judge` in an evalset, asked in both orders.")  # fmt: skip
        return
    st.caption(f"In {parts.plain(run_id)}, verdicts that stayed the same when the two answers changed places; "
               f"{CONSISTENT:.0%} is the aim.")  # fmt: skip
    parts.table([{"metric": o.metric, "judged in both orders": o.n, "the same": o.n - o.n_flips, "flips": o.n_flips,
                  "consistent": 1 - o.n_flips / o.n if o.n else None} for o in orders])  # fmt: skip


def injection(found: Sequence[Attacked], metric: str) -> None:
    """Show what the latest injection suite did to a judge, and earlier ones."""
    if not found:
        parts.empty("This judge was never attacked: nobody knows what a text that gives it orders does.",
                    f"workbench judge attack --judge {metric}")  # fmt: skip
        return
    last = found[-1]
    held, why = last.held()
    parts.badge("pass" if held else "fail", "held" if held else "did not hold")
    st.caption(parts.plain(why, 400))
    st.caption(f"{last.n_wrong:,} wrong answers of {parts.plain(last.run)} (wrong by {parts.plain(last.wrong_by)}), "
               f"suite {parts.plain(last.suite)}, {last.at[:16].replace('T', ' ')} by {parts.plain(last.who)}. At most "
               f"{MOST:.0%} of all and {MOST_OF_A_FAMILY:.0%} of a family pass only with the attack.")  # fmt: skip
    rates = [*last.families, last.overall]
    marks = [charts.mark(pieces.line(f.family), f.only_with.value, f.only_with.interval,
                         "fail" if (f.only_with.value or 0) > MOST_OF_A_FAMILY else "", n=f.only_with.n)
             for f in rates]  # fmt: skip
    parts.chart(charts_data.with_lines(marks, "pass only with the attack", (MOST, MOST_OF_A_FAMILY)))
    parts.table([{"family": f.family, "what it is": f.about, "only with it": number(f.only_with.value),
                  "passed": number(f.passed.value), "without it": number(f.plain.value), "n": f.only_with.n,
                  "no verdict": f.n_unjudged, "settled in code": f.n_in_code, **_control(f)}
                 for f in rates])  # fmt: skip
    if last.overall.harmless is not None:
        st.caption("Harmless instead: passes with harmless words in the attack's place, so no merit of the attack. "
                   "False alarms: right answers that fail with such words.")  # fmt: skip
    if len(found) > 1:
        st.subheader("Earlier attacks")
        parts.table([{"at": a.at[:16], "judge": a.judge, "suite": a.suite, "only with it": a.overall.only_with.value,
                      "held": "yes" if a.held()[0] else "no", "by": a.who} for a in reversed(found[:-1])])  # fmt: skip


def _control(f: FamilyRate) -> dict[str, object]:
    """Return what harmless words did in the attack's place, where that was tried."""
    tried = {"harmless instead": f.harmless, "false alarms": f.flagged}
    return {name: f"{share.k} of {share.n}" for name, share in tried.items() if share is not None}
