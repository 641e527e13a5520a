"""Read a dataset as it was at one moment, though people go on labelling while it is read.

What a pull promises: it returns what the server held at one moment between start and end of the pull, by the server's
own time stamps, or raises `LabellingError`. What was acknowledged before it began is there, in its latest version.

How: where nothing changed while everything was read, that is it: answers and records leave a marker. Otherwise
everything is read once more. A record that is the same in both readings was so at the moment between them. Where an
answer differs, its time stamps tell whether it came before or after the last stamp of the first reading; where they do
not (an answer changed twice, a record deleted or changed), or where pages shifted meanwhile, all is read once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from workbench.errors import LabellingError
from workbench.labelling.server import Answer, LabellingServer, RemoteDataset, RemoteRecord

READINGS = 12
"""Readings before a pull gives up."""


@dataclass(frozen=True)
class Reading:
    """All pages of a dataset, read one after the other."""

    records: Mapping[str, RemoteRecord]
    """By the server's id."""
    steady: bool
    """Whether every page told the same total and it is the number of records that were read."""

    def last_stamp(self) -> str:
        """Return the latest time stamp of an answer or record."""
        stamps = (stamp for r in self.records.values() for stamp in (r.inserted, *(a.updated for a in r.answers)))
        return max(stamps, default="")


def read_moment(
    server: LabellingServer, dataset: RemoteDataset, watch: Callable[[int, int], None]
) -> list[RemoteRecord]:
    """Return all records, oldest first, as they were at one moment. `watch` is told records read and the total."""
    marker = server.marker(dataset)
    before = read_all(server, dataset, watch)
    if before.steady and server.marker(dataset) == marker:
        return list(before.records.values())
    for _ in range(READINGS - 1):
        after = read_all(server, dataset, watch)
        if (found := settled(before, after)) is not None:
            return found
        before = after
    raise LabellingError(
        f"the dataset '{dataset.name}' changed during each of {READINGS} readings in a way that leaves open what "
        "it held at one moment: records were added, changed or deleted, or answers changed twice; pull again later"
    )


def read_all(server: LabellingServer, dataset: RemoteDataset, watch: Callable[[int, int], None]) -> Reading:
    """Read every page."""
    records: dict[str, RemoteRecord] = {}
    totals, at = set(), 0
    while True:
        page = server.page(dataset, at)
        totals.add(page.total)
        records |= {record.server_id: record for record in page.records}
        at += len(page.records)
        watch(at, page.total)
        if not page.records or at >= page.total:
            return Reading(records, totals == {len(records)})


def settled(before: Reading, after: Reading) -> list[RemoteRecord] | None:
    """Return what the server held at the last stamp of the first reading, or `None` where the two cannot tell."""
    if not (before.steady and after.steady):
        return None
    moment = before.last_stamp()
    late = {id for id, record in after.records.items() if id not in before.records and record.inserted > moment}
    if before.records.keys() != after.records.keys() - late:
        return None
    found = []
    for id, first in before.records.items():
        second = after.records[id]
        if first.fields != second.fields or first.metadata != second.metadata:
            return None
        answers = _answers(first, second, moment)
        if answers is None:
            return None
        found.append(replace(first, answers=answers))
    return found


def _answers(first: RemoteRecord, second: RemoteRecord, moment: str) -> tuple[Answer, ...] | None:
    """Return the answers at the moment, or `None` where the readings cannot tell."""
    if first.answers == second.answers:
        return first.answers
    earlier, later = ({answer.id: answer for answer in record.answers} for record in (first, second))
    if earlier.keys() - later.keys():
        return None  # deleted, and nothing tells when
    found = []
    for id, answer in later.items():
        if answer == earlier.get(id) or answer.updated <= moment:
            found.append(answer)
        elif answer.inserted <= moment:
            return None  # there at the moment, but changed since
    return tuple(found)
