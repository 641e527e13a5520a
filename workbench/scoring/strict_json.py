"""JSON as its standard has it: no NaN, no Infinity, no number beyond a float, no key given twice."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


class TooDeep(ValueError):
    """Nesting beyond what Python's parser takes."""

    def __init__(self) -> None:
        super().__init__("nested too deeply")


def loads(text: str) -> Any:
    """Return the value of a JSON text. Raises `ValueError` (say why) and never `RecursionError`."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise TooDeep from None


def loads_object_at(text: str, start: int) -> tuple[dict[str, Any], int]:
    """Return the JSON object that begins at `text[start]` and the index after it. Raises `ValueError`."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        raise TooDeep from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value, end


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dict; refuse a key given twice, of which `json` would keep the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(k for k in keys if keys.count(k) > 1)[:80]!r} is given twice")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:40]} is beyond the range of a float")
    return number


# 400 digits lie beyond any float; Python itself refuses more than 4,300 with a message about a setting.
def _integer(digits: str) -> int:
    if len(digits) > 400:
        raise ValueError(f"a whole number of {len(digits)} digits")
    return int(digits)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer
)
