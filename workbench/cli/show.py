"""Put results on the terminal. Model text is shown as text: no markup, no control characters."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Literal

import click

from workbench.evaluation.agreement import JudgeCheck
from workbench.evaluation.report import interval_text, latency_line, number, sliced, spending_rows, whole
from workbench.evaluation.summary import worst_samples
from workbench.runs import EvalRun, Metric
from workbench.store.home import RunFolder

WORST = 3
WIDTH = 140
"""Columns of a table that goes to a file or a pipe."""


def show_run(run: EvalRun, folder: RunFolder, worst: int = WORST) -> None:
    """Print a finished run: metrics, slices, cost, latency, the lowest samples and where the rest lies."""
    limited = f", limited to {run.spec.limit}" if run.spec.limit else ""
    click.echo(f"\n{run.spec.evalset} · {run.spec.use} · {run.spec.model_name}   run {run.id}")
    click.echo(
        f"{run.n_attempted} asked = {run.n_output} answered + {run.n_output_failed} failed"
        f"{_kinds(run.output_failures)}; {run.dataset.n} samples in {run.dataset.n_groups} families{limited}\n"
    )
    grid(("metric", "mean", "95 % interval", "n", "failed", "n/a"), map(_metric_row, whole(run)))
    if slices := sliced(run):
        grid(("metric", "slice", "mean", "95 % interval", "n", "failed"), map(_slice_row, slices))
    if run.candidate.calls + run.candidate.cached + run.judging.calls + run.judging.cached:
        grid(("", "calls", "cached", "tokens in", "tokens out", "cost"), spending_rows(run))
    click.echo(latency_line(run))
    for info in run.scorers:
        if found := worst_samples(folder, info, worst):
            click.echo(f"\n{'lowest' if info.better == 'higher' else 'highest'} {info.name}")
            rows = [
                (
                    r["sample_id"],
                    number(r["value"]),
                    r["question"],
                    r["output"] or "",
                    (r["references"] or [""])[0],
                    r["reason"] or "",
                )
                for r in found
            ]
            grid(("sample", "value", "question", "answer", "reference", "reason"), rows)
    click.echo(f"\nreport {folder.report}\ntables {folder.samples}\n       {folder.scores}")


def _metric_row(m: Metric) -> tuple[str, ...]:
    return (
        m.scorer,
        number(m.value),
        _interval(m),
        str(m.n),
        f"{m.n_failed}{_kinds(_real(m))}",
        str(m.n_not_applicable),
    )


def _slice_row(m: Metric) -> tuple[str, ...]:
    return (m.scorer, m.slice, number(m.value), _interval(m), str(m.n), f"{m.n_failed}{_kinds(_real(m))}")


def _real(m: Metric) -> dict[str, int]:
    return {kind: n for kind, n in m.failures.items() if kind != "not_applicable"}


def _interval(m: Metric) -> str:
    return interval_text(m.interval) if m.interval else f"none: {m.undefined}"


def _kinds(failures: dict[str, int]) -> str:
    return f" ({', '.join(f'{kind} {n}' for kind, n in sorted(failures.items()))})" if failures else ""


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows as aligned columns, long cells cut so that a row fits the terminal."""
    body = [[_cell(text) for text in row] for row in rows]
    if not body:
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for at, name in enumerate(head):
        # Only running text may be cut; an id, a state or a number is shown whole.
        whole = None if name in TEXT else max(len(row[at]) for row in body)
        justify: Literal["left", "right"] = "right" if name in NUMERIC else "left"
        table.add_column(Text(name), overflow="ellipsis", no_wrap=True, min_width=whole, justify=justify)
    for row in body:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False).print(table)


TEXT = frozenset({"question", "answer", "reference", "reason", "metrics", "95 % interval", "failed", "what"})
NUMERIC = frozenset({"mean", "n", "n/a", "calls", "cached", "tokens in", "tokens out", "cost", "value"})


def _cell(text: str) -> str:
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def show_judge_check(check: JudgeCheck) -> None:
    """Print how a judge does against gold labels."""
    where = f" where {check.slice}" if check.slice else ""
    click.echo(
        f"\njudge '{check.judge}' against gold labels '{check.gold}'{where}; {check.n_unjudged} answers without a verdict"
    )
    names = (
        ("accuracy", check.accuracy),
        ("TPR: good answers passed", check.tpr),
        ("TNR: bad answers failed", check.tnr),
    )
    rows = [(name, number(r.value), interval_text(r.interval), f"{r.k}/{r.n}") for name, r in names]
    grid(("", "share", "95 % interval", "count"), rows)
