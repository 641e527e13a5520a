"""Pace: requests and tokens a minute, kept by token buckets (one set a process)."""

from __future__ import annotations

import asyncio

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

    def _refill(self) -> None:
        now = self._clock.now()
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now


class Pace:
    """Admit requests at the pace that `Limits` allow and that the server last asked for."""

    def __init__(self, limits: Limits, max_tokens: int, clock: Clock) -> None:
        self._clock = clock
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
            reserved = self._answer + prompt_characters / CHARACTERS_A_TOKEN
            while (wait := self._wait_for(reserved)) > INSTANT:
                await self._clock.sleep(wait)
            if self._requests:
                self._requests.take(1)
            if self._tokens:
                self._tokens.take(reserved)
        return reserved

    def settle(self, reserved: float, prompt_tokens: int | None, answer_tokens: int | None) -> None:
        """Correct a reservation by what the server counted; nothing counted (`None`) leaves it as it was."""
        if prompt_tokens is None or answer_tokens is None:
            return
        self._answer = MEMORY * self._answer + (1 - MEMORY) * answer_tokens
        if self._tokens:
            self._tokens.take(prompt_tokens + answer_tokens - reserved)

    def close(self, seconds: float) -> None:
        """Admit nobody for so long: a 429 that says when to come back concerns every request."""
        self._closed_until = max(self._closed_until, self._clock.now() + seconds)

    def _wait_for(self, tokens: float) -> float:
        return max(
            self._closed_until - self._clock.now(),
            self._requests.wait_for(1) if self._requests else 0.0,
            self._tokens.wait_for(tokens) if self._tokens else 0.0,
        )
