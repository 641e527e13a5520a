"""Put a run into words: Markdown that fits a pull request. Model text is escaped, so that it stays text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from workbench.evaluation.summary import worst_samples
from workbench.runs import EvalRun, Interval, Metric, ScorerInfo, Spending
from workbench.store.home import RunFolder
from workbench.tables import Row

WORST = 5


def markdown(run: EvalRun, folder: RunFolder) -> str:
    """Return the whole report of a finished run."""
    parts = [
        f"# {plain(run.spec.evalset)} · {run.spec.use} · {plain(run.spec.model_name)}",
        _facts(run),
        "## Metrics",
        table(
            ("metric", "mean", "95 % interval", "n", "failed", "n/a", "if missing were worst … best"),
            map(metric_row, whole(run)),
        ),
        "## Slices",
        table(("metric", "slice", "mean", "95 % interval", "n", "failed"), map(_slice_row, sliced(run))),
        "## Cost and latency",
        table(("", "calls", "cached", "tokens in", "tokens out", "cost"), spending_rows(run)),
        latency_line(run),
        *_worst(run, folder),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def whole(run: EvalRun) -> list[Metric]:
    """Return the metrics over the whole run."""
    return [m for m in run.metrics if not m.slice]


def sliced(run: EvalRun) -> list[Metric]:
    """Return the metrics over slices."""
    return [m for m in run.metrics if m.slice]


def metric_row(m: Metric) -> tuple[str, ...]:
    """Return one metric as table cells."""
    worst = interval_text(m.worst_case) if m.n_failed else "—"
    return (
        plain(m.scorer),
        number(m.value),
        _interval_or_reason(m),
        str(m.n),
        _failed(m),
        str(m.n_not_applicable),
        worst,
    )


def _slice_row(m: Metric) -> tuple[str, ...]:
    return (plain(m.scorer), plain(m.slice), number(m.value), _interval_or_reason(m), str(m.n), _failed(m))


def _failed(m: Metric) -> str:
    kinds = ", ".join(f"{plain(kind)} {n}" for kind, n in sorted(m.failures.items()) if kind != "not_applicable")
    return f"{m.n_failed} ({kinds})" if kinds else str(m.n_failed)


def _interval_or_reason(m: Metric) -> str:
    return interval_text(m.interval) if m.interval else f"none: {plain(m.undefined)}"


def interval_text(interval: Interval | None) -> str:
    """Return an interval as `[low, high]`."""
    return "—" if interval is None else f"[{number(interval.low)}, {number(interval.high)}]"


def number(value: float | None) -> str:
    """Return a number with three digits after the point, or a dash for what does not exist."""
    return "—" if value is None else f"{value:.3f}"


def money(value: float | None) -> str:
    """Return a cost, or `unknown` where there is no price."""
    return "unknown" if value is None else f"{value:.4f}"


def spending_rows(run: EvalRun) -> list[tuple[str, ...]]:
    """Return what the candidate and the judges consumed, as table cells."""
    return [_spending_row("candidate", run.candidate), _spending_row("judges", run.judging)]


def _spending_row(who: str, s: Spending) -> tuple[str, ...]:
    cost = money(s.cost if s.calls else 0.0)
    return (who, str(s.calls), str(s.cached), str(s.input_tokens), str(s.output_tokens), cost)


def latency_line(run: EvalRun) -> str:
    """Return the candidate's latency in one line."""
    if not run.latency.n:
        return "Latency: no answer was timed in this run (recorded or cached answers carry none)."
    p50, p95, p99 = run.latency.p50, run.latency.p95, run.latency.p99
    return f"Latency of {run.latency.n} answers: median {p50:.3f} s, 95 % within {p95:.3f} s, 99 % within {p99:.3f} s."


def _facts(run: EvalRun) -> str:
    failed = ", ".join(f"{kind} {n}" for kind, n in sorted(run.output_failures.items()))
    lines = [
        f"- run `{run.id}`, started {run.started}",
        f"- {run.dataset.n} samples in {run.dataset.n_groups} families, fingerprint `{run.dataset.fingerprint}`",
        f"- {run.n_attempted} asked = {run.n_output} answered + {run.n_output_failed} failed"
        + (f" ({failed})" if failed else ""),
    ]
    if run.spec.limit is not None:
        lines.append(f"- limited to {run.spec.limit} samples, chosen by a stable hash of their ids")
    if run.dataset.n_quarantined:
        lines.append(f"- {run.dataset.n_quarantined} rows were quarantined when the evalset was read")
    if run.spec.parent:
        lines.append(f"- answers taken from run `{plain(run.spec.parent)}`")
    return "\n".join(lines)


def _worst(run: EvalRun, folder: RunFolder) -> list[str]:
    parts = []
    for info in run.scorers:
        if found := worst_samples(folder, info, WORST):
            rows = [_worst_row(row) for row in found]
            parts += [f"## Lowest {plain(info.name)}" if info.better == "higher" else f"## Highest {plain(info.name)}"]
            parts += [table(("sample", "value", "question", "answer", "reference", "reason"), rows)]
    return parts


def _worst_row(row: Row) -> tuple[str, ...]:
    reference = (row["references"] or [""])[0]
    texts = (row["question"], row["output"] or "", reference, row["reason"] or "")
    return (plain(row["sample_id"]), number(row["value"]), *(plain(t) for t in texts))


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, or nothing when it would be empty."""
    lines = ["| " + " | ".join(row) + " |" for row in body]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *lines])


def plain(text: str, limit: int = 160) -> str:
    """Return hostile text as one harmless line of Markdown: cut, escaped, without control characters."""
    text = " ".join(text.split())
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#!|~$:])", r"\\\1", text) if _has_markup(text) else text


def _has_markup(text: str) -> bool:
    return re.search(r"[\\`*{}\[\]#!|~$]|://|:[a-z]+-|__|\b_|_\b", text) is not None


def info_of(run: EvalRun, name: str) -> ScorerInfo | None:
    """Return the scorer of that name."""
    return next((info for info in run.scorers if info.name == name), None)
