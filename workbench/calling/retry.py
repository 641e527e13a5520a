"""When to ask again, and when not before.

Full jitter (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015): a wait is drawn uniformly
between 0 and a ceiling that doubles. What the server asked for comes on top, so that nobody is early and not all come
at once.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from workbench.models import Limits

TRANSIENT = frozenset({408, 409, 429, *range(500, 600)})
"""Statuses worth asking again; 529 is a vendor's "overloaded"."""

RESETS = ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")


def wait_before(attempt: int, asked: float, limits: Limits, rng: random.Random) -> float:
    """Return seconds to wait before attempt number `attempt` (the first retry is 1): `asked` plus full jitter."""
    # The exponent is bounded because 2.0 ** 1024 overflows; the ceiling is long reached by then.
    ceiling = min(limits.max_backoff, limits.backoff * 2.0 ** min(attempt - 1, 64))
    return asked + rng.uniform(0.0, ceiling)


def asked_wait(status: int, headers: Mapping[str, str], now: datetime) -> float:
    """Return the seconds a server asks to be left alone, 0 when it asks for nothing that can be understood.

    The longest of `retry-after-ms`, `retry-after` and, on a 429, the rate limit's reset headers. `headers` have
    lower-case names. `now` has a zone and is what dates are compared with.
    """
    waits = [_milliseconds(headers.get("retry-after-ms", "")), _retry_after(headers.get("retry-after", ""), now)]
    if status == 429:
        waits += [_reset(headers.get(name, ""), now) for name in RESETS]
    return max(waits)


def _milliseconds(text: str) -> float:
    return float(text) / 1000 if _NUMBER.fullmatch(text.strip()) else 0.0


def _retry_after(text: str, now: datetime) -> float:
    """Read seconds, also decimal, or an HTTP date (RFC 9110, 10.2.3). Negative or unreadable asks for nothing."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    return _until(text, now)


def _reset(text: str, now: datetime) -> float:
    """Read `1m30s`, `6ms`, seconds, or a date."""
    text = text.strip()
    if _DURATION.fullmatch(text):
        return math.fsum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))
    return _retry_after(text, now)


def _until(text: str, now: datetime) -> float:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = read(text)
        except ValueError:
            continue
        # A date without a zone is UTC, as all HTTP dates are.
        date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
        return max(0.0, (date - now).total_seconds())
    return 0.0
