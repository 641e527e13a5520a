"""Put a comparison on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import click

from workbench.cli.show import clipped, grid
from workbench.evaluation.comparison import Arm, Change, Comparison, Comparisons, MetricDifference
from workbench.reports.changes import show_command
from workbench.reports.escaping import one_line
from workbench.reports.words import interval_text, metric_name, money, number, signed


def show_comparisons(found: Comparisons) -> None:
    """Print one table over all candidates, then each one's slices, changes, time and money."""
    first = found.against[0]
    click.echo(f"\n{first.evalset} · {first.use} · {first.n} samples   baseline {_named(first.baseline)}\n")
    many = len(found.against) > 1
    head = ("", *HEAD, "p (Holm)") if many else ("", *HEAD)
    grid(head, [_row(c.candidate.model, m, many) for c in found.against for m in c.metrics if not m.slice])
    for comparison in found.against:
        _show(comparison)


LONGEST = 500
"""Characters of a command that is shown."""
HEAD = ("metric", "before", "after", "Δ", "95 % interval", "p", "MDE", "n", "missing", "won/lost/tied")


def _show(comparison: Comparison) -> None:
    click.echo(f"\ncandidate {_named(comparison.candidate)}")
    for refused in comparison.refused:
        click.echo(f"not compared: {refused.scorer}: {refused.reason}")
    sliced = [m for m in comparison.metrics if m.slice]
    if sliced:
        click.echo("slices, exploratory (p adjusted by Benjamini and Hochberg)")
        grid(("slice", *HEAD, "p (BH)"), [_row(m.slice, m, adjusted=True) for m in sliced])
    for m in comparison.metrics:
        if m.undefined and not m.slice:
            click.echo(f"{m.scorer}: {m.undefined}")
        if not m.slice and (m.n_missing_baseline or m.n_missing_candidate):
            click.echo(f"{m.scorer}: with every missing score at its worst and best Δ is {interval_text(m.worst_case)}")
    for kind, counts in (("regression", comparison.n_regressions), ("fix", comparison.n_fixes)):
        for name, n in counts.items():
            _show_changes(comparison, n, [c for c in comparison.changes if (c.kind, c.scorer) == (kind, name)])
    click.echo(f"latency {_seconds(comparison)}\ncost    {_price(comparison)}")


def _row(name: str, m: MetricDifference, adjusted: bool = False) -> tuple[str, ...]:
    cells = (
        name,
        metric_name(m.scorer, m.better),
        number(m.baseline),
        number(m.candidate),
        signed(m.delta),
        interval_text(m.interval),
        number(m.p),
        number(m.detectable),
        str(m.n),
        f"{m.n_missing_baseline}/{m.n_missing_candidate}",
        f"{m.wins}/{m.losses}/{m.ties}",
    )
    return (*cells, number(m.p_adjusted)) if adjusted else cells


def _show_changes(comparison: Comparison, n: int, shown: Sequence[Change]) -> None:
    if not shown:
        return
    kind = shown[0].kind
    click.echo(f"\n{shown[0].scorer}: {n} {kind}{'s' if kind == 'regression' and n != 1 else 'es' if n != 1 else ''}")
    for change in shown:
        click.echo(f"  {clipped(change.sample_id)}  {number(change.before)} → {number(change.after)}")
        for label, text in (
            ("question", change.question),
            ("before", change.answer_before),
            ("after", change.answer_after),
            ("reason", change.reason),
        ):
            if text:
                click.echo(f"         {label:<10}{clipped(text)}")
        click.echo(f"         {'see':<10}{one_line(show_command(comparison, change.sample_id), LONGEST)}")


def _seconds(comparison: Comparison) -> str:
    if comparison.latency_p50 is None or comparison.latency_p95 is None:
        return "not compared: one side was not timed (recorded or cached answers carry no time)"
    return f"median {comparison.latency_p50:+.3f} s, 95th percentile {comparison.latency_p95:+.3f} s"


def _price(comparison: Comparison) -> str:
    totals = " → ".join(money(side.spending.cost) for side in (comparison.baseline, comparison.candidate))
    each = comparison.cost_per_answer
    return f"in all {totals}; an answer {'unknown' if each is None else format(each, '+.6f')}"


def _named(side: Arm) -> str:
    served = f"; it called itself {', '.join(side.served_models)}" if side.served_models else ""
    return f"{side.model} ({', '.join(side.runs)}{served})"
