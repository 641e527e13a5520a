"""The job queue that Argilla's server expects of Redis, in this process and on the disk.

Argilla puts background jobs (webhooks, record status after a changed overlap, hub import and export) into `rq`, which
talks to Redis. `fakeredis` answers here on a Unix socket in the home, which nobody else can open: whoever may write a
job may run code. What it holds is in memory; so every command that changes something is also appended to a SQLite
file before it is answered, and played again at the next start. A kill loses nothing; a power failure at most the
last second.
"""

from __future__ import annotations

import io
import os
import socketserver
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from fakeredis import FakeRedis, FakeServer
from fakeredis._clients._sync import FakeRedisConnection
from fakeredis._clients._tcp_server import encode_reply

Command = tuple[bytes, ...]

COMPACT_AFTER = 50_000
"""Commands in the file after which it is rewritten to what is still there."""
VOLATILE = (b"rq:worker", b"rq:scheduler-lock", b"rq:clean_registries", b"rq:executions")
"""Keys that speak of processes, which do not outlive a start."""
READS = frozenset(
    b"PING HELLO AUTH SELECT CLIENT COMMAND INFO CONFIG ECHO TIME WATCH UNWATCH MULTI EXEC DISCARD GET MGET EXISTS "
    b"TYPE TTL PTTL EXPIRETIME PEXPIRETIME KEYS SCAN DBSIZE STRLEN HGET HGETALL HMGET HKEYS HLEN HEXISTS LRANGE LLEN "
    b"LINDEX LPOS SMEMBERS SCARD SISMEMBER ZRANGE ZRANGEBYSCORE ZCARD ZCOUNT ZSCORE ZRANK XRANGE XREVRANGE XLEN "
    b"XINFO".split()
)


