"""What is known of judged pass rates beside the judge's own number, as a table for pages and terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.calibration.correction import Correction
from workbench.reports.document import Block, Heading, Paragraph, Table
from workbench.reports.words import MISSING
from workbench.runs import Interval

HEAD = ("metric", "judge says", "corrected", "95 % interval", "labels", "predicted from this run's labels", "by")
NUMERIC = frozenset({"judge says", "corrected", "labels"})


def correction_rows(found: Sequence[Correction]) -> list[tuple[str, ...]]:
    """Return a row a metric; where nothing is corrected, the last cell says why."""
    return [_row(one) for one in found]


def corrections_blocks(found: Sequence[Correction]) -> Iterable[Block]:
    """Yield the section of a report; nothing for a run without judges."""
    if found:
        yield Heading("Judged pass rates, corrected for the judge's error")
        yield Table(HEAD, correction_rows(found), NUMERIC)
        yield Paragraph(" ".join(f"{one.metric}: {one.sentence()}." for one in found))


def _row(one: Correction) -> tuple[str, ...]:
    held = one.corrected
    if held is None:
        return (one.metric, MISSING, MISSING, MISSING, MISSING, MISSING, f"not corrected: {one.why_not}")
    estimate = held.estimate
    if estimate.value is None:
        return (
            one.metric,
            f"{held.raw:.0%}",
            MISSING,
            MISSING,
            str(held.n_labels),
            _predicted(one),
            estimate.undefined,
        )
    return (
        one.metric,
        f"{held.raw:.0%}",
        f"{estimate.value:.0%}",
        _percent(estimate.interval),
        str(held.n_labels),
        _predicted(one),
        one.calibration,
    )


def _predicted(one: Correction) -> str:
    if one.predicted is None or one.predicted.estimate.value is None:
        return MISSING
    rate = min(1.0, max(0.0, one.predicted.estimate.value))
    return f"{rate:.0%} {_percent(one.predicted.estimate.interval)} ({one.predicted.n_labels} labels)"


def _percent(interval: Interval | None) -> str:
    if interval is None:
        return MISSING
    return f"[{100 * max(0.0, interval.low):.0f}, {100 * min(1.0, interval.high):.0f}]"
