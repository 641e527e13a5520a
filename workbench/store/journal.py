"""The journal of a run: every answer and score, on disk before it is acknowledged.

SQLite in WAL mode with `synchronous=FULL`: a commit returns after the log has been flushed to the disk, a torn commit
is undone at the next opening. One thread owns the connection. Rows that arrive while a commit is under way go into the
next one (group commit), so the price of a flush is shared by all that wait.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from workbench.errors import DataError, Problem
from workbench.store.files import no_room

FORMAT = 1
GROUP = 512
"""Rows that nobody waits for are committed together when this many have come."""
PAUSE = 0.004
"""Seconds between two commits: long enough for answers to gather, short beside any model's latency."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS outputs (sample_id TEXT, repeat INTEGER, payload BLOB NOT NULL,
    PRIMARY KEY (sample_id, repeat)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scores (sample_id TEXT, repeat INTEGER, scorer TEXT, payload BLOB NOT NULL,
    PRIMARY KEY (sample_id, repeat, scorer)) WITHOUT ROWID;
"""

OutputKey = tuple[str, int]
ScoreKey = tuple[str, int, str]
T = TypeVar("T")


@dataclass(frozen=True)
class Entries:
    """What a journal holds for some samples: JSON bytes by key."""

    outputs: dict[OutputKey, bytes] = field(default_factory=dict)
    scores: dict[ScoreKey, bytes] = field(default_factory=dict)


class Journal:
    """Append answers and scores durably; read them back. Use as an async context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._outputs: list[tuple[str, int, bytes]] = []
        self._scores: list[tuple[str, int, str, bytes]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._committing: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Journal:
        await self._in_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            if self._failure is None:
                await self.flush()
        finally:
            await self._in_thread(lambda: self._db.close())
            self._thread.shutdown()

    def add_output(self, sample_id: str, repeat: int, payload: bytes) -> None:
        """Hand over an answer; it becomes durable with the next commit."""
        self._outputs.append((_text(sample_id), repeat, payload))
        self._added()

    def add_score(self, sample_id: str, repeat: int, scorer: str, payload: bytes) -> None:
        """Hand over a score or its failure; it becomes durable with the next commit."""
        self._scores.append((_text(sample_id), repeat, scorer, payload))
        self._added()

    async def durable(self) -> None:
        """Wait until everything handed over so far is on disk. Raises `IncompleteRun` when the disk is full."""
        if self._failure is not None:
            raise self._failure
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._start()
        await waiter

    async def flush(self) -> None:
        """Wait until everything is on disk and no commit is under way."""
        await self.durable()
        while self._committing is not None:
            await asyncio.sleep(0)

    async def entries(self, sample_ids: Sequence[str]) -> Entries:
        """Return what was committed for these samples."""
        return await self._in_thread(lambda: self._entries([_text(s) for s in sample_ids]))

    async def forget(self, beginning: bytes, but_not: bytes) -> int:
        """Forget answers and scores whose payload begins so, except `but_not`; return how many. They are made again."""
        return await self._in_thread(lambda: self._forget(beginning, but_not))

    async def outputs_beginning(self, beginning: bytes) -> list[tuple[str, bytes]]:
        """Return sample id and payload of each answer whose payload begins so."""
        return await self._in_thread(lambda: self._outputs_beginning(beginning))

    async def spent(self) -> float:
        """Return what the budget was charged for all answers and scores committed."""
        return await self._in_thread(self._spent)

    async def counts(self) -> tuple[int, int]:
        """Return the numbers of answers and scores committed."""
        return await self._in_thread(self._counts)

    # ------------------------------------------------------------ group commit, on the event loop

    def _added(self) -> None:
        if self._failure is not None:
            raise self._failure
        if len(self._outputs) + len(self._scores) >= GROUP:
            self._start()

    def _start(self) -> None:
        if self._committing is None:
            self._committing = asyncio.get_running_loop().create_task(self._commit_all())

    async def _commit_all(self) -> None:
        while self._waiting or len(self._outputs) + len(self._scores) >= GROUP:
            outputs, scores, waiting = self._outputs, self._scores, self._waiting
            self._outputs, self._scores, self._waiting = [], [], []
            try:
                if outputs or scores:
                    await self._in_thread(lambda o=outputs, s=scores: self._commit(o, s))  # type: ignore[misc]
            except Exception as exc:
                self._fail(exc, waiting)
                return
            _resolve(waiting)
            await asyncio.sleep(PAUSE)
        self._committing = None

    def _fail(self, exc: Exception, waiting: list[asyncio.Future[None]]) -> None:
        self._failure = no_room(self._path) if _is_full(exc) else exc
        self._failure.__cause__ = exc if self._failure is not exc else None
        for waiter in (*waiting, *self._waiting):
            if not waiter.done():
                waiter.set_exception(self._failure)
        self._waiting = []
        self._committing = None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # ------------------------------------------------------------ SQLite, on the journal's thread

    def _open(self) -> None:
        self._db = sqlite3.connect(self._path, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA cache_size = -256")  # KiB: the system keeps the pages anyway
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, FORMAT):
                raise _unusable(
                    self._path, f"was written by a newer workbench (format {version}, this one knows {FORMAT})"
                )
            self._db.executescript(SCHEMA)
            self._db.execute(f"PRAGMA user_version={FORMAT}")
        except sqlite3.DatabaseError as exc:
            self._db.close()
            if _is_full(exc):
                raise no_room(self._path) from exc
            raise _unusable(self._path, f"is damaged: {exc}") from exc

    def _commit(self, outputs: list[tuple[str, int, bytes]], scores: list[tuple[str, int, str, bytes]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("INSERT OR REPLACE INTO outputs VALUES (?, ?, ?)", outputs)
            self._db.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?)", scores)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _entries(self, sample_ids: list[str]) -> Entries:
        marks = ",".join("?" * len(sample_ids))
        outputs = self._db.execute(
            f"SELECT sample_id, repeat, payload FROM outputs WHERE sample_id IN ({marks})", sample_ids
        )
        scores = self._db.execute(
            f"SELECT sample_id, repeat, scorer, payload FROM scores WHERE sample_id IN ({marks})", sample_ids
        )
        return Entries({(s, r): p for s, r, p in outputs}, {(s, r, name): p for s, r, name, p in scores})

    def _forget(self, beginning: bytes, but_not: bytes) -> int:
        begins = "substr(payload, 1, ?) = ? AND NOT substr(payload, 1, ?) = ?"
        values = (len(beginning), beginning, len(but_not), but_not)
        self._db.execute("BEGIN IMMEDIATE")
        n = sum(self._db.execute(f"DELETE FROM {t} WHERE {begins}", values).rowcount for t in ("outputs", "scores"))
        self._db.execute("COMMIT")
        return n

    def _outputs_beginning(self, beginning: bytes) -> list[tuple[str, bytes]]:
        query = "SELECT sample_id, payload FROM outputs WHERE substr(payload, 1, ?) = ?"
        return list(self._db.execute(query, (len(beginning), beginning)))

    def _spent(self) -> float:
        cost = "coalesce(json_extract({p}, '$.ok.usage.charged'), json_extract({p}, '$.failed.usage.charged'))"
        cost = cost.format(p="CAST(payload AS TEXT)")  # as a blob, SQLite would take it for its own binary JSON
        query = f"SELECT (SELECT total({cost}) FROM outputs) + (SELECT total({cost}) FROM scores)"
        return float(self._db.execute(query).fetchone()[0])

    def _counts(self) -> tuple[int, int]:
        row = self._db.execute("SELECT (SELECT count(*) FROM outputs), (SELECT count(*) FROM scores)").fetchone()
        return row[0], row[1]


def _text(sample_id: str) -> str:
    """Return an id that SQLite can hold: lone surrogates escaped."""
    return sample_id.encode("utf-8", "backslashreplace").decode()


def _resolve(waiting: list[asyncio.Future[None]]) -> None:
    for waiter in waiting:
        if not waiter.done():
            waiter.set_result(None)


def _is_full(exc: BaseException) -> bool:
    # SQLite says "disk is full" for ENOSPC and "disk I/O error" when RLIMIT_FSIZE or a quota cuts a write short.
    text = str(exc)
    return isinstance(exc, sqlite3.OperationalError) and ("is full" in text or "disk I/O error" in text)


def _unusable(path: Path, what: str) -> DataError:
    return DataError(
        Problem("JOURNAL", what, file=str(path), fix="use the workbench that wrote it, or start a new run")
    )
