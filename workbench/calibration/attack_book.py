"""The book of the attacks on a home's judges, chained, never edited: `<home>/judges/attacks.jsonl` with its `.head`."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from workbench.calibration.attacked import Attacked
from workbench.store.book import Book


def attacks(home: Path) -> Book[Attacked]:
    """Return the book of the attacks on a home's judges."""
    return Book(home / "judges" / "attacks.jsonl", TypeAdapter(Attacked), "an attack")
