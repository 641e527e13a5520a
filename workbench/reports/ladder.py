"""The report of a ladder: every rung with its differences, what it takes, how its answers drift, what is forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.evaluation.comparison import MetricDifference
from workbench.evaluation.ladder import Ability, Ladder, Rung, Step
from workbench.reports.document import Block, Code, Document, Facts, Figure, Heading, Paragraph, Table
from workbench.reports.plots import difference_mark
from workbench.reports.svg import forest
from workbench.reports.words import MISSING, interval_text, metric_name, number, p_value, signed
from workbench.runs import Metric

HELD = ("before", "first")
DIFFERENCES = tuple(f"{word} {what}" for what in HELD for word in ("Δ", "interval,", "p,"))
NUMERIC = frozenset({"mean", "n", "failed", "median s", "95 % s", "cost", "characters", "refusals", "Δ before",
                     "Δ first", "p, before", "p, first", "Δ", "p"})  # fmt: skip
LONGER = "longer without better"
HOLM = (
    "Δ is the rung minus the one before, and minus the first, on the same samples; intervals are at 95 %, p-values "
    "adjusted by Holm's rule over all of these."
)
KEY = "The rung minus the one that it stands against. ● better, ■ worse, ◆ not told apart from no difference."
HACKED = (
    f"“{LONGER}”: the answers are longer than those of the rung before, and “{{metric}}” is not surely better: look "
    "whether a reward was won by length."
)


@dataclass(frozen=True)
class Shown:
    """A table of plain text with its title; the terminal and the page show the same."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def ladder_document(ladder: Ladder) -> Document:
    """Return the report of a ladder."""
    title = f"{len(ladder.rungs)} rungs on {ladder.evalset} · {ladder.use}"
    return Document(title, [*_head(ladder), *_sections(ladder)])


def ladder_tables(ladder: Ladder) -> list[Shown]:
    """Return a table a metric, the ladder's own first; then what answers take and how they drift; then forgetting."""
    names = dict.fromkeys([ladder.metric, *(m.scorer for rung in ladder.rungs for m in rung.metrics)])
    return [*(_metric(ladder, name) for name in names), _drift(ladder), *(_ability(one) for one in ladder.kept)]


def signs(ladder: Ladder) -> list[str]:
    """Return what should be looked at, in sentences."""
    hacked = [step.rung for step in ladder.steps if step.longer_without_better]
    found = [f"{', '.join(hacked)}: {HACKED.format(metric=ladder.metric)}"] if hacked else []
    lost = [(a, k) for a in ladder.kept for k in a.rungs if k.lost]
    return found + [f"{k.rung} has lost some of {a.evalset}: {a.metric} {signed(k.delta)}" for a, k in lost]


def _head(ladder: Ladder) -> Iterable[Block]:
    runs = [(f"{rung.name}: model ", Code(rung.model), ", run ", Code(rung.run)) for rung in ladder.rungs]
    yield Facts([(f"{ladder.n} samples each, fingerprint ", Code(ladder.dataset)), *runs])
    yield Paragraph(HOLM)
    if found := signs(ladder):
        yield Facts([f"look at: {sign}" for sign in found])


def _sections(ladder: Ladder) -> Iterable[Block]:
    for at, shown in enumerate(ladder_tables(ladder)):
        yield Heading(shown.title)
        yield Table(shown.head, shown.rows, NUMERIC)
        if at == 0:
            found = [
                (f"{s.rung} against {s.below}", s.difference(ladder.metric))
                for s in (*ladder.steps, *ladder.from_first)
            ]
            marks = [difference_mark(m, name) for name, m in found if m is not None]
            yield Figure(forest("steps", f"{ladder.metric}, rung minus rung", marks, "difference", zero=0.0), KEY)


def _metric(ladder: Ladder, name: str) -> Shown:
    rows = [_metric_row(ladder, at, rung, name) for at, rung in enumerate(ladder.rungs)]
    better = next((m.better for step in ladder.steps if (m := step.difference(name)) is not None), None)
    return Shown(metric_name(name, better), ("rung", "mean", "interval", "n", "failed", *DIFFERENCES), rows)


def _metric_row(ladder: Ladder, at: int, rung: Rung, name: str) -> list[str]:
    mean: Metric | None = next((m for m in rung.metrics if m.scorer == name), None)
    own = [MISSING] * 4 if mean is None else [
        number(mean.value), interval_text(mean.interval), str(mean.n), str(mean.n_failed)
    ]  # fmt: skip
    steps: list[Step | None] = [ladder.steps[at - 1], ladder.against_first(at)] if at else [None, None]
    return [rung.name, *own, *(cell for step in steps for cell in _difference(step, name))]


def _difference(step: Step | None, name: str) -> list[str]:
    m = None if step is None else step.difference(name)
    if m is None:
        return [MISSING] * 3
    return [signed(m.delta), interval_text(m.interval), p_value(m.p if m.p_adjusted is None else m.p_adjusted)]


def _drift(ladder: Ladder) -> Shown:
    head = (
        "rung",
        "median s",
        "95 % s",
        "cost",
        "characters",
        "Δ before, interval",
        "refusals",
        "Δ before, interval",
        "",
    )
    rows = []
    for rung, step in zip(ladder.rungs, [None, *ladder.steps], strict=True):
        rows.append([
            rung.name, number(rung.latency.p50), number(rung.latency.p95), number(rung.cost),
            number(rung.length), _moved(None if step is None else step.length),
            number(rung.refusals), _moved(None if step is None else step.refusals),
            LONGER if step is not None and step.longer_without_better else "",
        ])  # fmt: skip
    return Shown("What an answer takes, and how answers drift", head, rows)


def _moved(m: MetricDifference | None) -> str:
    return MISSING if m is None else f"{signed(m.delta)} {interval_text(m.interval)}"


def _ability(one: Ability) -> Shown:
    rows = [
        [k.rung, number(k.value), str(k.n), str(k.n_failed), signed(k.delta), interval_text(k.interval),
         p_value(k.p_adjusted), "lost" if k.lost else ""]
        for k in one.rungs
    ]  # fmt: skip
    name = metric_name(one.metric, one.better)
    return Shown(f"Kept: {one.evalset}, {name}", ("rung", "mean", "n", "failed", "Δ first", "interval", "p", ""), rows)
