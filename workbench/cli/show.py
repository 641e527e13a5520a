"""Put results on the terminal. Model text is shown as text: no markup, no control characters."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click

from workbench.evaluation.labels import label_counts
from workbench.evaluation.notable import worst_samples
from workbench.reports.words import interval_text, latency_line, number, sliced, spending_rows, whole
from workbench.runs import EvalRun, Metric
from workbench.store.home import RunFolder
from workbench.store.parquet import Row

if TYPE_CHECKING:
    from workbench.calibration.correction import Correction
    from workbench.evaluation.agreement import JudgeCheck

WORST = 3
LONG = 110
"""Characters of a text that are shown."""
FEW = 4
"""Values of a tag whose slices are shown on the terminal; the report shows all."""
WIDTH = 140
"""Columns of a table that goes to a file or a pipe."""


def show_run(run: EvalRun, folder: RunFolder, worst: int = WORST, corrections: Sequence[Correction] = ()) -> None:
    """Print a finished run: metrics, slices, cost, latency, the lowest samples and where the rest lies."""
    limited = f", limited to {run.spec.limit} of {run.dataset.n}" if run.spec.limit else ""
    click.echo(f"\n{run.spec.evalset} · {run.spec.use} · {run.spec.model_name}   run {run.id}")
    click.echo(
        f"{run.n_attempted} asked = {run.n_output} answered + {run.n_output_failed} failed"
        f"{_kinds(run.output_failures)}; {run.dataset.n} samples in {run.dataset.n_groups} families{limited}\n"
    )
    grid(("metric", "mean", "95 % interval", "n", "failed", "n/a"), map(_metric_row, whole(run)))
    for one in corrections:
        by = f" ({one.calibration})" if one.calibration else ""
        click.echo(f"{one.metric}: {one.sentence()}{by}")
    grid(
        ("scorer", "found", "answers", "95 % interval"),
        ((c.scorer, c.label, f"{c.k}/{c.n}", interval_text(c.interval)) for c in label_counts(run, folder)),
    )
    shown = [m for m in sliced(run) if _values(run, m) <= FEW]
    if shown:
        grid(("metric", "slice", "mean", "95 % interval", "n", "failed"), map(_slice_row, shown))
    if hidden := len(sliced(run)) - len(shown):
        click.echo(f"{hidden} more slices, of tags with more than {FEW} values, are in the report.\n")
    if run.candidate.calls + run.candidate.cached + run.judging.calls + run.judging.cached:
        grid(("", "calls", "cached", "tokens in", "tokens out", "cost"), spending_rows(run))
    click.echo(latency_line(run))
    for info in run.scorers:
        if found := worst_samples(folder, info, worst):
            click.echo(f"\n{'lowest' if info.better == 'higher' else 'highest'} {info.name}")
            for row in found:
                _show_sample(row)
    failed = run.n_output_failed + sum(m.n_failed + m.n_partial for m in whole(run))
    if failed:
        click.echo(
            f"\nWhat failed, and why, is in the report. Ask it again: workbench eval rescore {run.id} --retry-failed"
        )
    click.echo(f"\nreport {folder.report}\n       {folder.page}\ntables {folder.samples}\n       {folder.scores}")


def _show_sample(row: Row) -> None:
    """Print one sample as a block; of a long prompt its end, where the question usually stands."""
    click.echo(f"  {number(row['value'])}  {_cell(row['sample_id'])}")
    texts = (
        ("question", _end(_cell(row["question"]))),
        ("answer", _beginning(_cell(row["output"] or ""))),
        ("reference", _beginning(_cell((row["references"] or [""])[0]))),
        ("reason", _beginning(_cell(row["reason"] or ""))),
    )
    for name, text in texts:
        if text:
            click.echo(f"         {name:<10}{text}")


def clipped(text: str) -> str:
    """Return hostile text as one harmless line, cut at its end."""
    return _beginning(_cell(text))


def _beginning(text: str) -> str:
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def _end(text: str) -> str:
    return text if len(text) <= LONG else "…" + text[1 - LONG :]


def _values(run: EvalRun, metric: Metric) -> int:
    """Return the number of slices that the metric's tag makes."""
    tag = metric.slice.partition("=")[0]
    return sum(m.scorer == metric.scorer and m.slice.partition("=")[0] == tag for m in sliced(run))


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
    """Print rows as aligned columns, long cells cut so that a row fits the terminal.

    Laid out here: rich's tables bring 40 modules, which would be a tenth of a small run.
    """
    body = [[_cell(text) for text in row] for row in rows]
    if not body:
        return
    from rich.cells import cell_len, set_cell_size

    # Only running text may be cut; an id, a state or a number is shown whole, if need be over lines that wrap.
    widths = [max(map(cell_len, column)) for column in zip(head, *body, strict=True)]
    room = (get_terminal_size().columns if sys.stdout.isatty() else WIDTH) - 3 * len(head)
    for at in sorted((at for at, name in enumerate(head) if name in TEXT), key=lambda at: -widths[at]):
        widths[at] = max(min(widths[at], LEAST), widths[at] - max(0, sum(widths) - room))

    def line(cells: Sequence[str]) -> str:
        fitted = []
        for name, cell, width in zip(head, cells, widths, strict=True):
            shown = cell if cell_len(cell) <= width else set_cell_size(cell, width - 1) + "…"
            gap = " " * (width - cell_len(shown))
            fitted.append(gap + shown if name in NUMERIC else shown + gap)
        return f" {'   '.join(fitted)}".rstrip()

    rule = f" {'─' * (sum(widths) + 3 * len(head) - 3)}"
    click.echo("\n".join(("", click.style(line(head), bold=True), rule, *map(line, body), "")))


LEAST = 24
"""Characters that a column which may be cut keeps."""
TEXT = frozenset({"metrics", "95 % interval", "failed", "what", "prompt", "answer"})
"""Columns that may be cut."""
NUMERIC = frozenset(
    {
        "mean",
        "n",
        "n/a",
        "calls",
        "cached",
        "tokens in",
        "tokens out",
        "cost",
        "value",
        "baseline",
        "candidate",
        "Δ",
        "p",
        "rows",
        "families",
        "version",
    }
)


def _cell(text: str) -> str:
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def show_judge_check(check: JudgeCheck) -> None:
    """Print how a judge does against gold labels."""
    where = f" where {check.slice}" if check.slice else ""
    click.echo(
        f"\njudge '{check.judge}' against gold '{check.gold}'{where}; {check.n_unjudged} answers without a verdict"
    )
    names = (
        ("accuracy", check.accuracy),
        ("TPR: good answers passed", check.tpr),
        ("TNR: bad answers failed", check.tnr),
    )
    rows = [(name, number(r.value), interval_text(r.interval), f"{r.k}/{r.n}") for name, r in names]
    grid(("", "share", "95 % interval", "count"), rows)
    click.echo(f"Cohen's kappa {number(check.kappa)}" if check.kappa is not None else "Cohen's kappa: n/a")
    if check.warning:
        click.echo(f"warning: {check.warning}")
