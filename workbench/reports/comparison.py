"""The report of a comparison: differences with intervals, how they are spread, and which samples changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.evaluation.comparison import Arm, Comparison, Comparisons, MetricDifference
from workbench.reports.changes import changed_samples
from workbench.reports.document import (
    Badge,
    Block,
    Cell,
    Code,
    Document,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Piece,
    Table,
)
from workbench.reports.plots import by_axis, difference_histogram, difference_mark, direction
from workbench.reports.svg import forest
from workbench.reports.words import MISSING, interval_name, interval_text, metric_name, number, p_value, signed

NUMERIC = frozenset({"baseline", "candidate", "difference", "p", "detectable", "n", "p, Holm", "p, BH"})
ADJUSTED = {"holm": "p, Holm", "benjamini-hochberg": "p, BH"}
KEY = "Candidate minus baseline with its interval. ● better, ■ worse, ◆ not told apart from no difference."
MOST_SLICES = 40


def comparisons_document(several: Comparisons) -> Document:
    """Return the report of one candidate or several against one baseline."""
    first = several.against[0]
    if len(several.against) == 1:
        return comparison_document(first)
    title = f"{len(several.against)} models against {first.baseline.model} on {first.evalset} · {first.use}"
    return Document(title, [Facts(_set_facts(first)), *_table_of_all(several), *_each(several)])


def comparison_document(comparison: Comparison) -> Document:
    """Return the report of one candidate against one baseline."""
    c = comparison
    title = f"{c.candidate.model} against {c.baseline.model} on {c.evalset} · {c.use}"
    return Document(title, [Facts(_set_facts(c)), *comparison_blocks(c)])


def comparison_blocks(
    comparison: Comparison, level: int = 2, prefix: str = "c", anchors: str = "sample"
) -> Iterable[Block]:
    """Yield the sections of a comparison; `prefix` and `anchors` keep names of plots and samples apart on the page."""
    yield Facts([_arm("candidate", comparison.candidate), _arm("baseline", comparison.baseline)])
    yield from _differences(comparison, level, prefix)
    yield from _spread(comparison, prefix)
    yield from _slices(comparison, level, prefix)
    yield Heading("Cost and latency", level)
    yield Facts(_costs(comparison))
    yield from changed_samples(comparison, level, anchors)


def _set_facts(c: Comparison) -> list[Cell]:
    return [(f"{c.n} samples that both sides ran on, fingerprint ", Code(c.dataset))]


def _arm(side: str, arm: Arm) -> Cell:
    runs: list[Piece] = [piece for run in arm.runs for piece in (Code(run), " ")]
    served = f"; it called itself {', '.join(arm.served_models)}" if arm.served_models else ""
    again = f"; {arm.n_asked_again} samples it failed at first and was asked again" if arm.n_asked_again else ""
    answers = f"{arm.n_answered} of {arm.n_attempted} answered, {arm.repeats} a sample{served}{again}; run "
    return (f"{side} ", Badge("plain", arm.model), f": {answers}", *runs)


def _differences(c: Comparison, level: int, prefix: str) -> Iterable[Block]:
    found = [m for m in c.metrics if not m.slice]
    yield Heading("Differences", level)
    yield difference_table(found)
    if c.refused:
        yield Facts([f"not compared: {refusal.scorer}: {refusal.reason}" for refusal in c.refused])
    for i, (axis, marks) in enumerate(by_axis("difference", ((m.scorer, difference_mark(m, _name(m))) for m in found))):
        yield Figure(forest(f"{prefix}-differences-{i}", f"Metrics: {axis}", marks, axis, zero=0.0), KEY)


def difference_table(found: Sequence[MetricDifference], sliced: bool = False, models: Sequence[str] = ()) -> Table:
    """Return metrics side by side with their difference and how sure it is; `models` replace the metrics' names."""
    adjusted = {m.adjustment for m in found} - {""}
    extra = [ADJUSTED[adjusted.pop()]] if len(adjusted) == 1 else []
    names = models or [_name(m) for m in found]
    head = [
        "model" if models else "metric",
        *(["slice"] if sliced else []),
        "baseline",
        "candidate",
        "difference",
        interval_name(m.interval for m in found),
        "p",
        *extra,
        "detectable",
        "n",
        "missing",
        "wins / losses / ties",
    ]
    rows = [[n, *([m.slice] if sliced else []), *_cells(m, bool(extra))] for n, m in zip(names, found, strict=True)]
    return Table(head, rows, NUMERIC)


