"""Numbers in words, the same in every report and on the terminal. What does not exist is a dash, never a 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workbench.runs import EvalRun, Interval, Metric, Spending

MISSING = "—"


def number(value: float | None) -> str:
    """Return a number with three digits after the point; a small one with three that count."""
    if value is None:
        return MISSING
    return f"{value:.3g}" if 0 < abs(value) < 0.0005 else f"{value + 0.0:.3f}"  # + 0.0: no "-0.000"


def signed(value: float | None) -> str:
    """Return a difference with its sign."""
    return MISSING if value is None else f"{'+' if value > 0 else ''}{number(value)}"


def interval_text(interval: Interval | None) -> str:
    """Return an interval as `[low, high]`."""
    return MISSING if interval is None else f"[{number(interval.low)}, {number(interval.high)}]"


def interval_name(intervals: Iterable[Interval | None]) -> str:
    """Return the heading of a column of intervals: with the level, where it is one for all."""
    levels = {interval.level for interval in intervals if interval is not None}
    return f"{100 * levels.pop():.4g} % interval" if len(levels) == 1 else "interval"


def metric_name(scorer: str, better: str | None) -> str:
    """Return a metric's name and, where it is not the usual one, its direction."""
    return f"{scorer} (lower is better)" if better == "lower" else scorer


def p_value(p: float | None) -> str:
    """Return a p-value."""
    return MISSING if p is None else "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def money(value: float | None) -> str:
    """Return a cost, or `unknown` where there is no price."""
    return "unknown" if value is None else f"{value:.4f}"


def kinds(failures: Mapping[str, int]) -> str:
    """Return failures by kind in brackets, or nothing; what does not apply is no failure."""
    real = [f"{kind} {n}" for kind, n in sorted(failures.items()) if kind != "not_applicable"]
    return f" ({', '.join(real)})" if real else ""


def interval_or_reason(metric: Metric) -> str:
    """Return a metric's interval, or why it has none."""
    return interval_text(metric.interval) if metric.interval else f"none: {metric.undefined}"


def whole(run: EvalRun) -> list[Metric]:
    """Return the metrics over the whole run."""
    return [m for m in run.metrics if not m.slice]


def sliced(run: EvalRun) -> list[Metric]:
    """Return the metrics over slices."""
    return [m for m in run.metrics if m.slice]


def spending_rows(run: EvalRun) -> list[tuple[str, ...]]:
    """Return what the candidate and the judges consumed, as table cells under `SPENDING`."""
    return [_spending_row("candidate", run.candidate), _spending_row("judges", run.judging)]


SPENDING: Sequence[str] = ("", "calls", "cached", "tokens in", "tokens out", "cost")


def _spending_row(who: str, s: Spending) -> tuple[str, ...]:
    cost = money(s.cost if s.calls else 0.0)
    return (who, str(s.calls), str(s.cached), str(s.input_tokens), str(s.output_tokens), cost)


def latency_line(run: EvalRun) -> str:
    """Return the candidate's latency in one line."""
    if not run.latency.n:
        return "Latency: no answer was timed in this run (recorded or cached answers carry none)."
    p50, p95, p99 = run.latency.p50, run.latency.p95, run.latency.p99
    return f"Latency of {run.latency.n} answers: median {p50:.3f} s, 95 % within {p95:.3f} s, 99 % within {p99:.3f} s."
