"""LanceDB: chunks with vectors and words in one table on disk, searched by either or both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, MissingExtra, Problem
from workbench.rag.pipeline import Found
from workbench.rag.splitting import Chunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLE = "chunks"
TAG = "tag_"
"""What stands before a tag's name in its column's."""
Embed = Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]
"""From texts to unit-length vectors."""


def write_chunks(folder: Path, rows: Sequence[Chunk], vectors: NDArray[np.float32] | None) -> None:
    """Write chunks, with a vector each where there are any, and the index of their words."""
    import pyarrow as pa

    database = _connected(folder)
    names = sorted({name for row in rows for name in row.tags})
    columns: dict[str, Any] = {
        "id": [r.id for r in rows],
        "document": [r.document for r in rows],
        "place": pa.array([r.place for r in rows], pa.int64()),
        "page": pa.array([r.page for r in rows], pa.int64()),
        "text": [r.text for r in rows],
        **{f"{TAG}{name}": pa.array([r.tags.get(name) for r in rows], pa.string()) for name in names},
    }
    if vectors is not None:
        columns["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    from lancedb.index import FTS

    table = database.create_table(TABLE, pa.table(columns))
    table.create_index("text", config=FTS(stem=True, remove_stop_words=False, ascii_folding=True))


class LanceIndex:
    """A built index, open for searching; an `Index`."""

    def __init__(self, folder: Path, embed: Embed | None, about: str = "") -> None:
        """`embed` is the model the chunks were embedded with; without one only words are searched."""
        self._folder = folder
        self._embed = embed
        self._about = about
        self._table: Any = None
        self._near: Sequence[float] | None = None

    async def search(self, query: str, how: str, k: int, where: Mapping[str, str]) -> list[Found]:
        """Return at most k chunks, best first. Scores: cosine, BM25, or fused rank."""
        if not query.strip():
            return []
        if how != "keyword" and self._embed is None:
            fix = "give it an `embedding`, or search by keyword"
            raise DataError(Problem("NO_EMBEDDING", "this index has no vectors", str(self._folder), fix=fix))
        vector = None if how == "keyword" or self._embed is None else (await self._embed([query]))[0]
        return await asyncio.to_thread(self._search, query, vector, how, k, where)

    async def nearness(self, query: str) -> float:
        """Return the cosine of a question and what the index is about."""
        if self._embed is None:
            return 0.0
        if self._near is None:
            self._near = (await self._embed([self._about or self._folder.parent.name]))[0]
        asked = (await self._embed([query]))[0]
        return sum(a * b for a, b in zip(asked, self._near, strict=True))

    def _search(
        self, query: str, vector: Sequence[float] | None, how: str, k: int, where: Mapping[str, str]
    ) -> list[Found]:
        table = self._opened()
        if how == "hybrid":
            asked = table.search(query_type="hybrid").vector(vector).text(_words(query)).distance_type("cosine")
        elif how == "vector":
            asked = table.search(vector).distance_type("cosine")
        else:
            asked = table.search(_words(query), query_type="fts")
        if where:
            asked = asked.where(_condition(where, table.schema.names, self._folder), prefilter=True)
        found = asked.limit(k).to_arrow()
        texts = found.select([name for name in found.column_names if name != "vector"])  # hundreds of numbers a row
        return [_found(row, how) for row in texts.to_pylist()]

    def _opened(self) -> Any:
        if self._table is None:
            self._table = _connected(self._folder).open_table(TABLE)
        return self._table


def _found(row: dict[str, Any], how: str) -> Found:
    score = {"vector": 1 - (row.get("_distance") or 0.0), "keyword": row.get("_score") or 0.0}
    return Found(
        id=row["id"],
        document=row["document"],
        place=row["place"],
        text=row["text"],
        page=row["page"],
        tags={n.removeprefix(TAG): v for n, v in row.items() if n.startswith(TAG) and v is not None},
        score=float(score.get(how, row.get("_relevance_score") or 0.0)),
    )


def _words(query: str) -> str:
    """Return a question without what a query language could take for its own."""
    return " ".join("".join(c if c.isalnum() else " " for c in query).split()) or " "


def _condition(where: Mapping[str, str], columns: Sequence[str], folder: Path) -> str:
    """Return the filter in SQL, values quoted. Raises `DataError` for a tag that no document has."""
    for name in where:
        if f"{TAG}{name}" not in columns:
            known = ", ".join(c.removeprefix(TAG) for c in columns if c.startswith(TAG)) or "none"
            what = "no document of this index has such a tag"
            raise DataError(Problem("NO_SUCH_TAG", what, str(folder), field="where", got=name, fix=f"it has: {known}"))
    return " AND ".join(f"`{TAG}{name}` = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in where.items())


def _connected(folder: Path) -> Any:
    try:
        import lancedb
    except ImportError as exc:
        raise MissingExtra("lancedb", "rag") from exc

    return lancedb.connect(str(folder))
