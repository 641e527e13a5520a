"""The book of a home's judges: every opening of a test part, chained, never edited.

`<home>/judges/calibrations.jsonl` with its `.head`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from workbench.calibration.calibrated import Calibrated
from workbench.store.book import Book


def calibrations(home: Path) -> Book[Calibrated]:
    """Return the book of a home's calibrations."""
    file = home / "judges" / "calibrations.jsonl"
    return Book(file, TypeAdapter(Calibrated), "a calibration")


def current(book: Book[Calibrated], metric: str, inputs: Mapping[str, str]) -> tuple[Calibrated | None, str]:
    """Return the latest calibration that holds for a metric's judge, or `None` and why none does."""
    known = [c for c in book.records() if c.subject.metric == metric]
    valid = [c for c in known if not c.valid_for(inputs)]
    if valid:
        return valid[-1], ""
    if known:
        return None, f"the calibration of {known[-1].at[:10]} is void: {known[-1].valid_for(inputs)}"
    return None, "its judge was never calibrated"
