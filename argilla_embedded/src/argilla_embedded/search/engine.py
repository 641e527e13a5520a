"""Argilla's search interface over Argilla's own database."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from argilla_server.enums import MetadataPropertyType, SimilarityOrder
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Dataset, MetadataProperty, Record, Response, Suggestion, User, VectorSettings
from argilla_server.search_engine import base

from argilla_embedded.search import metrics, vectors
from argilla_embedded.search.connection import Backend, reading, sync_url
from argilla_embedded.search.kept_vectors import keep, of_dataset
from argilla_embedded.search.pages import Page, Search

T = TypeVar("T")


@base.SearchEngine.register("embedded")
class DatabaseSearchEngine(base.SearchEngine):
    """Answer every search from the tables that Argilla itself writes; there is no index to write."""

    def __init__(self, database_url: str) -> None:
        """Search this database, which `prepare` has seen."""
        self.database_url = database_url
        self.backend: Backend = "sqlite" if sync_url(database_url).get_backend_name() == "sqlite" else "postgresql"

    @classmethod
    async def new_instance(cls) -> "DatabaseSearchEngine":
        """Search the database of the server's own settings."""
        from argilla_server.settings import settings

        return cls(str(settings.database_url))

    async def close(self) -> None:
        """Keep the connections: they are the process', not this instance's."""

    async def ping(self) -> bool:
        """Say whether the database answers and has been prepared."""
        return await self._read(metrics.is_prepared)

    async def info(self) -> dict[str, Any]:
        """Name the engine and the database it rests on."""
        return {"name": "embedded", "database": self.backend}

    async def create_index(self, dataset: Dataset) -> None:
        """Do nothing: the database keeps what search needs with every write."""

    async def delete_index(self, dataset: Dataset) -> None:
        """Do nothing, as `create_index`."""

    async def configure_metadata_property(self, dataset: Dataset, metadata_property: MetadataProperty) -> None:
        """Do nothing, as `create_index`."""

    async def index_records(self, dataset: Dataset, records: Iterable[Record]) -> None:
        """Keep vectors as floats, so that no search has to read the JSON of many; the rest the database does."""
        key = dataset.id
        for settings, dimensions in await self._read(lambda cursor: of_dataset(cursor, self.backend, key)):
            await asyncio.to_thread(keep, self.database_url, self.backend, settings, dimensions)

    async def partial_record_update(self, record: Record, **update: object) -> None:
        """Do nothing, as `create_index`."""

    async def delete_records(self, dataset: Dataset, records: Iterable[Record]) -> None:
        """Do nothing, as `create_index`."""

    async def update_record_response(self, response: Response) -> None:
        """Do nothing, as `create_index`."""

    async def delete_record_response(self, response: Response) -> None:
        """Do nothing, as `create_index`."""

    async def update_record_suggestion(self, suggestion: Suggestion) -> None:
        """Do nothing, as `create_index`."""

    async def delete_record_suggestion(self, suggestion: Suggestion) -> None:
        """Do nothing, as `create_index`."""

    async def configure_index_vectors(self, vector_settings: VectorSettings) -> None:
        """Do nothing, as `create_index`."""

    async def get_dataset_progress(self, dataset: Dataset) -> dict[str, int]:
        """Count the dataset's records by status; a draft has none."""
        if dataset.is_draft:
            return {}
        key = dataset.id
        return await self._read(lambda cursor: metrics.progress(cursor, self.backend, key))

    async def get_dataset_user_progress(self, dataset: Dataset, user: User) -> dict[str, int]:
        """Count the user's own responses by status; a draft has none."""
        if dataset.is_draft:
            return {}
        key, user_key = dataset.id, user.id
        return await self._read(lambda cursor: metrics.user_progress(cursor, self.backend, key, user_key))

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
        """Return a page of the records that match: sorted, or by score, or, for a user, in an order of their own."""
        key = dataset.id

        def find(cursor: Any) -> Page:
            search = Search.of(cursor, self.backend, key)
            search.find(query)
            search.narrow(filter)
            return search.page(sort or [], offset, limit, user_id)

        return _answer(await self._read(find))

    async def compute_metrics_for(self, metadata_property: MetadataProperty) -> base.MetadataMetrics:
        """Count a property's terms, or bound its numbers, over all records of its dataset."""
        key, kind = metadata_property.id, metadata_property.type
        if kind == MetadataPropertyType.terms:
            return await self._read(lambda cursor: metrics.terms(cursor, self.backend, key))
        return await self._read(lambda cursor: metrics.bounds(cursor, self.backend, key, kind))

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
        """Return the records nearest to a vector, or to another record, which is left out.

        Raises ValueError where it is not clear to what, UnprocessableEntityError for a vector of another length.
        """
        if bool(value) == bool(record):
            raise ValueError("Must provide either vector value or record to compute the similarity search")
        wanted = value or (record.vector_value_by_vector_settings(vector_settings) if record else None)
        if not wanted:
            raise ValueError("Cannot find a vector value to apply with provided info")
        if len(wanted) != vector_settings.dimensions:
            raise UnprocessableEntityError(
                f"The vector has {len(wanted)} dimensions; {vector_settings.name!r} has {vector_settings.dimensions}."
            )
        if order == SimilarityOrder.least_similar:
            wanted = [-each for each in wanted]
        near = vectors.Near(
            dataset.id, vector_settings.id, wanted, record.id if record else None, max_results, threshold
        )

        def restrict(search: Search) -> None:
            search.find(query or None)
            search.narrow(filter)

        return _answer(await asyncio.to_thread(vectors.find, self.database_url, self.backend, near, restrict))

    async def _read(self, step: Callable[[Any], T]) -> T:
        def run() -> T:
            with reading(self.database_url) as cursor:
                return step(cursor)

        return await asyncio.to_thread(run)


def _answer(page: Page) -> base.SearchResponses:
    items = [base.SearchResponseItem(record_id=hit.record_id, score=hit.score) for hit in page.hits]
    return base.SearchResponses(items=items, total=page.total)
