"""Argilla's search interface over Argilla's own database."""

from collections.abc import Iterable
from typing import Any

from argilla_server.database import AsyncSessionLocal
from argilla_server.enums import SimilarityOrder
from argilla_server.models import (
    Dataset,
    MetadataProperty,
    Record,
    Response,
    Suggestion,
    User,
    VectorSettings,
)
from argilla_server.search_engine import base
from sqlalchemy import func, select


@base.SearchEngine.register("embedded")
class DatabaseSearchEngine(base.SearchEngine):
    """Answer every search from the tables that Argilla itself writes."""

    @classmethod
    async def new_instance(cls) -> "DatabaseSearchEngine":
        return cls()

    async def close(self) -> None: ...

    async def ping(self) -> bool:
        return True

    async def info(self) -> dict[str, Any]:
        return {"name": "embedded"}

    async def create_index(self, dataset: Dataset) -> None: ...

    async def delete_index(self, dataset: Dataset) -> None: ...

    async def configure_metadata_property(self, dataset: Dataset, metadata_property: MetadataProperty) -> None: ...

    async def index_records(self, dataset: Dataset, records: Iterable[Record]) -> None: ...

    async def partial_record_update(self, record: Record, **update: object) -> None: ...

    async def delete_records(self, dataset: Dataset, records: Iterable[Record]) -> None: ...

    async def update_record_response(self, response: Response) -> None: ...

    async def delete_record_response(self, response: Response) -> None: ...

    async def update_record_suggestion(self, suggestion: Suggestion) -> None: ...

    async def delete_record_suggestion(self, suggestion: Suggestion) -> None: ...

    async def get_dataset_progress(self, dataset: Dataset) -> dict[str, int]:
        """Count the dataset's records by status; a draft has none."""
        if dataset.is_draft:
            return {}
        query = select(Record.status, func.count()).where(Record.dataset_id == dataset.id).group_by(Record.status)
        return await _counts(query)

    async def get_dataset_user_progress(self, dataset: Dataset, user: User) -> dict[str, int]:
        """Count the user's responses by status."""
        if dataset.is_draft:
            return {}
        query = (
            select(Response.status, func.count())
            .join(Record, Record.id == Response.record_id)
            .where(Record.dataset_id == dataset.id, Response.user_id == user.id)
            .group_by(Response.status)
        )
        return await _counts(query)

    async def search(
        self,
        dataset: Dataset,
        query: base.TextQuery | str | None = None,
        filter: base.Filter | None = None,
        sort: list[base.Order] | None = None,
        offset: int = 0,
        limit: int = 100,
        user_id: str | None = None,
    ) -> base.SearchResponses:
        """Return a page of the dataset's records in insertion order."""
        page = select(Record.id).where(Record.dataset_id == dataset.id).order_by(Record.inserted_at, Record.id)
        total = select(func.count()).select_from(Record).where(Record.dataset_id == dataset.id)
        async with AsyncSessionLocal() as session:
            ids = (await session.scalars(page.offset(offset).limit(limit))).all()
            count = (await session.execute(total)).scalar_one()
        return base.SearchResponses(items=[base.SearchResponseItem(record_id=key) for key in ids], total=count)

    async def compute_metrics_for(self, metadata_property: MetadataProperty) -> base.MetadataMetrics:
        return base.TermsMetrics(total=0)

    async def configure_index_vectors(self, vector_settings: VectorSettings) -> None: ...

    async def similarity_search(
        self,
        dataset: Dataset,
        vector_settings: VectorSettings,
        value: list[float] | None = None,
        record: Record | None = None,
        query: base.TextQuery | str | None = None,
        filter: base.Filter | None = None,
        max_results: int = 100,
        order: SimilarityOrder = SimilarityOrder.most_similar,
        threshold: float | None = None,
    ) -> base.SearchResponses:
        return base.SearchResponses(items=[], total=0)


async def _counts(query: Any) -> dict[str, int]:
    async with AsyncSessionLocal() as session:
        rows = (await session.execute(query)).all()
    return {"total": sum(count for _, count in rows), **{str(status): count for status, count in rows}}
