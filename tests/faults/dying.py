"""The `workbench` command that dies at a named point: `python -m tests.faults.dying POINT NTH eval run …`.

SIGKILL, at the NTH time that the point is reached. The points are seams of the program, wrapped here and nowhere else.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.adapters import openai_endpoint
from workbench.cli.main import main
from workbench.evaluation import run
from workbench.store.journal import Journal


class Countdown:
    """Kill this process at the nth call."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    def __call__(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def sent(reached: Countdown) -> None:
    """A request is on the wire and not yet answered."""
    original = openai_endpoint.OpenAIEndpoint._attempt

    async def attempt(self: Any, *args: Any) -> Any:
        task = asyncio.ensure_future(original(self, *args))
        await asyncio.sleep(0.01)
        if not task.done():
            reached()
        return await task

    openai_endpoint.OpenAIEndpoint._attempt = attempt  # type: ignore[method-assign]


def received(reached: Countdown) -> None:
    """An answer has arrived and is nowhere yet."""
    original = openai_endpoint.OpenAIEndpoint._attempt

    async def attempt(self: Any, *args: Any) -> Any:
        reply = await original(self, *args)
        reached()
        return reply

    openai_endpoint.OpenAIEndpoint._attempt = attempt  # type: ignore[method-assign]


def cached(reached: Countdown) -> None:
    """An answer is in the cache and not in the journal."""
    original = openai_endpoint.keep_answer

    async def keep(*args: Any, together: bool = False) -> None:
        await original(*args, together=together)
        reached()

    openai_endpoint.keep_answer = keep


class DyingConnection:
    """A connection that dies with its transaction open, rows written and not committed."""

    def __init__(self, db: sqlite3.Connection, reached: Countdown) -> None:
        self._db, self._reached = db, reached

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            self._reached()
        return self._db.execute(sql, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def mid_commit(reached: Countdown) -> None:
    """A group of answers is written to the journal's database, and its transaction is open."""
    original = Journal._open

    def opened(self: Any) -> None:
        original(self)
        self._db = DyingConnection(self._db, reached)

    Journal._open = opened  # type: ignore[method-assign]


def _around_the_summary(before: Callable[[], None], after: Callable[[], None]) -> None:
    original = run.write_atomic

    def write(path: Path, content: bytes) -> None:
        if path.name != "summary.json":
            return original(path, content)
        before()
        original(path, content)
        after()

    run.write_atomic = write


def finalise(reached: Countdown) -> None:
    """Tables and reports are written, the summary that makes the run finished is not."""
    _around_the_summary(reached, lambda: None)


def finalised(reached: Countdown) -> None:
    """The summary is written, the journal that it replaces still there."""
    _around_the_summary(lambda: None, reached)


POINTS = {point.__name__: point for point in (sent, received, cached, mid_commit, finalise, finalised)}

if __name__ == "__main__":
    POINTS[sys.argv[1]](Countdown(int(sys.argv[2])))
    sys.argv = ["workbench", *sys.argv[3:]]
    main()
