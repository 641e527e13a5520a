"""Works off Argilla's background jobs: one process a queue, and one more, for a moment, a job.

Each job runs in a process of its own, as under Argilla's own `worker` command: its event loop and its database
connections begin and end with it.
"""

from __future__ import annotations

import os
import signal
import threading
import time

import redis
from argilla_server.jobs.queues import DEFAULT_QUEUE, HIGH_QUEUE, REDIS_CONNECTION
from rq import Queue, Worker
from rq.scheduler import RQScheduler

import argilla_embedded.search  # noqa: F401  jobs look the engine up by its name

QUEUES: dict[str, Queue] = {queue.name: queue for queue in (HIGH_QUEUE, DEFAULT_QUEUE)}
POLL_S = 0.5


class QuietWorker(Worker):  # type: ignore[misc]
    """An rq worker without its channel for remote commands and without labels in its log."""

    def subscribe(self) -> None:
        """Listen to nobody."""

    def unsubscribe(self) -> None:
        """Nothing to end."""


def work(name: str, alive: int) -> None:
    """Work off the queue `name` until SIGTERM, or until the pipe `alive` is closed at its other end."""
    threading.Thread(target=_end_with_server, args=(alive,), daemon=True).start()
    stopping = threading.Event()
    queue = QUEUES[name]
    while not stopping.is_set():
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            _enqueue_due(queue)
            if len(queue):
                worker = QuietWorker([queue], connection=REDIS_CONNECTION, log_job_description=False)
                worker.work(burst=True, logging_level="WARNING")
                if worker._stop_requested:
                    return
        except redis.exceptions.ConnectionError:
            pass  # the server is not up yet, or is going down
        stopping.wait(POLL_S)


def _enqueue_due(queue: Queue) -> None:
    scheduler = RQScheduler([queue.name], connection=REDIS_CONNECTION, logging_level="WARNING")
    scheduler.prepare_registries([queue.name])
    scheduler.enqueue_scheduled_jobs()


def _end_with_server(alive: int) -> None:
    os.read(alive, 1)  # returns when the server is gone, even by SIGKILL
    time.sleep(0.1)
    os._exit(0)
