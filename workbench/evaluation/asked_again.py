"""Answers that failed and were asked for again: noted beside the run, for to a gate they are still missing.

A model that fails three answers in ten will fail three in ten when it is released, however often it is asked here. What
was lost on the way to it is no fault of its own, and a judge's verdict says nothing of the answer until it is there:
those may be asked for again. Why: docs/decisions/0006-what-a-second-look-may-not-mend.md.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from workbench.evaluation.engine import FAILURE
from workbench.models import OutputFailureKind
from workbench.store.files import write_atomic
from workbench.store.home import RunFolder
from workbench.store.journal import Journal
from workbench.tables import connection

ON_THE_WAY: frozenset[OutputFailureKind] = frozenset({"connection", "rate_limited"})
"""Failures of an answer that say nothing of who should have given it."""


def note(folder: RunFolder, sample_ids: Iterable[str]) -> None:
    """Add samples to those of a run whose answers failed and are asked for again; on the disk when it returns."""
    every = sorted({*noted(folder), *sample_ids})
    if every:
        write_atomic(folder.asked_again, orjson.dumps(every))


def noted(folder: RunFolder) -> tuple[str, ...]:
    """Return the ids of these samples, in order."""
    return tuple(orjson.loads(folder.asked_again.read_bytes())) if folder.asked_again.exists() else ()


async def failed_in_journal(journal: Journal) -> set[str]:
    """Return the samples of an unfinished run to which the candidate failed to give an answer."""
    found = await journal.outputs_beginning(FAILURE)
    return {sample_id for sample_id, payload in found if orjson.loads(payload)["failed"]["kind"] not in ON_THE_WAY}


def failed_in_tables(folder: RunFolder) -> set[str]:
    """Return the same of a finished run."""
    query = "SELECT DISTINCT sample_id FROM samples WHERE failure IS NOT NULL AND NOT list_contains(?, failure)"
    with connection(samples=folder.samples) as db:
        return {row[0] for row in db.execute(query, [sorted(ON_THE_WAY)]).fetchall()}
