"""Vectors as 32-bit floats beside Argilla's own, which are JSON: reading them costs a hundredth.

Truth is Argilla's table and the log of its changes (`argilla_search_vector`). A chunk holds what stretches of that log
led to, within the database itself, so that a copy or a backup holds both; what was logged later goes before it. No
chunk has to be there: whatever is missing is read from the JSON.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from argilla_embedded.search.connection import Backend, connect, reading, sync_url

CHUNK = 2000
"""Changes that are worth a chunk: 3 MB of 384 dimensions, about 0.2 s of reading JSON."""
THIN = 4
"""A chunk of which less than one row in so many is still true goes; the rest is logged anew."""
Change = tuple[str, int | None, str | None]
"""A record's id, its number, and its vector as JSON, where it has one."""
Numbers = NDArray[np.int64]
Floats = NDArray[np.float32]


class Units(NamedTuple):
    """The latest vectors of some records, of length 1."""

    records: list[str]
    """Ids, as the database spells them."""
    numbers: Numbers
    """Each record's number; -1 where it has no vector, or one that is similar to nothing."""
    rows: Floats
    """A vector each; zeros where it has none."""


class Stretch(NamedTuple):
    """A stretch of the log: SQLite's from after `since` through `upto`, PostgreSQL's from `since` to before `upto`."""

    since: int
    upto: int


def keep(database_url: str, backend: Backend, settings: UUID, dimensions: int) -> None:
    """Add a chunk for each `CHUNK` changes of a setting's vectors that have none; quick where there are fewer."""
    name = spelled(backend, settings)
    while True:
        with reading(database_url) as cursor:
            stretch = _next(cursor, backend, name)
            if stretch is None:
                return
            batches = changes(cursor, backend, name, stretch)
            converting = (converted(batch, dimensions) for batch in batches)
            if not _add(database_url, backend, name, stretch, converting):
                return


def chunks(cursor: Any, backend: Backend, settings: str, after: int, dimensions: int) -> Iterator[tuple[int, Units]]:
    """Yield the chunks beyond a place in the log, oldest first, each with the place up to which it is true."""
    mark = _mark(backend)
    listed = f"SELECT id, upto FROM argilla_search_units WHERE settings_id = {mark} AND upto > {mark} ORDER BY upto, id"
    cursor.execute(listed, [settings, after])
    for chunk, upto in cursor.fetchall():
        records, numbers, units = _blobs(cursor, backend, int(chunk))
        names = [spelled(backend, UUID(bytes=records[at : at + 16])) for at in range(0, len(records), 16)]
        rows = np.frombuffer(units, "<f4").reshape(len(names), dimensions)
        yield upto, Units(names, np.frombuffer(numbers, "<i8"), rows)


def changes(cursor: Any, backend: Backend, settings: str, stretch: Stretch) -> Iterator[list[Change]]:
    """Yield, a batch at a time, what changed last within a stretch of the log."""
    if backend == "sqlite":
        cursor.execute(
            """SELECT l.record_id, r.n, v.value FROM argilla_search_vector AS l
            LEFT JOIN argilla_search_record AS r ON r.record_id = l.record_id
            LEFT JOIN vectors AS v ON l.alive AND v.record_id = l.record_id AND v.vector_settings_id = l.settings_id
            WHERE """
            + _within(backend, "?", "?", "?"),
            [settings, *stretch],
        )
        while rows := cursor.fetchmany(CHUNK):
            yield rows
        return
    # The driver would hold the whole answer of a plain query.
    cursor.execute(
        """DECLARE changes NO SCROLL CURSOR FOR SELECT l.record_id, r.n, v.value::text FROM argilla_search_vector AS l
        LEFT JOIN argilla_search_record AS r ON r.record_id = l.record_id
        LEFT JOIN vectors AS v ON l.alive AND v.record_id = l.record_id::uuid
        AND v.vector_settings_id = l.settings_id::uuid
        WHERE """
        + _within(backend, "%s", "%s", "%s"),
        [settings, *stretch],
    )
    while True:
        cursor.execute(f"FETCH {CHUNK} FROM changes")
        if not (rows := cursor.fetchall()):
            break
        yield rows
    cursor.execute("CLOSE changes")


def converted(changes: list[Change], dimensions: int) -> Units:
    """Return changes as vectors; one without a direction, or of another length, is none."""
    lists = [from_json(value) if value is not None and number is not None else [] for _, number, value in changes]
    fitting = [place for place, each in enumerate(lists) if len(each) == dimensions]
    values = np.array([lists[place] for place in fitting], np.float64).reshape(len(fitting), dimensions)
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(values, axis=1, keepdims=True)
    directed = np.isfinite(norms[:, 0]) & (norms[:, 0] > 0)
    rows, numbers = np.zeros((len(changes), dimensions), np.float32), np.full(len(changes), -1, np.int64)
    at = np.array(fitting, np.int64)[directed]
    rows[at] = values[directed] / norms[directed]
    numbers[at] = [changes[place][1] for place in at.tolist()]
    return Units([record for record, _, _ in changes], numbers, rows)


def spelled(backend: Backend, key: UUID) -> str:
    """Spell an id as the database does."""
    return key.hex if backend == "sqlite" else str(key)


def of_dataset(cursor: Any, backend: Backend, dataset: UUID) -> list[tuple[UUID, int]]:
    """Return a dataset's vector settings, with their dimensions."""
    marked = f"SELECT id, dimensions FROM vectors_settings WHERE dataset_id = {_mark(backend)}"
    cursor.execute(marked, [spelled(backend, dataset)])
    return [(UUID(str(key)), dimensions) for key, dimensions in cursor.fetchall()]


