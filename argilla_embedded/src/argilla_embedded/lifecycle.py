"""Start and stop the server of a home."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from argilla_embedded.errors import EmbeddedError
from argilla_embedded.home import LOOPBACK, Home, Owner, Settings, State
from argilla_embedded.looking import asked_version, who_listens

Tell = Callable[[str], None]
"""Is told in a few words what is going on, for a progress line."""

DEFAULT_PORT = 6900
START_S = 180.0
STOP_S = 25.0
LOG_BYTES = 10_000_000

WORDS = {
    "loading": "loading Argilla",
    "preparing": "preparing the database",
    "starting": "starting to serve",
    "ready": "waiting for the first answer",
    "failed": "failed",
}


class Wanted(BaseModel):
    """What `up` was asked for; None keeps what the home was served with before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str | None = None
    port: int | None = None
    database_url: str | None = None
    remote_content: bool | None = None


class Started(BaseModel):
    """What `up` found or did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    pid: int
    already: bool
    """Whether it was running before."""
    new_owner: Owner | None
    """The owner, when this start made one; shown once."""


def up(home: Home, wanted: Wanted, tell: Tell = lambda _: None) -> Started:
    """Start the server of `home` unless it runs, and wait until it answers. Raises `EmbeddedError`."""
    home.make()
    running = home.server_pid()
    if running is not None:
        return _already(home, running, wanted, tell)
    settings = _settings(home, wanted)
    had_owner = home.owner()
    home.keep(settings)
    (home.path / "state.json").unlink(missing_ok=True)
    process = _spawn(home)
    _wait_until_ready(home, process, tell)
    owner = home.owner()
    return Started(url=settings.url, pid=process.pid, already=False, new_owner=owner if owner != had_owner else None)


def down(home: Home, tell: Tell = lambda _: None) -> bool:
    """Stop the server: ask, wait, then kill. Return whether one was running. Raises `EmbeddedError` if it stays."""
    pid = home.server_pid()
    if pid is None:
        return False
    for number, patience in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, 5.0)):
        tell(f"stopping process {pid}" if number == signal.SIGTERM else f"killing process {pid}")
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        if _gone(home, patience):
            return True
    raise EmbeddedError(f"process {pid}, which serves {home.path}, does not end even when killed")


def _already(home: Home, pid: int, wanted: Wanted, tell: Tell) -> Started:
    state = home.state()
    settings = home.settings()
    if state is None or settings is None or state.pid != pid:
        time.sleep(0.5)
        state, settings = home.state(), home.settings()
    if state is None or settings is None or state.pid != pid:
        raise EmbeddedError(f"process {pid} holds {home.path} but does not say what it does; stop it and try again")
    for name, value in wanted.model_dump(exclude_none=True).items():
        if getattr(settings, name) != value:
            raise EmbeddedError(
                f"{home.path} is already served at {state.url}, with {name} {getattr(settings, name)!r}, not "
                f"{value!r}; run `argilla-embedded down` first"
            )
    _wait_until_ready(home, None, tell)
    return Started(url=state.url, pid=pid, already=True, new_owner=None)


def _settings(home: Home, wanted: Wanted) -> Settings:
    before = home.settings()
    kept = {} if before is None else before.model_dump()
    chosen = {**kept, **wanted.model_dump(exclude_none=True)}
    host = chosen.get("host", "127.0.0.1")
    _refuse_password(chosen.get("database_url"))
    port = chosen.get("port")
    if port is None:
        port = DEFAULT_PORT if _free(host, DEFAULT_PORT) else _any_port(host)
    elif not _free(host, port):
        raise EmbeddedError(
            f"port {port} on {host} is in use by {who_listens(port)}; stop that, or choose another port: --port N"
        )
    return Settings(**{**chosen, "port": port})


def _refuse_password(url: str | None) -> None:
    if url is None:
        return
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise EmbeddedError("the database URL cannot be read; write postgresql://USER@HOST:PORT/DATABASE") from exc
    if parsed.password is not None or "password" in parsed.query:
        raise EmbeddedError("the database URL holds a password, which others could read; give it in PGPASSWORD instead")
    if not parsed.drivername.startswith("postgresql"):
        raise EmbeddedError(
            f"database {parsed.drivername!r} is not one of 'postgresql'; for SQLite say nothing, it lies in the home"
        )


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen(1)
        except OSError:
            return False
    return True


def _any_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.bind((host, 0))
        return int(trial.getsockname()[1])


def _spawn(home: Home) -> subprocess.Popen[bytes]:
    if home.log.exists() and home.log.stat().st_size > LOG_BYTES:
        home.log.replace(home.log.with_suffix(".log.1"))
    log = os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "argilla_embedded.server", str(home.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=home.path,
        )
    finally:
        os.close(log)


def _wait_until_ready(home: Home, process: subprocess.Popen[bytes] | None, tell: Tell) -> State:
    began, told = time.monotonic(), ""
    while time.monotonic() - began < START_S:
        state = home.state()
        ended = process.poll() is not None if process else home.server_pid() is None
        if ended:
            message = state.message if state and state.message else _end_of(home.log)
            raise EmbeddedError(f"Argilla did not start: {message}\nits log: {home.log}")
        if state is not None:
            if state.phase != told:
                told = state.phase
                tell(WORDS[told])
            if state.phase == "ready" and asked_version(state.url):
                return state
        time.sleep(0.1)
    raise EmbeddedError(f"Argilla did not answer within {START_S:.0f} s; its log: {home.log}")


def _end_of(log: Path, lines: int = 15) -> str:
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "it wrote no log"


def _gone(home: Home, patience: float) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if home.server_pid() is None:
            return True
        time.sleep(0.05)
    return False


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    return host in LOOPBACK or host.startswith("127.")
