"""Connections of search's own to Argilla's database: read only, pooled, of the plain drivers.

They are no SQLAlchemy engines, because Argilla hangs set-up on every engine of the process; and they are synchronous,
because a search is one long step in a thread, and so belongs to no event loop.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool

Backend = Literal["sqlite", "postgresql"]


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
    connection = _pool(database_url).connect()
    try:
        cursor = connection.cursor()
        if make_url(database_url).get_backend_name() == "sqlite":
            cursor.execute("BEGIN")
        else:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield cursor
        finally:
            cursor.execute("ROLLBACK")
            cursor.close()
    except Exception:
        connection.invalidate()
        raise
    finally:
        connection.close()


@lru_cache(maxsize=8)
def _pool(database_url: str) -> QueuePool:
    url = sync_url(database_url)
    return QueuePool(lambda: _reader(url), pool_size=4, max_overflow=28, timeout=60, reset_on_return=None)


def _reader(url: URL) -> Any:
    connection = connect(url)
    if url.get_backend_name() == "sqlite":
        for setting in ("query_only = ON", "temp_store = MEMORY", "cache_size = -32768", "mmap_size = 2147418112"):
            connection.execute(f"PRAGMA {setting}")
    else:
        connection.cursor().execute("SET jit = off")
    return connection
