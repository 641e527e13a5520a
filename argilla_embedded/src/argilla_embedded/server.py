"""The serving process: `python -m argilla_embedded.server HOME`; `lifecycle.up` starts it in the background.

Everything is loaded once, then the process divides: one part prepares the database and ends, two work off background
jobs, and this one serves. Argilla's server is unmodified; the search engine is registered before it asks for it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from argilla_embedded import environment
from argilla_embedded.errors import EmbeddedError
from argilla_embedded.home import Home, Phase, Settings, State
from argilla_embedded.queue import Journal, QueueServer, socket_path

GRACE_S = 10
"""Seconds that open requests and a running job get to end after SIGTERM."""


def main(folder: str) -> int:
    """Serve the home at `folder` until SIGTERM; return the exit code."""
    os.umask(0o077)
    home = Home(Path(folder))
    lock = home.hold()
    settings = home.settings()
    if settings is None:
        raise EmbeddedError(f"{home.path} has no settings.json; start it with `argilla-embedded up`")
    announce = _announcer(home, settings)
    try:
        announce("loading", "")
        listening = _listen(settings)
        _serve(home, settings, lock, listening, announce)
    except EmbeddedError as exc:
        announce("failed", str(exc))
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


def _announcer(home: Home, settings: Settings) -> Callable[[Phase, str], None]:
    queue, started = socket_path(home.path), time.time()

    def announce(phase: Phase, message: str = "") -> None:
        state = State(pid=os.getpid(), started=started, phase=phase, url=settings.url, queue=queue, message=message)
        home.keep(state)

    return announce


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as exc:
        raise EmbeddedError(f"cannot listen on {settings.host}:{settings.port}: {exc.strerror}") from exc
    return listening


def _serve(
    home: Home, settings: Settings, lock: int, listening: socket.socket, announce: Callable[[Phase, str], None]
) -> None:
    state = home.state()
    assert state is not None
    environment.apply(home, settings, state.queue)
    from argilla_embedded import database, worker  # loads argilla_server: seconds

    announce("preparing", "")
    _in_child(lambda: database.prepare(home))
    gc.collect()
    gc.freeze()  # pages that the collector does not touch stay shared with the workers
    alive, hold = os.pipe()
    workers = [_fork(partial(worker.work, name, alive), lock, hold, listening.fileno()) for name in worker.QUEUES]
    os.close(alive)
    announce("starting", "")
    with QueueServer(state.queue, Journal(home.path / "queue.sqlite")):
        _run(listening, lambda: announce("ready", ""))
        _stop(workers)


def _run(listening: socket.socket, ready: Callable[[], None]) -> None:
    import uvicorn
    from argilla_server import app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

    config = uvicorn.Config(app, access_log=False, log_level="info", timeout_graceful_shutdown=GRACE_S)
    Server(config).run(sockets=[listening])


def _in_child(action: Callable[[], None]) -> None:
    """Run `action` in a forked process, so that its event loop and connections leave nothing behind here."""
    told, tell = os.pipe()

    def act() -> None:
        try:
            action()
        except EmbeddedError as exc:
            os.write(tell, str(exc).encode()[:60_000])
            raise SystemExit(1) from exc

    child = _fork(act)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        message = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if status:
        raise EmbeddedError(message or f"preparing the database failed; see the log ({home_hint()})")


def home_hint() -> str:
    """Return how to see the log."""
    return "argilla-embedded logs"


def _fork(action: Callable[[], Any], *close: int) -> int:
    """Run `action` in a forked process without the handles `close`; return its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        for handle in close:
            os.close(handle)
        action()
        code = 0
    except SystemExit as exc:
        code = int(exc.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _stop(workers: list[int]) -> None:
    for pid in workers:
        os.kill(pid, signal.SIGTERM)
    killer = threading.Timer(GRACE_S, _kill, [workers])
    killer.daemon = True
    killer.start()
    for pid in workers:
        os.waitpid(pid, 0)
    killer.cancel()


def _kill(workers: list[int]) -> None:
    for pid in workers:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1]))
    except EmbeddedError as exc:
        sys.stderr.write(f"{exc}\n")
        raise SystemExit(1) from exc
