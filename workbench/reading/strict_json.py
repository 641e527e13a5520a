"""The careful parser of one JSON text: it names what the fast one would refuse without a reason, or let pass."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

from workbench.errors import Problem

MAX_DIGITS = 19
"""Digits of the longest integer, so that it fits 64 bits everywhere."""
FINITE = "leave it out, or write a finite number"
SURROGATE = re.compile("[\ud800-\udfff]")


class Parsed(NamedTuple):
    """A value, or what is wrong with the text."""

    data: Any
    """Plain data or a `Problem`."""
    note: str = ""
    """`LONE_SURROGATE` where some were escaped."""


class _Refused(ValueError):
    def __init__(self, code: str, message: str, got: str, fix: str, field: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.got, self.fix, self.field = code, message, got, fix, field


def parse(text: bytes, file: str, line: int, complete: bool = True) -> Parsed:
    """Return the value of one JSON text. `complete` is false for a last line that has no line end."""

    def wrong(code: str, message: str, got: str | None = None, fix: str = "", field: str = "") -> Parsed:
        return Parsed(Problem(code, message, file, line, field, got, fix))

    if b"\0" in text:
        return wrong(
            "NUL_CHARACTER", f"NUL byte at byte {text.index(0) + 1} of the line", None, "the file may be damaged"
        )
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as exc:
        if not complete and exc.end == len(text) and "unexpected end" in exc.reason:
            return wrong("TRUNCATED_LINE", "the last line is truncated", None, "write the file again")
        got = f"byte 0x{text[exc.start]:02x}"
        return wrong("NOT_UTF8", f"invalid UTF-8 at byte {exc.start + 1} of the line", got, "save the file as UTF-8")
    try:
        value = _loads(decoded)
        return _escaped(value) if "\\u" in decoded else Parsed(value)
    except _Refused as exc:
        return wrong(exc.code, exc.message, exc.got, exc.fix, exc.field)
    except RecursionError:
        return wrong("TOO_DEEP", "objects or lists are nested too deeply", None, "flatten the row")
    except json.JSONDecodeError as exc:
        return wrong(*_syntax(decoded, exc, complete))


def _loads(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused("DUPLICATE_KEY", "the key stands twice in one object", repr(twice), "keep one of them", twice)
    return found


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        got = f"{text[:12]}… of {len(text)} digits"
        raise _Refused("BIG_INTEGER", f"an integer of more than {MAX_DIGITS} digits", got, "write it as a string")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Refused(
            "NOT_FINITE", "a number beyond what a float can hold", text, "leave it out, or write a finite number"
        )
    return number


def _constant(text: str) -> float:
    raise _Refused("NOT_FINITE", "NaN and Infinity are no JSON numbers", text, FINITE)


def _syntax(text: str, exc: json.JSONDecodeError, complete: bool) -> tuple[str, str, str | None, str]:
    """Return code, message, offending text and fix of a syntax error."""
    if "\r" in text.rstrip("\r"):
        fix = "end lines with \\n (LF) or \\r\\n (CRLF)"
        return "LONE_CR", "lines end in a lone carriage return (old Macintosh style)", None, fix
    if not complete and not text.rstrip().endswith("}"):
        return "TRUNCATED_LINE", f"the last line is truncated at column {exc.colno}", text[-40:], "write the file again"
    near = text[max(0, exc.pos - 10) : exc.pos + 20]
    return "JSON_SYNTAX", f"not JSON at column {exc.colno}: {exc.msg}", near, "mend the line"


def _escaped(value: Any) -> Parsed:
    """Write lone surrogates, which neither UTF-8 nor a database can hold, as their escapes."""
    text = json.dumps(value, ensure_ascii=False)
    if not SURROGATE.search(text):
        return Parsed(value)
    return Parsed(_without_surrogates(value), "LONE_SURROGATE")


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    return [_without_surrogates(v) for v in value] if isinstance(value, list) else value
