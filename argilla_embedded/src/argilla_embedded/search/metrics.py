"""Count what a dataset holds: progress, and the values of its metadata."""

from typing import Any
from uuid import UUID

from argilla_server.enums import MetadataPropertyType
from argilla_server.search_engine.base import FloatMetadataMetrics, IntegerMetadataMetrics, TermsMetrics

from argilla_embedded.search.bounds import nearest_single
from argilla_embedded.search.connection import Backend

MOST_TERMS = 2**14  # as Argilla asks of Elasticsearch


def is_prepared(cursor: Any) -> bool:
    """Say whether search's tables are there."""
    cursor.execute("SELECT count(*) FROM argilla_search_schema")
    return bool(cursor.fetchone()[0])


def progress(cursor: Any, backend: Backend, dataset_id: UUID) -> dict[str, int]:
    """Count records by status, and in total."""
    mark = _mark(backend)
    statement = f"SELECT status, count(*) FROM argilla_search_record WHERE dataset_id = {mark} GROUP BY status"
    return _summed(_rows(cursor, statement, [_key(backend, dataset_id)]))


def user_progress(cursor: Any, backend: Backend, dataset_id: UUID, user_id: UUID) -> dict[str, int]:
    """Count a user's responses by status, and in total."""
    mark = _mark(backend)
    statement = f"""SELECT status, count(*) FROM argilla_search_response
    WHERE dataset_id = {mark} AND user_id = {mark} GROUP BY status"""
    return _summed(_rows(cursor, statement, [_key(backend, dataset_id), _key(backend, user_id)]))


def terms(cursor: Any, backend: Backend, property_id: UUID) -> TermsMetrics:
    """Count the records with each term, most frequent first."""
    statement = f"""SELECT v.text, count(DISTINCT v.n) AS records FROM argilla_search_value AS v
    JOIN argilla_search_attribute AS a ON a.a = v.a
    WHERE a.owner_id = {_mark(backend)} AND a.source = 'metadata' AND v.text IS NOT NULL
    GROUP BY v.text ORDER BY records DESC, v.text"""
    rows = _rows(cursor, statement, [_key(backend, property_id)])
    counts = [TermsMetrics.TermCount(term=term, count=count) for term, count in rows[:MOST_TERMS]]
    return TermsMetrics(total=sum(count for _, count in rows), values=counts)


def bounds(
    cursor: Any, backend: Backend, property_id: UUID, kind: MetadataPropertyType
) -> IntegerMetadataMetrics | FloatMetadataMetrics:
    """Find the least and the greatest number; floats as 32 bits hold them."""
    statement = f"""SELECT min(v.number), max(v.number) FROM argilla_search_value AS v
    JOIN argilla_search_attribute AS a ON a.a = v.a
    WHERE a.owner_id = {_mark(backend)} AND a.source = 'metadata' AND v.number IS NOT NULL"""
    least, greatest = _rows(cursor, statement, [_key(backend, property_id)])[0]
    if kind == MetadataPropertyType.integer:
        return IntegerMetadataMetrics(min=least, max=greatest)
    return FloatMetadataMetrics(
        min=None if least is None else nearest_single(float(least)),
        max=None if greatest is None else nearest_single(float(greatest)),
    )


def _summed(rows: list[Any]) -> dict[str, int]:
    return {"total": sum(count for _, count in rows), **{str(status): count for status, count in rows}}


def _rows(cursor: Any, statement: str, values: list[str]) -> list[Any]:
    cursor.execute(statement, values)
    found: list[Any] = cursor.fetchall()
    return found


def _mark(backend: Backend) -> str:
    return "?" if backend == "sqlite" else "%s"


def _key(backend: Backend, key: UUID) -> str:
    return key.hex if backend == "sqlite" else str(key)
