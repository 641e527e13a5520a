"""Read the values of filters as Elasticsearch reads them for each type of field."""

import math
import re
import struct
from datetime import UTC, datetime, timedelta, timezone

_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:T(?:(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,9}))?)?)?)?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?)?)?"
)


def number_of(value: object) -> int | float | None:
    """Read a finite number, from a string too; None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    try:
        return int(str(value).strip()) if re.fullmatch(r"\s*[-+]?\d{1,30}\s*", str(value)) else _finite(str(value))
    except ValueError:
        return None


def single_precision(value: float) -> tuple[tuple[float, bool], tuple[float, bool]]:
    """Bound the doubles that round to the same 32-bit float: the lowest, whether it does too, the highest, likewise.

    Elasticsearch keeps floats in 32 bits: 0.1 is found by 0.1 and by 0.10000000149.
    """
    near = nearest_single(value)
    bits = struct.unpack("<i", struct.pack("<f", near))[0]
    even = bits % 2 == 0
    return (_middle(near, -1), even), (_middle(near, 1), even)


def nearest_single(value: float) -> float:
    """Round to the nearest 32-bit float."""
    try:
        near: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        near = math.inf if value > 0 else -math.inf
    return near


def keyword_of(value: object) -> str | None:
    """Read an exact term; None for what no database holds: NUL, halves of surrogate pairs."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return None if "\0" in text else text


def moments_of(value: object) -> tuple[datetime, datetime] | None:
    """Read the first and last microsecond (naive UTC) named by an ISO date of any precision or epoch milliseconds."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return moment, moment
    found = _DATE.fullmatch(str(value))
    try:
        if found:
            return _calendar(found)
        milliseconds = number_of(value)
        if milliseconds is None:
            return None
        moment = datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)
    except (ValueError, OverflowError):
        return None
    return moment, moment + timedelta(microseconds=999)


def _calendar(found: re.Match[str]) -> tuple[datetime, datetime]:
    given = {name: int(part) for name, part in found.groupdict().items() if part and name not in ("fraction", "zone")}
    last = {"month": 12, "hour": 23, "minute": 59, "second": 59, **given}
    last.setdefault("day", _last_day(last["year"], last["month"]))
    first = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, **given}
    fraction = found["fraction"] or ""
    low = int(fraction.ljust(6, "0")[:6])
    high = low if fraction else 999_999
    offset = _offset(found["zone"])
    ends = (datetime(*_ordered(first), low), datetime(*_ordered(last), high))
    return ends[0] - offset, ends[1] - offset


def _ordered(parts: dict[str, int]) -> tuple[int, int, int, int, int, int]:
    return parts["year"], parts["month"], parts["day"], parts["hour"], parts["minute"], parts["second"]


def _last_day(year: int, month: int) -> int:
    following = datetime(year + month // 12, month % 12 + 1, 1) if year < 9999 or month < 12 else datetime(9999, 12, 31)
    return (following - timedelta(days=1)).day if following.day == 1 else 31


def _offset(zone: str | None) -> timedelta:
    if not zone or zone == "Z":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    timezone(offset)
    return -offset if zone[0] == "-" else offset


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _middle(near: float, step: int) -> float:
    """Return half the way from a 32-bit float to the next; beyond the greatest lies infinity."""
    if math.isinf(near):
        return near
    bits = struct.unpack("<i", struct.pack("<f", near))[0]
    ordered = bits if bits >= 0 else -(bits & 0x7FFFFFFF)
    following = ordered + step
    packed = struct.pack("<i", following if following >= 0 else (-following) | -0x80000000)
    other: float = struct.unpack("<f", packed)[0]
    return other if math.isinf(other) else (near + other) / 2
