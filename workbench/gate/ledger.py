"""The book of a home's gates, `<home>/gates/records.jsonl`: promotions, waivers, beginnings, looks."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from pydantic import TypeAdapter

from workbench.gate.records import GateRecord, Look, Promotion, Start, Unwaiver, Waiver
from workbench.store.book import Book


class Ledger(Book[GateRecord]):
    """All records of a home's gates, oldest first."""

    def __init__(self, home: Path) -> None:
        file = home / "gates" / "records.jsonl"
        super().__init__(file, TypeAdapter(GateRecord), "a record of a gate", "GATE_RECORD")

    def now(self, clock: datetime) -> datetime:
        """Return the time, never before that of the last record: a clock set back revives no waiver."""
        return max([clock, *(datetime.fromisoformat(record.at) for record in self.records()[-1:])])

    def starts(self) -> list[Start]:
        """Return every run on gate samples that was begun."""
        return [record for record in self.records() if isinstance(record, Start)]

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

    def looks(self) -> list[Look]:
        """Return every look at a candidate."""
        return [record for record in self.records() if isinstance(record, Look)]


def evalset_of(rule: str) -> str:
    """Return the evalset of a rule's id."""
    return rule.partition(":")[0]
