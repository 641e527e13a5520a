"""When to ask again: R7 of the reliability plan, and properties of the waits."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.calling.retry import TRANSIENT, asked_wait, wait_before
from workbench.models import Limits

NOW = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)

ASKS = [
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": "1.5"}, 1.5),
    ({"retry-after": "Sun, 22 Nov 2026 18:00:42 GMT"}, 42.0),
    ({"retry-after": "Sun, 22 Nov 2026 18:00:42"}, 42.0),
    ({"retry-after": "Sun, 22 Nov 2026 17:59:00 GMT"}, 0.0),
    ({"retry-after": "0"}, 0.0),
    ({"retry-after": "-5"}, 0.0),
    ({"retry-after": "soon, perhaps"}, 0.0),
    ({"retry-after": "inf"}, 0.0),
    ({"retry-after": "nan"}, 0.0),
    ({"retry-after": "١٢"}, 0.0),
    ({"retry-after": "120"}, 120.0),
    ({"retry-after": "3600"}, 3600.0),
    ({"retry-after": "9999999999"}, 9999999999.0),
    ({"retry-after": "1.0000000000000001"}, 1.0),
    ({"retry-after": "9" * 400}, math.inf),
    ({"x-ratelimit-reset-tokens": "9999999999s"}, 9999999999.0),
    ({"retry-after-ms": "250"}, 0.25),
    ({"x-ratelimit-reset-requests": "1m30s"}, 90.0),
    ({"x-ratelimit-reset-tokens": "6ms"}, 0.006),
    ({"x-ratelimit-reset-tokens": "1h2m3.5s"}, 3723.5),
    ({"x-ratelimit-reset-tokens": "2026-11-22T18:00:30Z"}, 30.0),
    ({"x-ratelimit-reset-tokens": "2026-11-22T20:00:30+02:00"}, 30.0),
    ({"x-ratelimit-reset-tokens": "12"}, 12.0),
    ({}, 0.0),
    ({"retry-after": "2", "x-ratelimit-reset-requests": "1m", "x-ratelimit-reset-tokens": "6ms"}, 60.0),
    ({"retry-after": "90", "retry-after-ms": "1", "x-ratelimit-reset-requests": "1m"}, 90.0),
]


@pytest.mark.parametrize(("headers", "seconds"), ASKS, ids=lambda v: str(v) if isinstance(v, dict) else None)
def test_r7_a_wait_is_never_shorter_than_the_longest_one_asked_for(headers: dict[str, str], seconds: float) -> None:
    asked = asked_wait(429, headers, NOW)
    assert asked == pytest.approx(seconds)
    for trial in range(20):
        assert wait_before(1 + trial, asked, Limits(), random.Random(trial)) >= seconds


def test_reset_headers_count_on_a_429_only_because_servers_send_them_with_every_reply() -> None:
    assert asked_wait(503, {"x-ratelimit-reset-requests": "1m"}, NOW) == 0
    assert asked_wait(503, {"retry-after": "5"}, NOW) == 5


def test_a_date_is_compared_across_time_zones() -> None:
    now = NOW.astimezone(timezone(timedelta(hours=9)))
    assert asked_wait(429, {"retry-after": "Sun, 22 Nov 2026 18:00:42 GMT"}, now) == 42


@given(
    attempt=st.integers(1, 5000),
    asked=st.floats(0, 1e6),
    backoff=st.floats(0.001, 100),
    most=st.floats(0.001, 1000),
    seed=st.integers(0, 2**32),
)
def test_a_wait_lies_between_what_was_asked_and_the_ceiling_above_it(
    attempt: int, asked: float, backoff: float, most: float, seed: int
) -> None:
    limits = Limits(backoff=backoff, max_backoff=most)
    wait = wait_before(attempt, asked, limits, random.Random(seed))
    assert asked <= wait <= asked + min(most, backoff * 2.0 ** min(attempt - 1, 64))


def test_waits_are_spread_over_the_whole_range_and_their_ceiling_doubles() -> None:
    rng, limits = random.Random(1), Limits(backoff=1, max_backoff=1000)
    for attempt, ceiling in ((1, 1), (2, 2), (5, 16)):
        waits = [wait_before(attempt, 0, limits, rng) for _ in range(400)]
        assert min(waits) < 0.05 * ceiling and max(waits) > 0.95 * ceiling


@given(st.text(max_size=60))
def test_any_header_text_is_read_without_an_error(text: str) -> None:
    headers = dict.fromkeys(("retry-after", "retry-after-ms", "x-ratelimit-reset-tokens"), text)
    assert asked_wait(429, headers, NOW) >= 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_what_will_not_change_is_not_worth_asking_again(status: int) -> None:
    assert status not in TRANSIENT
    assert {408, 409, 429, 500, 502, 503, 504, 529} <= TRANSIENT
