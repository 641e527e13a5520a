"""A page of a stored dataset's rows, found by words or by place, without reading the others: DuckDB over its table."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from workbench.datasets import ROW_OF, Manifest, Row
from workbench.reading.stored import noun_of
from workbench.tables import connection, rows

MOST = 200
"""Rows of the longest page."""


class RowPage(NamedTuple):
    """Some rows of a dataset."""

    rows: tuple[Row, ...]
    n: int
    """Rows that are found in all."""


def row_page(table: Path, manifest: Manifest, start: int, size: int, words: str = "") -> RowPage:
    """Return rows from the `start`-th found, in the stored order; `words` must stand in the row, case aside.

    Raises `DataError` for a damaged table. Words are looked for in the row's JSON: in texts, ids and tags alike.
    """
    told = words.encode("utf-8", "replace").decode()
    size = min(size, MOST)
    with connection(stored=table) as db:
        if not told:
            found = rows(
                db, "SELECT row FROM stored WHERE position >= ? AND position < ? ORDER BY position",
                (start, start + size),
            )  # fmt: skip
            return RowPage(_read(found, manifest), manifest.n)
        wanted = "contains(lower(row), lower(?))"
        n = int(rows(db, f"SELECT count(*) AS n FROM stored WHERE {wanted}", (told,))[0]["n"])
        query = f"SELECT row FROM stored WHERE {wanted} ORDER BY position LIMIT ? OFFSET ?"
        return RowPage(_read(rows(db, query, (told, size, start)), manifest), n)


def _read(found: list[dict[str, str]], manifest: Manifest) -> tuple[Row, ...]:
    noun = ROW_OF[manifest.kind]
    return tuple(noun_of(noun, row["row"]) for row in found)
