"""What lies in the home folder, and who may read it.

    settings.json      host, port, database: how this home is served        every `up` may change it
    secrets.json       the key that signs sessions                          made once
    owner.json         the owner's name, password and API key               made once
    argilla.db         Argilla's database, unless PostgreSQL holds it
    ended.json         whose sessions a new password ended
    queue.sqlite       background jobs that are not done yet
    state.json, lock   which process serves, and how far it is              only while one does
    server.log

The folder has mode 0700 and every file 0600: the database holds API keys too.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from argilla_embedded.errors import EmbeddedError

Phase = Literal["loading", "preparing", "starting", "ready", "failed"]

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Noun(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Noun = TypeVar("Noun", bound=_Noun)


class Settings(_Noun):
    """How a home is served."""

    host: str = "127.0.0.1"
    """Address to listen on; anything but loopback is reachable from outside."""
    port: int
    database_url: str | None = None
    """PostgreSQL's URL without a password; None is SQLite in the home."""
    remote_content: bool = False
    """Whether pages may load images and media from other hosts."""

    @property
    def url(self) -> str:
        """Return the address a browser on this machine uses."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", *LOOPBACK) else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


class Secrets(_Noun):
    """What must survive a restart and never be known outside."""

    session_key: str
    """Signs session tokens."""


class Owner(_Noun):
    """The first user; may do everything."""

    username: str
    password: str
    api_key: str


class Ended(_Noun):
    """Sessions that a new password ended."""

    sessions: dict[str, int]
    """By username: those that began before, in seconds since the epoch, are over."""


class State(_Noun):
    """How far the serving process is."""

    pid: int
    started: float
    """Seconds since the epoch."""
    phase: Phase
    url: str
    queue: str
    """Path of the job queue's socket."""
    message: str = ""
    """Why it failed."""


@dataclass(frozen=True)
class Home:
    """One folder, one server."""

    path: Path

    def make(self) -> None:
        """Create the folder, readable by its owner only."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.chmod(0o700)

    @property
    def database(self) -> Path:
        """Return where SQLite keeps Argilla's data."""
        return self.path / "argilla.db"

    @property
    def log(self) -> Path:
        """Return where the server writes what it has to say."""
        return self.path / "server.log"

    @property
    def owner_file(self) -> Path:
        """Return where the owner's password and API key are kept."""
        return self.path / "owner.json"

    def database_url(self, settings: Settings) -> str:
        """Return the URL that Argilla is given; a password, if any, comes from PGPASSWORD."""
        return settings.database_url or f"sqlite+aiosqlite:///{self.database}?check_same_thread=False"

    def settings(self) -> Settings | None:
        """Return how this home was last served; None before the first time."""
        return self._read("settings.json", Settings)

    def owner(self) -> Owner | None:
        """Return the owner; None before the first start."""
        return self._read("owner.json", Owner)

    def ended(self) -> Ended | None:
        """Return which sessions are over; None before the first reset of a password."""
        return self._read("ended.json", Ended)

    def state(self) -> State | None:
        """Return what the last serving process said; ask `server_pid` whether it lives."""
        return self._read("state.json", State)

    def secrets(self) -> Secrets:
        """Return the secrets of this home, made on first use."""
        kept = self._read("secrets.json", Secrets)
        if kept is None:
            kept = Secrets(session_key=secrets.token_urlsafe(48))
            self.keep(kept)
        return kept

    def keep(self, noun: Settings | Secrets | Owner | Ended | State) -> None:
        """Write a noun to its file: whole or not at all, mode 0600, flushed to the disk."""
        target = self.path / f"{type(noun).__name__.lower()}.json"
        fresh = target.with_suffix(f".{os.getpid()}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(noun.model_dump(), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)

    def hold(self) -> int:
        """Take the home's lock and return its handle; the kernel drops it when we end, however we end.

        Raises `EmbeddedError`, naming the process, when another one holds it.
        """
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(handle)
            raise EmbeddedError(f"{self.path} is already served by process {self.server_pid()}") from exc
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        return handle

    def server_pid(self) -> int | None:
        """Return the process that serves this home; None when nobody does, whatever files say."""
        try:
            handle = os.open(self.path / "lock", os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _wait_for_pid(handle)
        else:
            return None
        finally:
            os.close(handle)

    def _read(self, name: str, noun: type[Noun]) -> Noun | None:
        try:
            text = (self.path / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            return noun.model_validate_json(text)
        except ValidationError as exc:
            raise EmbeddedError(
                f"{self.path / name} cannot be read as {noun.__name__}: mend or remove it\n{exc}"
            ) from exc


def _wait_for_pid(handle: int) -> int:
    # The lock is taken a moment before the number is written.
    for _ in range(50):
        text = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
        if text.isdigit():
            return int(text)
        time.sleep(0.01)
    return -1
