"""Works off Argilla's background jobs: one process a queue, and one more, for a moment, a job.

Each job runs in a process of its own, as under Argilla's own `worker` command: its event loop and its database
connections begin and end with it. A job that a kill interrupts is done again, so a webhook may arrive twice.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any

import redis
from argilla_server.jobs.queues import DEFAULT_QUEUE, HIGH_QUEUE, REDIS_CONNECTION
from rq import Queue, Worker
from rq.scheduler import RQScheduler

import argilla_embedded.database
import argilla_embedded.search  # noqa: F401  jobs look the engine up by its name

QUEUES: dict[str, Queue] = {queue.name: queue for queue in (HIGH_QUEUE, DEFAULT_QUEUE)}
"""Webhooks, and all else, which may take long; neither waits for the other."""
POLL_S = 0.5


class QuietWorker(Worker):
    """An rq worker without its channel for remote commands and without labels in its log."""

    def subscribe(self) -> None:
        """Listen to nobody."""

    def unsubscribe(self) -> None:
        """Nothing to end."""


def work(name: str, alive: int) -> None:
    """Work off the queue `name` until SIGTERM, or until the pipe `alive` is closed at its other end."""
    os.nice(10)  # the server, for whom people wait, goes first
    threading.Thread(target=_end_with_server, args=(alive,), daemon=True).start()
    stopping = threading.Event()
    queue, resumed = QUEUES[name], False
    while not stopping.is_set():
        # rq puts its own handlers in place while it works.
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            if not resumed:
                requeue_unfinished(REDIS_CONNECTION, name)
                resumed = True
            _enqueue_due(queue)
            if len(queue) and _work_off(queue):
                return
        except redis.exceptions.ConnectionError:
            pass  # the server is not up yet, or is going down
        stopping.wait(POLL_S)


def requeue_unfinished(client: Any, name: str) -> None:
    """Put every job of a queue that was begun, or was between places, when its worker ended back in front.

    Call while no worker of the queue runs.
    """
    queue, begun = f"rq:queue:{name}", f"rq:wip:{name}"
    waiting = set(client.lrange(queue, 0, -1))
    lost = []
    for key in client.scan_iter("rq:job:*"):
        status, origin, enqueued = client.hmget(key, "status", "origin", "enqueued_at")
        identity = key.removeprefix(b"rq:job:")
        if origin == name.encode() and status in (b"queued", b"started") and identity not in waiting:
            lost.append((enqueued or b"", identity))
    for _, identity in sorted(lost, reverse=True):
        with client.pipeline() as together:
            together.zrem(begun, identity)
            together.lrem(f"{queue}:intermediate", 0, identity)
            together.hset(b"rq:job:" + identity, "status", "queued")
            together.lpush(queue, identity)
            together.execute()


def _work_off(queue: Queue) -> bool:
    """Do all jobs of a queue that are due; return whether a stop was asked for meanwhile."""
    worker = QuietWorker([queue], connection=REDIS_CONNECTION, log_job_description=False)
    worker.work(burst=True, logging_level="WARNING")
    return bool(worker._stop_requested)


def _enqueue_due(queue: Queue) -> None:
    scheduler = RQScheduler([queue.name], connection=REDIS_CONNECTION, logging_level="WARNING")
    scheduler.prepare_registries([queue.name])
    scheduler.enqueue_scheduled_jobs()


def _end_with_server(alive: int) -> None:
    os.read(alive, 1)  # returns when the server is gone, even by SIGKILL
    time.sleep(0.1)
    os._exit(0)


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
