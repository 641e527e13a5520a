"""What a kill can leave undone in Argilla's database, and no queue knows of.

Argilla commits an answer first and the record's status in a second transaction. A kill between the two leaves a record
that is complete but says pending (the answer was not acknowledged, but it is there). So every start looks for such
records and has Argilla work their status out again.
"""

from __future__ import annotations

import logging
from uuid import UUID

from argilla_server.contexts import distribution
from argilla_server.database import AsyncSessionLocal
from argilla_server.enums import RecordStatus, ResponseStatus
from argilla_server.models import Dataset, Record, Response
from argilla_server.search_engine.base import SearchEngine
from argilla_server.settings import settings
from sqlalchemy import func, select

_LOGGER = logging.getLogger(__name__)


async def update_stale_statuses() -> None:
    """Bring the status of every record into step with its answers; webhooks are told as Argilla tells them."""
    stale = await stale_records()
    async with SearchEngine.get_by_name(settings.search_engine) as engine:
        for record in stale:
            await distribution.update_record_status(engine, record)
    if stale:
        _LOGGER.warning("%d records had a status that did not fit their answers; mended", len(stale))


async def stale_records() -> list[UUID]:
    """Return the records whose status does not fit the number of their submitted answers."""
    stale: list[UUID] = []
    async with AsyncSessionLocal() as session:
        for dataset, distributed in (await session.execute(select(Dataset.id, Dataset.distribution))).all():
            submitted = (
                select(Response.record_id, func.count().label("answers"))
                .join(Record, Record.id == Response.record_id)
                .where(Record.dataset_id == dataset, Response.status == ResponseStatus.submitted)
                .group_by(Response.record_id)
                .subquery()
            )
            enough = func.coalesce(submitted.c.answers, 0) >= int(distributed["min_submitted"])
            query = (
                select(Record.id)
                .outerjoin(submitted, submitted.c.record_id == Record.id)
                .where(Record.dataset_id == dataset, (Record.status == RecordStatus.completed) != enough)
            )
            stale.extend(await session.scalars(query))
    return stale
