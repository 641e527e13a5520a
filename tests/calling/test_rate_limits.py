"""Pace: R8 of the reliability plan against a server that counts over any 60 seconds, and the bucket's own rules."""

from __future__ import annotations

import asyncio
import heapq
import random
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.calling.rate_limits import Pace, TokenBucket
from workbench.models import Limits
from workbench.store.shared_numbers import SharedNumbers


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

    def assert_well_used(self, minutes: int) -> None:
        """Check R8: at most 1 % refused, at least 90 % of the limit used."""
        assert self.refused <= 0.01 * (self.accepted + self.refused)
        used = max(self.accepted / (self._requests * minutes), self.tokens / (self._tokens * minutes))
        assert used >= 0.9, used


LIMITS = [(60, 10_000_000), (100_000, 10_000), (600, 10_000_000)]


async def ten_minutes(paces: Sequence[Pace], server: StrictServer, clock: SteppedClock, seed: int) -> None:
    """Let 32 workers, dealt to the paces, ask as fast as these let them."""
    rng = random.Random(seed)

    async def worker(pace: Pace) -> None:
        while True:
            prompt, answer = rng.randint(50, 150), rng.randint(5, 60)
            reserved = await pace.admit(prompt * 4)
            server.take(prompt + answer)
            await clock.sleep(rng.uniform(0.2, 2))
            pace.settle(reserved, prompt, answer)

    workers = [asyncio.create_task(worker(paces[i % len(paces)])) for i in range(32)]
    await clock.run(600)
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("per_minute", "tokens_per_minute"), LIMITS)
async def test_r8_ten_minutes_at_full_pace_use_the_limit_and_are_hardly_ever_refused(
    seed: int, per_minute: int, tokens_per_minute: int
) -> None:
    clock = SteppedClock()
    server = StrictServer(clock, per_minute, tokens_per_minute)
    limits = Limits(requests_per_minute=per_minute, tokens_per_minute=tokens_per_minute)
    await ten_minutes([Pace(limits, 1024, clock)], server, clock, seed)
    server.assert_well_used(minutes=10)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("per_minute", "tokens_per_minute"), [*LIMITS[:2], (60, 10_000)])
async def test_r8_four_processes_of_one_home_keep_one_limit_together(
    seed: int, per_minute: int, tokens_per_minute: int, tmp_path: Path
) -> None:
    clock = SteppedClock()
    server = StrictServer(clock, per_minute, tokens_per_minute)
    limits = Limits(requests_per_minute=per_minute, tokens_per_minute=tokens_per_minute)
    shared = [SharedNumbers(tmp_path / "pace") for _ in range(4)]  # each opens the file for itself, as a process does
    await ten_minutes([Pace(limits, 1024, clock, numbers) for numbers in shared], server, clock, seed)
    for numbers in shared:
        numbers.close()
    server.assert_well_used(minutes=10)


TAKING = """
import sys
from pathlib import Path
from workbench.calling.clock import RealClock
from workbench.calling.rate_limits import Pace
from workbench.models import Limits
from workbench.store.shared_numbers import SharedNumbers

pace = Pace(Limits(tokens_per_minute=1), 1, RealClock(), SharedNumbers(Path(sys.argv[1])))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(500):
    pace.settle(0, 1, 1)
"""


def test_what_four_processes_take_at_once_is_all_counted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TAKING, str(tmp_path / "pace")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    children = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for child in children:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
    for child in children:
        child.communicate("go\n")
        assert child.returncode == 0
    with SharedNumbers(tmp_path / "pace").held() as numbers:
        level = numbers[4]
    assert -4000 <= level < -3990, "what flows back in the meantime is a token a minute"


async def test_when_a_server_asks_one_process_to_wait_the_others_wait_too(tmp_path: Path) -> None:
    clock, limits = SteppedClock(), Limits(requests_per_minute=6000)
    one, other = (Pace(limits, 10, clock, SharedNumbers(tmp_path / "pace")) for _ in range(2))
    one.close(120)
    task = asyncio.create_task(other.admit(4))
    await clock.run(200)
    await task
    assert clock.now() == 120


async def test_what_was_kept_before_the_machine_began_anew_means_nothing(tmp_path: Path) -> None:
    clock, limits = SteppedClock(), Limits(requests_per_minute=60)
    clock.seconds = 1e6
    Pace(limits, 10, clock, SharedNumbers(tmp_path / "pace")).close(120)
    clock.seconds = 5.0
    await Pace(limits, 10, clock, SharedNumbers(tmp_path / "pace")).admit(4)
    assert clock.now() == 5.0


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
