"""Pace: R8 of the reliability plan against a server that counts over any 60 seconds, and the bucket's own rules."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import deque
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.calling.rate_limits import Pace, TokenBucket
from workbench.models import Limits


class SteppedClock:
    """Time that jumps to the next sleeper when everybody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.seconds

    def date(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.seconds + seconds, id(future), future))
        await future

    async def run(self, until: float) -> None:
        """Wake sleepers in order until the time is over."""
        while self.seconds < until:
            for _ in range(5):
                await asyncio.sleep(0)
            if not self._sleepers:
                return
            at, _, future = heapq.heappop(self._sleepers)
            self.seconds = max(self.seconds, at)
            if not future.done():
                future.set_result(None)


class StrictServer:
    """Refuse what goes over a limit within the last 60 seconds."""

    def __init__(self, clock: SteppedClock, requests: int, tokens: int) -> None:
        self._clock, self._requests, self._tokens = clock, requests, tokens
        self._recent: deque[tuple[float, int]] = deque()
        self.accepted = self.refused = self.tokens = 0

    def take(self, tokens: int) -> None:
        now = self._clock.now()
        while self._recent and self._recent[0][0] <= now - 60:
            self._recent.popleft()
        if len(self._recent) >= self._requests or sum(t for _, t in self._recent) + tokens > self._tokens:
            self.refused += 1
            return
        self._recent.append((now, tokens))
        self.accepted += 1
        self.tokens += tokens


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("per_minute", "tokens_per_minute"), [(60, 10_000_000), (100_000, 10_000), (600, 10_000_000)])
async def test_r8_ten_minutes_at_full_pace_use_the_limit_and_are_hardly_ever_refused(
    seed: int, per_minute: int, tokens_per_minute: int
) -> None:
    clock, rng, minutes = SteppedClock(), random.Random(seed), 10
    server = StrictServer(clock, per_minute, tokens_per_minute)
    limits = Limits(requests_per_minute=per_minute, tokens_per_minute=tokens_per_minute)
    pace = Pace(limits, 1024, clock)

    async def worker() -> None:
        while True:
            prompt, answer = rng.randint(50, 150), rng.randint(5, 60)
            reserved = await pace.admit(prompt * 4)
            server.take(prompt + answer)
            await clock.sleep(rng.uniform(0.2, 2))
            pace.settle(reserved, prompt, answer)

    workers = [asyncio.create_task(worker()) for _ in range(32)]
    await clock.run(minutes * 60)
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert server.refused <= 0.01 * (server.accepted + server.refused)
    used = max(server.accepted / (per_minute * minutes), server.tokens / (tokens_per_minute * minutes))
    assert used >= 0.9


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0.1, 500)), min_size=1, max_size=60), st.floats(1, 10_000))
def test_a_bucket_never_lets_more_through_than_its_rate_and_its_size(
    takes: list[tuple[float, float]], per_minute: float
) -> None:
    clock = SteppedClock()
    bucket = TokenBucket(per_minute, clock)
    taken = 0.0
    for gap, amount in takes:
        clock.seconds += gap
        clock.seconds += bucket.wait_for(amount)
        # What has been taken before this one was covered by what had flowed in until now.
        assert taken <= max(1.0, per_minute / 60) + clock.seconds * per_minute / 60 + 1e-6 * (1 + taken)
        bucket.take(amount)
        taken += amount


async def test_when_the_server_says_when_to_come_back_everybody_waits() -> None:
    clock = SteppedClock()
    pace = Pace(Limits(), 10, clock)
    pace.close(120)
    admitted: list[float] = []

    async def one() -> None:
        await pace.admit(4)
        admitted.append(clock.now())

    tasks = [asyncio.create_task(one()) for _ in range(3)]
    await clock.run(200)
    await asyncio.gather(*tasks)
    assert admitted == [120, 120, 120]


async def test_without_limits_nobody_waits() -> None:
    clock = SteppedClock()
    pace = Pace(Limits(), 10, clock)
    for _ in range(1000):
        await pace.admit(1000)
    assert clock.now() == 0
