"""Pace: requests and tokens a minute, kept by token buckets that all processes of one home may share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from workbench.calling.clock import Clock
from workbench.models import Limits

BURST = 1.0
"""Seconds of allowance that may be saved up. Short, because a server counts over a minute that need not begin with
ours: whatever is saved up is sent on top of a full minute's worth."""
REQUESTS_USED = 0.995
"""Share of the limit on requests that is used: clocks differ, and requests bunch on the way."""
TOKENS_USED = 0.98
"""Share of the limit on tokens that is used: an answer's length is known only afterwards. In ten simulated minutes at
10,000 tokens a minute, 0.99 was refused up to 0.4 % of the time and 0.98 never, using 94 % of the limit."""
INSTANT = 1e-6
"""Seconds that are no wait: what rounding leaves of a wait that is over."""
FIRST_GUESS = 256
"""Answer tokens assumed until answers have been seen."""
MEMORY = 0.9
"""Weight of the past in the running mean of answer tokens."""
CHARACTERS_A_TOKEN = 4.0
SHARED = 6
"""Numbers shared: closed until; mean answer; level and time of the requests; level and time of the tokens."""


class Shared(Protocol):
    """Numbers that several processes share."""

    def held(self) -> AbstractContextManager[list[float]]:
        """Give the numbers, none at the first use, to one process at a time; what is changed in the block is kept."""
        ...


class TokenBucket:
    """An allowance that refills evenly and is taken from when it suffices."""

    def __init__(self, per_minute: float, clock: Clock) -> None:
        self._clock = clock
        self._rate = per_minute / 60
        self._size = max(1.0, self._rate * BURST)
        self._level = self._size
        self._at = clock.now()

    def wait_for(self, amount: float) -> float:
        """Return the seconds until `amount` may be taken; one larger than the bucket may be taken when it is full."""
        self._refill()
        return max(0.0, (min(amount, self._size) - self._level) / self._rate)

    def take(self, amount: float) -> None:
        """Take `amount`; negative gives back. The bucket may go into debt, and the next one waits until it is paid."""
        self._refill()
        self._level = min(self._size, self._level - amount)

    def state(self) -> tuple[float, float]:
        """Return the level and when it was so high."""
        return self._level, self._at

    def restore(self, level: float, at: float) -> None:
        """Go on from another bucket's state."""
        self._level, self._at = min(self._size, level), at

    def _refill(self) -> None:
        now = self._clock.now()
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now


class Pace:
    """Admit requests at the pace that `Limits` allow and that the server last asked for."""

    def __init__(self, limits: Limits, max_tokens: int, clock: Clock, shared: Shared | None = None) -> None:
        """`shared` is what all processes that ask one server share; without it the limits hold in this one."""
        self._clock = clock
        self._shared = shared
        requests, tokens = limits.requests_per_minute, limits.tokens_per_minute
        self._requests = TokenBucket(requests * REQUESTS_USED, clock) if requests is not None else None
        self._tokens = TokenBucket(tokens * TOKENS_USED, clock) if tokens is not None else None
        self._answer = float(min(max_tokens, FIRST_GUESS))
        self._closed_until = clock.now()
        self._line = asyncio.Lock()

    async def admit(self, prompt_characters: int) -> float:
        """Wait for a place. Returns the tokens reserved, to be given to `settle`."""
        # One at a time, in order of arrival: who comes later must not overtake, and each answer that turns out
        # shorter than guessed shortens the wait of the first in line.
        async with self._line:
            while True:
                reserved, wait = self._taken(prompt_characters / CHARACTERS_A_TOKEN)
                if wait <= INSTANT:
                    return reserved
                await self._clock.sleep(wait)

    def settle(self, reserved: float, prompt_tokens: int | None, answer_tokens: int | None) -> None:
        """Correct a reservation by what the server counted; nothing counted (`None`) leaves it as it was."""
        if prompt_tokens is None or answer_tokens is None:
            return
        with self._together():
            self._answer = MEMORY * self._answer + (1 - MEMORY) * answer_tokens
            if self._tokens:
                self._tokens.take(prompt_tokens + answer_tokens - reserved)

    def close(self, seconds: float) -> None:
        """Admit nobody for so long: a 429 that says when to come back concerns every request."""
        with self._together():
            self._closed_until = max(self._closed_until, self._clock.now() + seconds)

    def _taken(self, prompt_tokens: float) -> tuple[float, float]:
        """Take a place, or none. Returns the tokens reserved and the seconds until it is worth trying again."""
        with self._together():
            reserved = prompt_tokens + self._answer
            wait = self._wait_for(reserved)
            if wait <= INSTANT:
                if self._requests:
                    self._requests.take(1)
                if self._tokens:
                    self._tokens.take(reserved)
        return reserved, wait

    def _wait_for(self, tokens: float) -> float:
        return max(
            self._closed_until - self._clock.now(),
            self._requests.wait_for(1) if self._requests else 0.0,
            self._tokens.wait_for(tokens) if self._tokens else 0.0,
        )

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Hold the state that is shared: what others did counts here, and what is done in the block counts for them."""
        if self._shared is None:
            yield
            return
        with self._shared.held() as numbers:
            closed, answer, *levels = numbers if len(numbers) == SHARED else self._untouched()
            buckets = [(self._requests, levels[:2]), (self._tokens, levels[2:])]
            # A clock behind the kept one has begun anew with the machine: then nothing that was kept means anything.
            if max(levels[1], levels[3]) <= self._clock.now():
                self._closed_until, self._answer = closed, answer
                for bucket, (level, at) in buckets:
                    if bucket:
                        bucket.restore(level, at)
            yield
            numbers[:] = [self._closed_until, self._answer]
            for bucket, kept in buckets:
                numbers += bucket.state() if bucket else kept

    def _untouched(self) -> list[float]:
        """Return what is shared at first: this process's own full buckets."""
        states = [bucket.state() if bucket else (0.0, self._clock.now()) for bucket in (self._requests, self._tokens)]
        return [self._closed_until, self._answer, *states[0], *states[1]]
