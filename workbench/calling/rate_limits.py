"""Pace: requests and tokens a minute, kept by token buckets (one set a process)."""

from __future__ import annotations

from workbench.calling.clock import Clock
from workbench.models import Limits

BURST = 1.0
"""Seconds of allowance that may be saved up. Short, because a server counts over a minute that need not begin with
ours: whatever is saved up is sent on top of a full minute's worth."""
EVEN = 0.995
"""Share of the limit that is used: the answer to clocks that differ and to arrivals that bunch on the way."""
FIRST_GUESS = 256
"""Answer tokens assumed until answers have been seen."""
MEMORY = 0.9
"""Weight of the past in the running mean of answer tokens."""
CHARACTERS_A_TOKEN = 4.0


class TokenBucket:
    """An allowance that refills evenly. It may go into debt: callers wait until theirs is paid, in order of arrival."""

    def __init__(self, per_minute: float, clock: Clock) -> None:
        self._clock = clock
        self._rate = per_minute / 60 * EVEN
        self._size = max(1.0, self._rate * BURST)
        self._level = self._size
        self._at = clock.now()

    def take(self, amount: float) -> float:
        """Take `amount` and return the seconds to wait before using it."""
        self._refill()
        self._level -= amount
        return max(0.0, -self._level / self._rate)

    def give_back(self, amount: float) -> None:
        """Return what was taken too much; a negative amount takes what was taken too little."""
        self._refill()
        self._level = min(self._size, self._level + amount)

    def _refill(self) -> None:
        now = self._clock.now()
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now


class Pace:
    """Admit requests at the pace that `Limits` allow and that the server last asked for."""

    def __init__(self, limits: Limits, max_tokens: int, clock: Clock) -> None:
        self._clock = clock
        self._requests = TokenBucket(limits.requests_per_minute, clock) if limits.requests_per_minute else None
        self._tokens = TokenBucket(limits.tokens_per_minute, clock) if limits.tokens_per_minute else None
        self._answer = float(min(max_tokens, FIRST_GUESS))
        self._closed_until = clock.now()

    async def admit(self, prompt_characters: int) -> float:
        """Wait for a place. Returns the tokens reserved, to be given to `settle`."""
        reserved = self._answer + prompt_characters / CHARACTERS_A_TOKEN
        wait = max(
            self._requests.take(1) if self._requests else 0.0,
            self._tokens.take(reserved) if self._tokens else 0.0,
        )
        if wait > 0:
            await self._clock.sleep(wait)
        # While this request waited for its place, the server may have asked everybody to stay away.
        while (closed := self._closed_until - self._clock.now()) > 0:
            await self._clock.sleep(closed)
        return reserved

    def settle(self, reserved: float, prompt_tokens: int | None, answer_tokens: int | None) -> None:
        """Correct a reservation by what the server counted; nothing counted (`None`) leaves it as it was."""
        if prompt_tokens is None or answer_tokens is None:
            return
        self._answer = MEMORY * self._answer + (1 - MEMORY) * answer_tokens
        if self._tokens:
            self._tokens.give_back(reserved - prompt_tokens - answer_tokens)

    def close(self, seconds: float) -> None:
        """Admit nobody for so long: a 429 that says when to come back concerns every request."""
        self._closed_until = max(self._closed_until, self._clock.now() + seconds)
