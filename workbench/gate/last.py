"""The last decision on each evalset, whole, as the pages show it: `<home>/gates/decisions/<evalset>.json`.

The book of looks is what counts; these files are copies for readers, written anew by each decision.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from workbench.errors import DataError, Problem
from workbench.gate.decision import GateDecision
from workbench.store.files import write_atomic


def keep(home: Path, gate: GateDecision) -> None:
    """Write a decision down in place of the one before."""
    write_atomic(_folder(home) / f"{gate.evalset}.json", gate.json_bytes())


def last_files(home: Path) -> list[Path]:
    """Return the files of all last decisions, by evalset."""
    return sorted(_folder(home).glob("*.json"))


def read_last(file: Path) -> GateDecision:
    """Return a decision. Raises `DataError` for a damaged file."""
    try:
        return GateDecision.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as exc:
        fix = "decide again: workbench gate"
        raise DataError(Problem("GATE_RECORD", "the last decision cannot be read", str(file), fix=fix)) from exc


def _folder(home: Path) -> Path:
    return home / "gates" / "decisions"
