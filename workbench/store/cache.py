"""Answers that were paid for once, and verdicts on them: SQLite, keyed by everything that can change them.

WAL mode with `synchronous=NORMAL`: a kept answer survives the death of the process, not always a power cut. That is
enough, because the durable truth of a run is its journal. JSON only, never pickle: a cache file is data, not code.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from workbench.errors import DataError, Problem
from workbench.models import Output, Request, Usage
from workbench.nouns import canonical_bytes
from workbench.records import Passage
from workbench.runs import Score
from workbench.store.files import no_room

FORMAT = 1
"""Part of every key: raised when what is stored, or what a key covers, changes."""
PATIENCE = 30.0
"""Seconds to wait for another process that is writing."""
CHECK = 8
"""Bytes of the checksum."""
PAUSE = 0.004
"""Seconds in which answers gather before they are written: as in the journal, short beside any model's latency."""
TOGETHER = 256
"""Verdicts that are written together."""

log = logging.getLogger(__name__)


def answer_key(identity: str, request: Request) -> bytes:
    """Return the key of an answer: 32 bytes of SHA-256.

    `identity` is the fingerprint of the model's spec: address, model, revision, system prompt, sampling, form, weights.
    The sample's id is no part of it: one prompt is paid for once, however many samples ask it.
    """
    messages = [[m.role, m.content] for m in request.messages]
    asked = [FORMAT, identity, messages, request.repeat, request.json_schema, *(["levels"] if request.levels else [])]
    return hashlib.sha256(canonical_bytes(asked)).digest()


def verdict_key(rule: str, row: str, answer: bytes) -> bytes:
    """Return the key of a verdict: 32 bytes of SHA-256.

    `rule` is a fingerprint of scorer and judge, `row` the sample's canonical JSON, `answer` an `Output`'s JSON. That
    is more than a verdict rests on: what differs in vain only costs a look into the response cache.
    """
    said = answer[: answer.rindex(b',"usage":')]  # the last field: what the answer consumed
    digest = hashlib.sha256(f"{FORMAT}\n{rule}\n{len(row)}\n{row}\n".encode())
    digest.update(said)
    return digest.digest()


