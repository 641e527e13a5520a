"""The book of a home's gates, `<home>/gates/records.jsonl`: lines are only added, and flushed before they count.

Each line holds its number, the digest of the line before and its own; `records.head` holds the last line's. An edited,
moved or removed line is found, the last one too. Whoever rewrites the whole book can make it fit again: protect the
branch or bucket that keeps it.
"""

from __future__ import annotations

import hashlib
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from workbench.errors import DataError, Problem
from workbench.gate.records import GateRecord, Look, Promotion, Start, Unwaiver, Waiver
from workbench.nouns import Noun, canonical_bytes
from workbench.store.files import flush, told_when_full, write_atomic
from workbench.store.lock import owning

FIX = "put the records back as they were written; they are never edited"


class Link(Noun):
    """What ties a line to the one before."""

    n: int
    """Number of the line, from 1."""
    before: str
    """Digest of the line before; empty in the first."""
    digest: str
    """SHA-256 over the whole line but this field, as 64 hex digits."""


class Head(Noun):
    """What `records.head` holds: how long the book is, at least, and how its line there ends."""

    n: int
    """Number of the last line that was acknowledged."""
    digest: str
    """Its digest."""


class Ledger:
    """All records of a home's gates, oldest first."""

    def __init__(self, home: Path) -> None:
        self.file = home / "gates" / "records.jsonl"
        self.head = self.file.with_name("records.head")

    def records(self) -> list[GateRecord]:
        """Read every record. A last line without its end was never acknowledged and does not count.

        Raises `DataError` naming the line for one that is no record, was edited, or is missing.
        """
        return [record for record, _ in self._linked()]

    def add(self, record: GateRecord) -> None:
        """Append a record; when this returns, it is on the disk. Raises `LockedError`, `DataError`, `IncompleteRun`."""
        with told_when_full(self.file), owning(self.file.parent):
            chain = self._linked()
            link = _link(record.model_dump(mode="json"), len(chain) + 1, chain[-1][1].digest if chain else "")
            with self.file.open("ab") as file:
                self._cut_torn_tail()
                file.write(orjson.dumps({**record.model_dump(mode="json"), **link.model_dump()}) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            flush(self.file.parent)
            write_atomic(self.head, Head(n=link.n, digest=link.digest).json_bytes())

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

    def _linked(self) -> list[tuple[GateRecord, Link]]:
        lines = self.file.read_bytes().split(b"\n")[:-1] if self.file.exists() else []
        found: list[tuple[GateRecord, Link]] = []
        for at, line in enumerate(lines, 1):
            found.append(self._read(at, line, found[-1][1] if found else None))
        self._refuse_shortened([link for _, link in found])
        return found

    def _read(self, at: int, line: bytes, before: Link | None) -> tuple[GateRecord, Link]:
        try:
            plain: Any = orjson.loads(line)
            link = Link.model_validate({name: plain.pop(name, None) for name in Link.model_fields})
            record: GateRecord = TypeAdapter(GateRecord).validate_python(plain)
        except ValidationError as exc:
            raise self._fault(at, f"not a record of a gate: {exc.errors()[0]['msg']}") from exc
        except (orjson.JSONDecodeError, AttributeError, TypeError) as exc:
            raise self._fault(at, f"not a record of a gate: {str(exc).splitlines()[0]}") from exc
        if link.n != at:
            raise self._fault(at, f"record {at} is missing: record {link.n} stands here")
        if link.digest != _link(plain, link.n, link.before).digest:
            raise self._fault(at, "this record was edited: it does not give the digest that it holds")
        if link.before != (before.digest if before else ""):
            raise self._fault(max(at - 1, 1), f"this record was replaced: record {at} was written after another one")
        return record, link

    def _refuse_shortened(self, links: list[Link]) -> None:
        """Raise `DataError` where the book ends before the last line that was acknowledged."""
        if not self.head.exists():
            if len(links) > 1:  # one line without a head is what a crash after the first leaves
                raise self._fault(len(links), f"{self.head.name} is gone, which says where the book ends")
            return
        try:
            head = Head.model_validate_json(self.head.read_bytes())
        except ValidationError as exc:
            raise DataError(Problem("GATE_RECORD", "not what was written", file=str(self.head), fix=FIX)) from exc
        if len(links) < head.n:
            raise self._fault(len(links) + 1, f"records {len(links) + 1} to {head.n} are missing at the end")
        if links[head.n - 1].digest != head.digest:
            raise self._fault(head.n, f"this record was replaced: {self.head.name} holds another digest")

    def _fault(self, at: int, what: str) -> DataError:
        return DataError(Problem("GATE_RECORD", what, file=str(self.file), line=at, fix=FIX))

    def _cut_torn_tail(self) -> None:
        """Drop what a crash left behind the last whole line."""
        content = self.file.read_bytes()
        os.truncate(self.file, content.rfind(b"\n") + 1)


def _link(record: dict[str, Any], n: int, before: str) -> Link:
    digest = hashlib.sha256(canonical_bytes({**record, "n": n, "before": before})).hexdigest()
    return Link(n=n, before=before, digest=digest)


def evalset_of(rule: str) -> str:
    """Return the evalset of a rule's id."""
    return rule.partition(":")[0]
