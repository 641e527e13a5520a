"""Time as a value that is passed in, so that an hour of waiting is tested in a millisecond."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where seconds come from and how one waits."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    def date(self) -> datetime:
        """Return the date and time, with a zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class RealClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.perf_counter()

    def date(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