class Kept:
    """JSON by key; a damaged entry is a miss.

    One connection, used by the thread that opened it. Several processes may share a file.
    """

    def __init__(self, path: Path) -> None:
        """`path` is the SQLite file; it is made, with its folder, at the first use."""
        self.path = path
        self._opened: sqlite3.Connection | None = None

    def find(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return what was kept under these keys, at most some thousands; a damaged entry is left out."""
        query = f"SELECT key, payload, checksum FROM answers WHERE key IN ({','.join('?' * len(keys))})"
        try:
            rows = self._db().execute(query, keys).fetchall()
        except sqlite3.DatabaseError as exc:
            raise self._error(exc) from exc
        return {key: payload for key, payload, checksum in rows if self._whole(key, payload, checksum)}

    def _whole(self, key: bytes, payload: object, checksum: bytes) -> bool:
        if isinstance(payload, bytes) and checksum == _checksum(key, payload):
            return True
        log.warning("%s: a damaged entry is ignored and will be made again", self.path)
        return False

    def keep(self, entries: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep JSON under keys; committed on return. Raises `IncompleteRun` when the disk is full."""
        rows = [(key, payload, _checksum(key, payload)) for key, payload in entries]
        try:
            # One statement is a transaction of its own: committed when `execute` returns.
            if len(rows) > 1:
                self._db().execute("BEGIN IMMEDIATE")
            self._db().executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)
            if len(rows) > 1:
                self._db().execute("COMMIT")
        except sqlite3.DatabaseError as exc:
            self.close()  # and with it the transaction that it may have left open
            raise self._error(exc) from exc

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _db(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute(
                "CREATE TABLE IF NOT EXISTS answers "
                "(key BLOB PRIMARY KEY, payload BLOB NOT NULL, checksum BLOB NOT NULL) WITHOUT ROWID"
            )
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def _error(self, exc: sqlite3.DatabaseError) -> Exception:
        """Return the error to raise: a full disk stops the run resumably; a file that is no cache is named."""
        text = str(exc)
        # SQLite says "disk I/O error" when a quota or a file-size limit cuts a write short.
        if "is full" in text or "disk I/O error" in text:
            return no_room(self.path)
        fix = "delete it (only kept answers are lost), or name another home"
        return DataError(Problem("CACHE", f"the response cache cannot be used: {text}", file=str(self.path), fix=fix))


class ResponseCache(Kept):
    """Answers of models, as plain data."""

    def get(self, key: bytes) -> dict[str, Any] | None:
        """Return what was kept under `key`, `None` when there is nothing or it is damaged."""
        found = self.find([key])
        return orjson.loads(found[key]) if found else None

    def __init__(self, path: Path) -> None:
        """`path` is the SQLite file; it is made, with its folder, at the first use."""
        super().__init__(path)
        self._gathered: list[tuple[bytes, bytes]] = []
        self._written: asyncio.Future[None] | None = None

    def put(self, key: bytes, payload: dict[str, Any]) -> None:
        """Keep plain data under `key`; committed on return. Raises `IncompleteRun` when the disk is full."""
        self.keep([(key, canonical_bytes(payload))])

    async def put_together(self, key: bytes, payload: dict[str, Any]) -> None:
        """Do the same for this and whatever else comes within a few milliseconds, in one transaction."""
        self._gathered.append((key, canonical_bytes(payload)))
        if self._written is None:
            loop = asyncio.get_running_loop()
            self._written = loop.create_future()
            loop.call_later(PAUSE, self._write)
        await asyncio.shield(self._written)

    def _write(self) -> None:
        written, self._written = self._written, None
        try:
            self._keep_gathered()
        except Exception as exc:
            if written is not None:
                written.set_exception(exc)
            return
        if written is not None:
            written.set_result(None)

    def _keep_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self.keep(gathered)

    def close(self) -> None:
        """Write what a stopped run still had gathered, and close the file."""
        self._keep_gathered()
        super().close()


class Verdicts(Kept):
    """Scores that judges gave, written many at a time: what a kill loses is made again from the judges' replies."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._noted: list[tuple[bytes, bytes]] = []

    def note(self, key: bytes, score: Score) -> None:
        """Keep a score under its key, as it will be when nobody is asked for it; soon on disk."""
        usage = score.usage and unpaid(score.usage.input_tokens, score.usage.output_tokens)
        self._noted.append((key, score.model_copy(update={"usage": usage}).model_dump_json().encode()))
        if len(self._noted) >= TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Write what was noted. Raises `IncompleteRun` when the disk is full."""
        noted, self._noted = self._noted, []
        if noted:
            self.keep(noted)


def kept_answers(cache: ResponseCache, keys: Sequence[bytes]) -> list[Output | None]:
    """Return the answers that the cache holds under these keys, at no cost, in their order."""
    found = cache.find(keys)
    return [_output(found[key]) if key in found else None for key in keys]


def kept_json(cache: ResponseCache, keys: Sequence[bytes]) -> list[bytes | None]:
    """Return the same answers as JSON."""
    return [a if a is None else a.model_dump_json().encode() for a in kept_answers(cache, keys)]


def _output(payload: bytes) -> Output:
    kept = orjson.loads(payload)
    usage = unpaid(kept["input_tokens"], kept["output_tokens"])
    return Output(
        text=kept["text"],
        contexts=tuple(Passage.model_validate(passage) for passage in kept.get("contexts", ())),
        finish_reason=kept["finish_reason"],
        model=kept["model"],
        levels=kept.get("levels", {}),
        usage=usage,
    )


def unpaid(input_tokens: int | None, output_tokens: int | None) -> Usage:
    """Return the usage of an answer that somebody else has paid for."""
    return Usage(input_tokens=input_tokens, output_tokens=output_tokens, cost=0.0, charged=0.0, cached=True)


async def keep_answer(cache: ResponseCache, key: bytes, output: Output, *, together: bool = False) -> None:
    """Keep an answer, on disk on return, `together` with others that come in the same moment; failures are never kept.

    Raises `IncompleteRun` when the disk is full.
    """
    usage = output.usage
    payload: dict[str, Any] = {
        "text": output.text,
        "finish_reason": output.finish_reason,
        "model": output.model,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        **({"levels": output.levels} if output.levels else {}),
        **({"contexts": [passage.model_dump(mode="json") for passage in output.contexts]} if output.contexts else {}),
    }
    if together:
        await cache.put_together(key, payload)
    else:
        cache.put(key, payload)


def _checksum(key: bytes, payload: bytes) -> bytes:
    """Return a checksum that binds a payload to its key."""
    return hashlib.blake2b(payload, key=key, digest_size=CHECK).digest()
