"""The report of one run: what was measured, how surely, on what it cost and failed, and the samples to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from workbench.calibration.correction import Correction
from workbench.evaluation.labels import LabelCount, label_counts
from workbench.reports.as_html import page
from workbench.reports.as_markdown import markdown
from workbench.reports.corrections import corrections_blocks
from workbench.reports.document import (
    Block,
    Card,
    Cell,
    Code,
    Document,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Samples,
    Table,
)
from workbench.reports.plots import by_axis
from workbench.reports.samples import unanswered, unscored, worst
from workbench.reports.svg import Mark, forest
from workbench.reports.words import (
    MISSING,
    SPENDING,
    interval_name,
    interval_or_reason,
    interval_text,
    kinds,
    latency_line,
    metric_name,
    number,
    sliced,
    spending_rows,
    whole,
)
from workbench.runs import EvalRun, Metric
from workbench.store.files import write_atomic
from workbench.store.home import RunFolder

NUMERIC = frozenset({"mean", "share", "answers", "n", "n/a", *SPENDING[1:]})
MOST_SLICES = 40
"""Rows of one plot; the table has all."""


def write_reports(run: EvalRun, folder: RunFolder, corrections: Sequence[Correction] = ()) -> None:
    """Write `report.md` and `report.html` beside the run's tables."""
    document = run_document(run, folder, corrections)
    write_atomic(folder.report, markdown(document, folder.page.name).encode())
    write_atomic(folder.page, page(document).encode())


def run_document(run: EvalRun, folder: RunFolder, corrections: Sequence[Correction] = ()) -> Document:
    """Return the report of a finished run. The same folder gives the same document, wherever and whenever.

    `corrections` tell what is known of judged metrics from outside the run: how far its judges can be trusted.
    """
    title = f"{run.spec.evalset} · {run.spec.use} · {run.spec.model_name}"
    return Document(
        title,
        [
            Facts(_facts(run)),
            *_metrics(run),
            *corrections_blocks(corrections),
            *_causes(run, folder),
            *_slices(run),
            *_spending(run),
            *_samples(run, folder),
        ],
    )


def _facts(run: EvalRun) -> list[Cell]:
    lines: list[Cell] = [
        ("run ", Code(run.id), f", started {run.started}"),
        (f"{run.dataset.n} samples in {run.dataset.n_groups} families, fingerprint ", Code(run.dataset.fingerprint)),
        f"{run.n_attempted} asked = {run.n_output} answered + {run.n_output_failed} failed{kinds(run.output_failures)}",
    ]
    if run.spec.limit is not None:
        lines.append(f"limited to {run.spec.limit} samples, chosen by a stable hash of their ids")
    if run.dataset.n_quarantined:
        lines.append(f"{run.dataset.n_quarantined} rows were quarantined when the evalset was read")
    if run.spec.parent:
        lines.append(("answers taken from run ", Code(run.spec.parent)))
    return [*lines, ("walk down with ", Code(f"workbench eval show {run.id}"))]


def _metrics(run: EvalRun) -> Iterable[Block]:
    metrics = whole(run)
    head = ("metric", "mean", _interval(metrics), "n", "failed", "n/a", "if missing were worst … best")
    rows = [
        (
            _name(run, m.scorer),
            number(m.value),
            interval_or_reason(m),
            str(m.n),
            _failed(m),
            str(m.n_not_applicable),
            interval_text(m.worst_case) if m.n_failed else MISSING,
        )
        for m in metrics
    ]
    yield Heading("Metrics")
    yield Table(head, rows, NUMERIC)
    for i, (axis, marks) in enumerate(by_axis("mean", ((m.scorer, _mark(m, _name(run, m.scorer))) for m in metrics))):
        svg = forest(f"metrics-{i}", f"Metrics: {axis}", marks, axis)
        yield Figure(svg, "Mean and interval; dashed: what it would be if every missing score were the worst, or best.")


def _causes(run: EvalRun, folder: RunFolder) -> Iterable[Block]:
    """Count what the scorers that name causes found."""
    counts = label_counts(run, folder)
    if not counts:
        return
    rows = [(c.scorer, c.label, f"{c.k}/{c.n}", number(c.k / c.n), interval_text(c.interval)) for c in counts]
    yield Heading("Causes")
    yield Table(("scorer", "what", "answers", "share", _interval_of(counts)), rows, NUMERIC)
    for i, (scorer, mine) in enumerate(groupby(counts, key=lambda c: c.scorer)):
        svg = forest(f"causes-{i}", f"What {scorer} found", [_share(c) for c in mine], "share of answers")
        yield Figure(svg, f"What {scorer} found: the share of the answers, with its interval.")


def _share(count: LabelCount) -> Mark:
    share = count.k / count.n
    return Mark(count.label, share, count.interval, text=f"{number(share)} {interval_text(count.interval)}")


def _interval_of(counts: Sequence[LabelCount]) -> str:
    return interval_name(count.interval for count in counts)


def _slices(run: EvalRun) -> Iterable[Block]:
    metrics = sliced(run)
    if not metrics:
        return
    rows = [
        (_name(run, m.scorer), m.slice, number(m.value), interval_or_reason(m), str(m.n), _failed(m)) for m in metrics
    ]
    yield Heading("Slices")
    yield Table(("metric", "slice", "mean", _interval(metrics), "n", "failed"), rows, NUMERIC)
    for i, total in enumerate(whole(run)):
        marks = [_mark(m, m.slice) for m in metrics if m.scorer == total.scorer][:MOST_SLICES]
        if marks:
            name = _name(run, total.scorer)
            svg = forest(f"slices-{i}", f"{name} by slice", marks, name, zero=total.value)
            yield Figure(svg, f"{name} by slice; the line is the mean of the whole run.")


def _spending(run: EvalRun) -> Iterable[Block]:
    yield Heading("Cost and latency")
    yield Table(SPENDING, spending_rows(run), NUMERIC)
    yield Paragraph(latency_line(run))


def _samples(run: EvalRun, folder: RunFolder) -> Iterable[Block]:
    yield from _cards("No answer", unanswered(folder))
    yield from _cards("No score", unscored(folder))
    for info in run.scorers:
        yield from _cards(f"{'Highest' if info.better == 'lower' else 'Lowest'} {info.name}", worst(folder, info))


def _cards(title: str, cards: Sequence[Card]) -> Iterable[Block]:
    if cards:
        yield Heading(title)
        yield Samples(cards)


def _mark(m: Metric, label: str) -> Mark:
    said = f"{number(m.value)} {interval_text(m.interval)}" if m.interval else f"{number(m.value)} no interval"
    return Mark(label, m.value, m.interval, text=said, worst=m.worst_case if m.n_failed else None)


def _failed(m: Metric) -> str:
    return f"{m.n_failed}{kinds(m.failures)}"


def _interval(metrics: Sequence[Metric]) -> str:
    return interval_name(m.interval for m in metrics)


def _name(run: EvalRun, scorer: str) -> str:
    return next(metric_name(scorer, info.better) for info in run.scorers if info.name == scorer)