def _name(m: MetricDifference) -> str:
    return metric_name(m.scorer, m.better)


def _cells(m: MetricDifference, adjusted: bool) -> list[Cell]:
    state = direction(m)
    return [
        number(m.baseline),
        number(m.candidate),
        Badge(state if state != "inconclusive" else "plain", signed(m.delta)),
        interval_text(m.interval) if m.interval else f"none: {m.undefined}",
        p_value(m.p),
        *([p_value(m.p_adjusted)] if adjusted else []),
        number(m.detectable),
        str(m.n),
        _missing(m),
        f"{m.wins} / {m.losses} / {m.ties}",
    ]


def _missing(m: MetricDifference) -> str:
    if not m.n_missing_baseline + m.n_missing_candidate:
        return "0"
    worst = f", worst … best {interval_text(m.worst_case)}" if m.worst_case else ""
    return f"baseline {m.n_missing_baseline}, candidate {m.n_missing_candidate}{worst}"


def _spread(c: Comparison, prefix: str) -> Iterable[Block]:
    for i, m in enumerate(m for m in c.metrics if m.histogram):
        caption = f"{_name(m)} per sample: {m.wins} better, {m.losses} worse, {m.ties} the same."
        flips = [f"{side} {number(x)}" for side, x in _flips(m) if x is not None]
        more = f" Chance that two answers to one sample score differently: {', '.join(flips)}." if flips else ""
        yield Figure(difference_histogram(f"{prefix}-spread-{i}", m), caption + more)


def _flips(m: MetricDifference) -> tuple[tuple[str, float | None], ...]:
    return (("baseline", m.flips_baseline), ("candidate", m.flips_candidate))


def _slices(c: Comparison, level: int, prefix: str) -> Iterable[Block]:
    found = [m for m in c.metrics if m.slice]
    if not found:
        return
    yield Heading("Slices", level)
    yield Paragraph(
        "Exploratory: many slices are looked at, and some differ by chance. Only what also holds after Benjamini and "
        "Hochberg's adjustment is marked as better or worse."
    )
    yield difference_table(found, sliced=True)
    for i, scorer in enumerate(dict.fromkeys(_name(m) for m in found)):
        marks = [difference_mark(m, m.slice) for m in found if _name(m) == scorer][:MOST_SLICES]
        yield Figure(
            forest(f"{prefix}-slices-{i}", f"{scorer} by slice", marks, f"difference, {scorer}", zero=0.0), KEY
        )


def _costs(c: Comparison) -> list[Cell]:
    base, cand = c.baseline.latency, c.candidate.latency
    return [
        f"median latency: {_change(base.p50, cand.p50, c.latency_p50, ' s')}",
        f"95 % of answers within: {_change(base.p95, cand.p95, c.latency_p95, ' s')}",
        f"cost of an answer that was paid for, candidate − baseline: {signed(c.cost_per_answer)}",
    ]


def _change(before: float | None, after: float | None, delta: float | None, unit: str) -> str:
    if delta is None:
        return f"{MISSING} (not timed on both sides)"
    return f"{number(before)}{unit} → {number(after)}{unit} ({signed(delta)}{unit})"


def _table_of_all(several: Comparisons) -> Iterable[Block]:
    """Yield every candidate in one table and one plot a metric, p-values adjusted over the candidates."""
    yield Heading("All candidates")
    yield Paragraph("p-values are adjusted by Holm's rule over the candidates; intervals are not.")
    for i, scorer in enumerate(dict.fromkeys(_name(m) for c in several.against for m in c.metrics if not m.slice)):
        pairs = [(c, m) for c in several.against for m in c.metrics if _name(m) == scorer and not m.slice]
        yield Heading(scorer, 3)
        yield difference_table([m for _, m in pairs], models=[c.candidate.model for c, _ in pairs])
        marks = [difference_mark(m, c.candidate.model) for c, m in pairs]
        yield Figure(forest(f"all-{i}", f"{scorer} of all candidates", marks, f"difference, {scorer}", zero=0.0), KEY)


def _each(several: Comparisons) -> Iterable[Block]:
    for i, c in enumerate(several.against):
        yield Heading(f"{c.candidate.model} against {c.baseline.model}")
        yield from comparison_blocks(c, level=3, prefix=f"c{i}", anchors=f"sample-c{i}")
