"""The book of a home's gates, `<home>/gates/records.jsonl`: lines are only added, and flushed before they count."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from workbench.errors import DataError, Problem
from workbench.gate.records import GateRecord, Look, Promotion, Unwaiver, Waiver
from workbench.store.files import flush, told_when_full
from workbench.store.lock import owning


class Ledger:
    """All records of a home's gates, oldest first."""

    def __init__(self, home: Path) -> None:
        self.file = home / "gates" / "records.jsonl"

    def records(self) -> list[GateRecord]:
        """Read every record. A last line without its end was never acknowledged and does not count.

        Raises `DataError` naming the line for one that is not a record.
        """
        if not self.file.exists():
            return []
        lines = self.file.read_bytes().split(b"\n")[:-1]
        return [self._record(at, line) for at, line in enumerate(lines, 1)]

    def add(self, record: GateRecord) -> None:
        """Append a record; when this returns, it is on the disk. Raises `LockedError`, `DataError`, `IncompleteRun`."""
        with told_when_full(self.file), owning(self.file.parent):
            self.records()
            with self.file.open("ab") as file:
                self._cut_torn_tail()
                file.write(record.json_bytes() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            flush(self.file.parent)

    def promotion(self, evalset: str, name: str) -> Promotion | None:
        """Return the latest promotion of a baseline's name, or `None`."""
        found = [r for r in self.records() if isinstance(r, Promotion) and (r.evalset, r.name) == (evalset, name)]
        return found[-1] if found else None

    def waivers(self, day: date, evalset: str | None = None) -> list[Waiver]:
        """Return the waivers that hold on a day, the latest of each rule; of one evalset or of all."""
        standing: dict[str, Waiver] = {}
        for record in self.records():
            if isinstance(record, Waiver):
                standing[record.rule] = record
            elif isinstance(record, Unwaiver):
                standing.pop(record.rule, None)
        return [w for w in standing.values() if w.holds_on(day) and (evalset is None or evalset == evalset_of(w.rule))]

    def looks(self, candidate: str) -> list[Look]:
        """Return every look at a candidate."""
        return [record for record in self.records() if isinstance(record, Look) and record.candidate == candidate]

    def _record(self, at: int, line: bytes) -> GateRecord:
        try:
            found: GateRecord = TypeAdapter(GateRecord).validate_json(line)
        except ValidationError as exc:
            what = f"not a record of a gate: {exc.errors()[0]['msg']}"
            fix = "put the line back as it was written; records are never edited"
            raise DataError(Problem("GATE_RECORD", what, file=str(self.file), line=at, fix=fix)) from exc
        return found

    def _cut_torn_tail(self) -> None:
        """Drop what a crash left behind the last whole line."""
        content = self.file.read_bytes()
        os.truncate(self.file, content.rfind(b"\n") + 1)


def evalset_of(rule: str) -> str:
    """Return the evalset of a rule's id."""
    return rule.partition(":")[0]