def _next(cursor: Any, backend: Backend, settings: str) -> Stretch | None:
    """Return the next stretch of the log that is worth a chunk."""
    since = _newest(cursor, backend, settings)
    if backend == "sqlite":
        cursor.execute(
            "SELECT seq FROM argilla_search_vector WHERE settings_id = ? AND seq > ? ORDER BY seq LIMIT 1 OFFSET ?",
            [settings, since, CHUNK - 1],
        )
        found = cursor.fetchone()
        return Stretch(since, found[0]) if found else None
    # Below its horizon every transaction has ended, so that nothing can still join the stretch.
    cursor.execute(
        """SELECT l.changed + 1 FROM argilla_search_vector AS l
        WHERE l.settings_id = %s AND l.changed >= %s
        AND l.changed < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        ORDER BY l.changed LIMIT 1 OFFSET %s""",
        [settings, since, CHUNK - 1],
    )
    found = cursor.fetchone()
    return Stretch(since, found[0]) if found else None


def _add(database_url: str, backend: Backend, settings: str, stretch: Stretch, converting: Iterator[Units]) -> bool:
    """Write a stretch as one chunk or several, unless another process was quicker; return whether it was written."""
    first = next(converting)  # before SQLite's one writer's turn is taken
    with closing(connect(sync_url(database_url))) as connection:
        cursor, mark = connection.cursor(), _mark(backend)
        cursor.execute("BEGIN IMMEDIATE" if backend == "sqlite" else "BEGIN")
        if backend == "postgresql":
            cursor.execute("SELECT pg_advisory_xact_lock(7271462)")
        mine = _newest(cursor, backend, settings) == stretch.since
        if mine:
            _thin_out(cursor, backend, settings)
            for units in (first, *converting):
                blobs = [b"".join(UUID(record).bytes for record in units.records)]
                blobs += [units.numbers.astype("<i8").tobytes(), units.rows.astype("<f4").tobytes()]
                cursor.execute(
                    f"""INSERT INTO argilla_search_units (settings_id, since, upto, size, records, numbers, units)
                    VALUES ({", ".join([mark] * 7)})""",
                    [settings, *stretch, len(units.records), *blobs],
                )
        cursor.execute("COMMIT")
    return mine


def _thin_out(cursor: Any, backend: Backend, settings: str) -> None:
    """Drop chunks that later changes made almost empty; what is still true of them is logged anew."""
    mark = _mark(backend)
    within = _within(backend, mark, mark, mark)
    cursor.execute(
        f"""SELECT c.since, c.upto FROM (SELECT since, upto, sum(size) AS size FROM argilla_search_units
        WHERE settings_id = {mark} GROUP BY since, upto) AS c
        WHERE c.size > {THIN} * (SELECT count(*) FROM argilla_search_vector AS l
        WHERE {_within(backend, mark, "c.since", "c.upto")})""",
        [settings, settings],
    )
    for stretch in cursor.fetchall():
        if backend == "sqlite":  # the log is unique by record, so the old row goes
            cursor.execute(
                f"""INSERT OR REPLACE INTO argilla_search_vector (settings_id, record_id, alive)
                SELECT settings_id, record_id, alive FROM argilla_search_vector AS l WHERE {within}""",
                [settings, *stretch],
            )
        else:
            cursor.execute(
                f"""UPDATE argilla_search_vector AS l SET changed = pg_current_xact_id()::text::bigint
                WHERE {within}""",
                [settings, *stretch],
            )
        gone = f"DELETE FROM argilla_search_units WHERE settings_id = {mark} AND upto = {mark}"
        cursor.execute(gone, [settings, stretch[1]])


def _newest(cursor: Any, backend: Backend, settings: str) -> int:
    """Return up to where chunks hold the log."""
    newest = f"SELECT coalesce(max(upto), 0) FROM argilla_search_units WHERE settings_id = {_mark(backend)}"
    cursor.execute(newest, [settings])
    return int(cursor.fetchone()[0])


def _within(backend: Backend, settings: str, since: str, upto: str) -> str:
    """Write the condition that a row of the log lies within a stretch."""
    if backend == "sqlite":
        return f"l.settings_id = {settings} AND l.seq > {since} AND l.seq <= {upto}"
    return f"l.settings_id = {settings} AND l.changed >= {since} AND l.changed < {upto}"


def _blobs(cursor: Any, backend: Backend, chunk: int) -> tuple[bytes, bytes, bytes]:
    """Read a chunk's columns; from PostgreSQL as they are: its driver would read hexadecimal digits."""
    wanted = f"SELECT records, numbers, units FROM argilla_search_units WHERE id = {chunk}"
    if backend == "sqlite":
        cursor.execute(wanted)
        records, numbers, units = cursor.fetchone()
        return records, numbers, units
    copied = io.BytesIO()
    cursor.copy_expert(f"COPY ({wanted}) TO STDOUT (FORMAT binary)", copied)
    data, at, parts = copied.getvalue(), 21, []  # behind a header of 19 bytes and the number of columns
    for _ in range(3):
        size = int.from_bytes(data[at : at + 4], "big")
        parts.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return parts[0], parts[1], parts[2]


def _mark(backend: Backend) -> str:
    return "?" if backend == "sqlite" else "%s"
