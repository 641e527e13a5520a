"""Stop when told to: the first signal lets what is under way end, the second one does not."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

from workbench.evaluation.engine import Halt

T = TypeVar("T")
GRACE = 3.0
"""Seconds that requests under way are given to end after the first signal."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):
    """The work was stopped by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def supervise(main: Callable[[Halt], Awaitable[T]]) -> T:
    """Run `main` to its end. Raises `Stopped` when SIGINT or SIGTERM ended it early, within a few seconds."""
    return asyncio.run(_supervised(main))


async def _supervised(main: Callable[[Halt], Awaitable[T]]) -> T:
    loop = asyncio.get_running_loop()
    halt = Halt()
    task = asyncio.ensure_future(main(halt))
    received: list[int] = []

    def on_signal(number: int) -> None:
        received.append(number)
        halt.event.set()
        if len(received) == 1:
            loop.call_later(GRACE, task.cancel)
        else:
            task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        result = await task
    except asyncio.CancelledError:
        if not received:
            raise
        raise Stopped(received[0]) from None
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    if received and result is None:
        raise Stopped(received[0])
    return result
