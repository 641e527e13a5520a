"""Create what search needs inside Argilla's database, and see that it is still what it should be."""

import hashlib
import sqlite3
from contextlib import closing

from argilla_embedded.search.connection import connect, sync_url


def prepare(database_url: str) -> None:
    """Create, idempotently, the tables and triggers of search; run after Argilla's migrations.

    Where they are missing, damaged or of another version, all of it is built anew from Argilla's own tables, within one
    transaction. An SQLite database is set to write ahead (WAL): searches and annotators do not wait for each other.
    """
    url = sync_url(database_url)
    with closing(connect(url)) as connection:
        if isinstance(connection, sqlite3.Connection):
            _prepare_sqlite(connection)
        else:
            from argilla_embedded.search import postgresql

            postgresql.prepare(connection)


def remove(database_url: str) -> None:
    """Drop all that `prepare` created; run before migrations that rebuild Argilla's tables, `prepare` after them."""
    url = sync_url(database_url)
    with closing(connect(url)) as connection:
        if isinstance(connection, sqlite3.Connection):
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                _drop(connection)
        else:
            from argilla_embedded.search import postgresql

            postgresql.remove(connection)


def _prepare_sqlite(connection: sqlite3.Connection) -> None:
    from argilla_embedded.search import sqlite

    triggers, tables, rebuilt = sqlite.triggers(), [*sqlite.TABLES, sqlite.text_table()], sqlite.rebuilt()
    fingerprint = hashlib.sha256("\n".join([*tables, *triggers, *rebuilt]).encode()).hexdigest()
    connection.execute("PRAGMA journal_mode = WAL")
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if _is_current(connection, fingerprint, triggers):
            return
        _drop(connection)
        for statement in [*tables, *rebuilt, *triggers]:
            connection.execute(statement)
        connection.execute("INSERT INTO argilla_search_schema VALUES (?)", [fingerprint])


def _is_current(connection: sqlite3.Connection, fingerprint: str, triggers: list[str]) -> bool:
    stored = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE name GLOB 'argilla_search_*'"))
    if "argilla_search_schema" not in stored or not set(triggers) <= set(stored.values()):
        return False
    found: tuple[str] | None = connection.execute("SELECT fingerprint FROM argilla_search_schema").fetchone()
    return found == (fingerprint,)


def _drop(connection: sqlite3.Connection) -> None:
    """Drop triggers before tables; the full text table drops its own parts."""
    listed = "SELECT type, name FROM sqlite_master WHERE name GLOB 'argilla_search_*' AND type IN ('trigger', 'table')"
    for kind, name in sorted(connection.execute(listed).fetchall(), reverse=True):
        if kind == "trigger" or not name.startswith("argilla_search_text_"):
            connection.execute(f"DROP {kind} {name}")
