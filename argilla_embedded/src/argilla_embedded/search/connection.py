"""Connections of search's own to Argilla's database: read only, pooled, of the plain drivers.

They are no SQLAlchemy engines, because Argilla hangs set-up on every engine of the process; and they are synchronous,
because a search is one long step in a thread, and so belongs to no event loop.
"""

import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import make_url
from sqlalchemy.engine import URL

Backend = Literal["sqlite", "postgresql"]
MOST_IDLE = 8


def sync_url(database_url: str) -> URL:
    """Name the same database with the driver that Argilla's migrations use. Raises ValueError for another database."""
    url = make_url(database_url)
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ValueError(f"Database {backend!r} is not one that Argilla runs on; use sqlite or postgresql.")
    return url.set(drivername=backend)


def connect(url: URL) -> Any:
    """Open a connection that begins no transaction by itself."""
    dialect = url.get_dialect()()
    arguments, options = dialect.create_connect_args(url)
    if url.get_backend_name() == "sqlite":
        file, uri = str(arguments[0]), bool(options.get("uri"))
        return sqlite3.connect(file, timeout=120, check_same_thread=False, isolation_level=None, uri=uri)
    import psycopg2  # type: ignore[import-untyped]

    connection = psycopg2.connect(*arguments, **options)
    connection.autocommit = True
    return connection


@contextmanager
def reading(database_url: str) -> Iterator[Any]:
    """Yield a cursor whose statements all see the database at one moment."""
    idle = _idle(database_url, os.getpid())
    try:
        connection = idle.pop()
    except IndexError:
        connection = _reader(sync_url(database_url))
    try:
        cursor = connection.cursor()
        backend = make_url(database_url).get_backend_name()
        cursor.execute("BEGIN" if backend == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield cursor
        cursor.execute("ROLLBACK")
        cursor.close()
    except BaseException:
        connection.close()
        raise
    if len(idle) < MOST_IDLE:
        idle.append(connection)
    else:
        connection.close()


@lru_cache(maxsize=16)
def _idle(database_url: str, process: int) -> deque[Any]:
    """Hold the connections that wait for the next search of this process: a forked one must not use its parent's."""
    return deque()


def _reader(url: URL) -> Any:
    connection = connect(url)
    if url.get_backend_name() == "sqlite":
        for setting in ("query_only = ON", "temp_store = MEMORY", "cache_size = -32768", "mmap_size = 2147418112"):
            connection.execute(f"PRAGMA {setting}")
    else:
        connection.cursor().execute("SET jit = off")
    return connection