class Stream(Protocol):
    """What commands are read from."""

    def readline(self) -> bytes:
        """Return a line with its end."""
        ...

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, fewer at the end."""
        ...


class Journal:
    """The commands that make the queue what it is, in the order they were carried out."""

    def __init__(self, path: Path) -> None:
        """Open or make the file at `path`."""
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.execute("CREATE TABLE IF NOT EXISTS commands (number INTEGER PRIMARY KEY, command BLOB NOT NULL)")
        self.length: int = self._file.execute("SELECT count(*) FROM commands").fetchone()[0]

    def append(self, commands: list[Command]) -> None:
        """Keep commands that were carried out together: all of them or, after a kill, none."""
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO commands (command) VALUES (?)", [(encode(each),) for each in commands])
        self._file.execute("COMMIT")
        self.length += len(commands)

    def replace(self, commands: list[Command]) -> None:
        """Keep these commands instead of all others, in one transaction."""
        self._file.execute("BEGIN")
        self._file.execute("DELETE FROM commands")
        self._file.executemany("INSERT INTO commands (command) VALUES (?)", [(encode(each),) for each in commands])
        self._file.execute("COMMIT")
        self.length = len(commands)

    def commands(self) -> Iterator[Command]:
        """Return what is kept, oldest first."""
        for (command,) in self._file.execute("SELECT command FROM commands ORDER BY number"):
            yield decode(command)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class QueueServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers Redis clients on a Unix socket; use as a context, which serves in threads until it ends."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, path: str, journal: Journal) -> None:
        """Restore the queue from `journal` and listen on the socket at `path`; a stale socket is replaced."""
        Path(path).unlink(missing_ok=True)
        super().__init__(path, _Handler)
        Path(path).chmod(0o600)
        self.fake = FakeServer(server_type="redis", version=(7, 4))
        self.turn = threading.Lock()
        self.journal = journal
        self._numbers = count(1)
        self._restore()

    def __enter__(self) -> QueueServer:
        threading.Thread(target=self.serve_forever, name="queue", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        with self.turn:
            self.journal.close()
        Path(str(self.server_address)).unlink(missing_ok=True)

    def get_request(self) -> tuple[Any, Any]:
        """Accept a client and number it: all clients of a Unix socket have the same empty address."""
        request, _ = super().get_request()
        return request, ("client", next(self._numbers))

    def keep(self, commands: list[Command]) -> None:
        """Write changes to the journal; call with `turn` held, before the client hears of them."""
        self.journal.append(commands)
        if self.journal.length > COMPACT_AFTER:
            self.journal.replace(dump(self.client()))

    def client(self) -> FakeRedis:
        """Return a client of the queue inside this process, past the socket and the journal."""
        return FakeRedis(server=self.fake, protocol=2)

    def _restore(self) -> None:
        client = self.client()
        for command in self.journal.commands():
            client.execute_command(*command)
        self.journal.replace(dump(client))


class _Handler(socketserver.StreamRequestHandler):
    """One client: reads commands, has them carried out, keeps the changes, answers."""

    server: QueueServer

    def handle(self) -> None:
        fake = FakeRedisConnection(server=self.server.fake, protocol=2)
        transaction: list[Command] | None = None
        while command := read_command(self.rfile):
            name = command[0].upper()
            with self.server.turn:
                reply = _carry_out(fake, command)
                if name == b"MULTI":
                    transaction = []
                elif name in (b"EXEC", b"DISCARD"):
                    if name == b"EXEC" and transaction and isinstance(reply, list):
                        self.server.keep(transaction)
                    transaction = None
                elif name not in READS and transaction is not None:
                    transaction.append(command)
                elif name not in READS and not isinstance(reply, Exception):
                    self.server.keep([command])
            protocol = fake.get_socket()._client_info.protocol_version
            self.wfile.write(encode_reply(reply, protocol))


def _carry_out(fake: FakeRedisConnection, command: Command) -> Any:
    fake.get_socket().sendall(encode(command))
    try:
        return fake.read_response()
    except Exception as exc:  # the client's mistakes are replies, of many classes
        return exc


def read_command(file: Stream) -> Command | None:
    """Read one command in Redis' protocol; None at the end of the stream or of a torn command."""
    head = file.readline()
    if not head.startswith(b"*"):
        return None
    parts = []
    for _ in range(int(head[1:])):
        size = int(file.readline()[1:] or -2)
        part = file.read(size + 2)
        if len(part) != size + 2:
            return None
        parts.append(part[:-2])
    return tuple(parts)


def encode(command: Command) -> bytes:
    """Write a command in Redis' protocol."""
    return b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in command)


def decode(data: bytes) -> Command:
    """Read a command that `encode` wrote."""
    command = read_command(io.BytesIO(data))
    assert command is not None
    return command


def dump(client: Any) -> list[Command]:
    """Return the commands that make all that is in the queue now."""
    commands: list[Command] = []
    for key in sorted(client.keys()):
        if key.startswith(VOLATILE):
            continue
        commands.extend(_made_by(client, key))
        if (expires := client.pexpiretime(key)) > 0:
            commands.append((b"PEXPIREAT", key, b"%d" % expires))
    return commands


def _made_by(client: Any, key: bytes) -> list[Command]:
    match client.type(key):
        case b"string":
            return [(b"SET", key, client.get(key))]
        case b"hash":
            return [(b"HSET", key, *(part for pair in client.hgetall(key).items() for part in pair))]
        case b"list":
            return [(b"RPUSH", key, *client.lrange(key, 0, -1))]
        case b"set":
            return [(b"SADD", key, *client.smembers(key))]
        case b"zset":
            scores = client.zrange(key, 0, -1, withscores=True)
            return [(b"ZADD", key, *(part for member, score in scores for part in (repr(score).encode(), member)))]
    return []  # streams hold the results of finished jobs


def socket_path(folder: Path) -> str:
    """Return where the socket of a home lies: the system allows about 100 bytes, so a deep home uses a short folder."""
    inside = str(folder / "queue.sock")
    if len(os.fsencode(inside)) <= 100:
        return inside
    return str(Path(tempfile.mkdtemp(prefix="argilla-embedded-")) / "queue.sock")
