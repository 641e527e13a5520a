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
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from argilla_embedded import environment
from argilla_embedded.errors import EmbeddedError
from argilla_embedded.home import Home, Phase, Settings, State
from argilla_embedded.pages import guarded
from argilla_embedded.private_answers import keeping_answers_private
from argilla_embedded.processes import Keeper, fork, in_child
from argilla_embedded.queue import Journal, QueueServer, socket_path
from argilla_embedded.sessions import ending_sessions
from argilla_embedded.turns import people_first

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
        listening = listen(settings)
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


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say. Raises `EmbeddedError` where another one does."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        # Two may bind one port as long as neither listens: of two that start together, the later one is told here.
        listening.listen(2048)
    except OSError as exc:
        raise EmbeddedError(f"cannot listen on {settings.host}:{settings.port}: {exc.strerror}") from exc
    return listening


def _serve(
    home: Home, settings: Settings, lock: int, listening: socket.socket, announce: Callable[[Phase, str], None]
) -> None:
    state = home.state()
    assert state is not None
    environment.apply(home, settings, state.queue)
    from argilla_embedded import database, reconcile, worker  # loads argilla_server: seconds

    announce("preparing", "")
    in_child(lambda: database.prepare(home))
    gc.collect()
    gc.freeze()  # pages that the collector does not touch stay shared with the workers
    alive, hold = os.pipe()
    closed = (lock, hold, listening.fileno())
    keepers = [Keeper(name, fork(partial(worker.work, name, alive), closed), alive) for name in worker.QUEUES]
    announce("starting", "")
    with QueueServer(state.queue, Journal(home.path / "queue.sqlite")):
        for keeper in keepers:
            keeper.watch()
        worker.QUEUES["default"].enqueue(reconcile.update_stale_statuses, job_timeout=-1)
        _run(home, settings, listening, lambda: announce("ready", ""))
        for keeper in keepers:
            keeper.stop(GRACE_S)


def _run(home: Home, settings: Settings, listening: socket.socket, ready: Callable[[], None]) -> None:
    import uvicorn
    from argilla_server import app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

    inner = app if settings.database_url else people_first(app)  # PostgreSQL has many writers
    signed_in = ending_sessions(keeping_answers_private(inner), home)
    pages = guarded(signed_in, settings.remote_content)
    server = Server(uvicorn.Config(pages, access_log=False, log_level="info", timeout_graceful_shutdown=GRACE_S))

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn ends well and then raises the signal again, which must not end us before the workers.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.run(sockets=[listening])


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1]))
    except EmbeddedError as exc:
        sys.stderr.write(f"{exc}\n")
        raise SystemExit(1) from exc
