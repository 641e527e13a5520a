"""The report of a gate: the decision first, a row a rule, why, and how to walk down to the samples."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.gate.decision import GateDecision, Reconciliation, Release, RuleRow
from workbench.gate.records import Outcome
from workbench.reports.comparison import comparison_blocks
from workbench.reports.document import (
    Badge,
    Block,
    Cell,
    Code,
    Document,
    Facts,
    Figure,
    Heading,
    Piece,
    Table,
    Verdict,
)
from workbench.reports.plots import by_axis
from workbench.reports.svg import Mark, forest
from workbench.reports.words import interval_name, interval_text, metric_name, number, signed

NUMERIC = frozenset(
    {"estimate", "must be", "n", "missing", "detectable", "attempted", "scored", "failed", "n/a", "asked again"}
)
WORDS: dict[Outcome, str] = {"pass": "Ship", "fail": "Do not ship", "inconclusive": "Not enough evidence"}
KEY = "The whole interval must clear the tick; shaded: what does not pass. ● pass, ■ fail, ◆ inconclusive, ▲ waived."


def gate_document(release: Release) -> Document:
    """Return the report of a release decision over one evalset or several."""
    models = dict.fromkeys(gate.candidate.model for gate in release.gates if gate.candidate)
    title = f"Release gate · {', '.join(models) or 'no finished run'}"
    blocks: list[Block] = [Verdict(release.decision, WORDS[release.decision], _sentence(release))]
    if len(release.gates) > 1:
        blocks.append(_overview(release))
    for i, gate in enumerate(release.gates):
        blocks += [*_rules(gate, i, alone=len(release.gates) == 1), *_walk(gate)]
    for i, gate in enumerate(release.gates):
        blocks += _comparison(gate, i, alone=len(release.gates) == 1)
    return Document(title, [*blocks, Facts([f"decided {release.at}"])])


def _sentence(release: Release) -> str:
    if len(release.gates) == 1:
        return release.gates[0].reason
    counts = [(word, sum(g.decision == word for g in release.gates)) for word in ("pass", "fail", "inconclusive")]
    return f"{len(release.gates)} evalsets: " + ", ".join(f"{n} {word}" for word, n in counts if n)


def _overview(release: Release) -> Table:
    rows = [(gate.evalset, Badge(gate.decision, gate.decision), gate.reason) for gate in release.gates]
    return Table(("evalset", "decision", "reason"), rows)


def _rules(gate: GateDecision, number_of_gate: int, alone: bool) -> Iterable[Block]:
    yield Heading(f"{gate.evalset}: {gate.decision}")
    if not alone:
        yield Facts([gate.reason])
    level = interval_name(row.interval for row in gate.rows)
    head = ("rule", "verdict", "estimate", level, "must be", "n", "missing", "detectable", "reason")
    yield Table(head, [_rule(row) for row in gate.rows], NUMERIC)
    for i, (axis, marks) in enumerate(_marks(gate)):
        zero = 0.0 if axis.startswith(DIFFERENCE) else None
        yield Figure(forest(f"gate-{number_of_gate}-{i}", f"{gate.evalset}: {axis}", marks, axis, zero), KEY)
    yield Facts(_facts(gate))
    yield from _accounts(gate)


def _rule(row: RuleRow) -> tuple[Cell, ...]:
    show = signed if row.kind == "margin" else number
    return (
        (Code(row.rule), metric_name("", row.better)) if row.better == "lower" else Code(row.rule),
        Badge(row.verdict, row.verdict),
        show(row.estimate),
        interval_text(row.interval),
        f"{row.passes} {show(row.limit)}",
        str(row.n),
        str(row.n_failed),
        number(row.detectable),
        row.reason + (f" Waived by {row.waiver.who} until {row.waiver.until}: {row.waiver.why}" if row.waiver else ""),
    )


def _marks(gate: GateDecision) -> list[tuple[str, list[Mark]]]:
    """Return the plots of a gate: differences, means, shares; rules on another scale stand alone."""
    plots: list[tuple[str, list[Mark]]] = []
    for kinds, name in PLOTS:
        plots += by_axis(name, ((row.metric or row.what, _mark(row)) for row in gate.rows if row.kind in kinds))
    return plots


DIFFERENCE = "difference to the baseline"
PLOTS = (
    (("margin",), DIFFERENCE),
    (("min", "max"), "mean"),
    (("max_regressions", "p95_latency"), "share"),
    (("max_cost",), "cost"),
)
"""Kinds of rules that share a plot, and the name of its axis."""


def _mark(row: RuleRow) -> Mark:
    show = signed if row.kind == "margin" else number
    said = f"{show(row.estimate)} {interval_text(row.interval) if row.interval else 'no interval'}"
    label = (f"{row.metric} · {row.slice}" if row.slice else row.metric) or row.what
    return Mark(metric_name(label, row.better), row.estimate, row.interval, row.verdict, said, row.limit, row.passes)


def _facts(gate: GateDecision) -> list[Cell]:
    lines: list[Cell] = [
        f"each bound is one-sided, {100 * (1 - gate.alpha):.4g} %; look {gate.look} at this model on these samples",
        *(f"earlier look: {look.outcome}, {look.at}" for look in gate.looks),
    ]
    if gate.baseline_name:
        promoted = f", {gate.baseline_promoted}" if gate.baseline_promoted else ""
        lines.append(f"baseline {gate.baseline_name}{promoted}{'' if gate.baseline else ': not compared'}")
    lines += [("waiver of ", Code(w.rule), f" until {w.until} by {w.who}, {w.at}: {w.why}") for w in gate.waivers]
    return [*lines, *(f"note: {note}" for note in gate.notes)]


def _accounts(gate: GateDecision) -> Iterable[Block]:
    """Yield whether everything that was asked is accounted for."""
    short = [r for r in gate.reconciliation if r.shortfall]
    again = [r for r in {r.run: r for r in gate.reconciliation}.values() if r.asked_again]
    if again:
        yield Facts([(Code(r.run), f": {r.asked_again} samples that failed at first count as missing") for r in again])
    if gate.reconciliation and not short:
        yield Facts(["accounts: attempted = scored + failed + not applicable, in every run and metric"])
    if short:
        head = ("arm", "run", "metric", "attempted", "scored", "failed", "n/a", "what does not add up")
        yield Table(head, [_account(r) for r in short], NUMERIC)


def _account(r: Reconciliation) -> tuple[Cell, ...]:
    counts = (r.attempted, r.scored, r.failed, r.not_applicable)
    return (r.arm, Code(r.run), r.metric, *map(str, counts), r.shortfall)


def _walk(gate: GateDecision) -> Iterable[Block]:
    """Yield the commands that lead from the decision to the samples."""
    if gate.candidate is None:
        return
    lines: list[Cell] = [("candidate's samples: ", Code(f"workbench eval show {run}")) for run in gate.candidate.runs]
    if gate.baseline is not None:
        names = f"{gate.baseline.runs[-1]} {gate.candidate.runs[-1]}"
        lines.append(("what changed: ", Code(f"workbench eval compare {names}")))
    pieces: tuple[Piece, ...] = ("page with plots: ", Code(f"workbench eval report {gate.candidate.runs[-1]}"))
    yield Facts([*lines, pieces])


def _comparison(gate: GateDecision, at: int, alone: bool) -> Iterable[Block]:
    if gate.comparison is not None:
        yield Heading(f"{gate.evalset}: against the baseline")
        yield from comparison_blocks(
            gate.comparison, level=3, prefix=f"g{at}", anchors="sample" if alone else f"sample-g{at}"
        )
