"""Strict JSONL: one object a line, read in blocks; orjson where it is safe, a slower careful parser where it is not.

orjson refuses NaN, infinities, lone surrogates, bad UTF-8 and deep nesting by itself. What it lets pass is looked for
here: it keeps the last of two equal keys (so the keys in the text are counted: each ends in `":`), and it turns
integers above 64 bits into floats (so lines with 19 digits in a row are read carefully).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from workbench.errors import DataError, Problem
from workbench.reading.rows import RawRow
from workbench.reading.source import Source
from workbench.reading.strict_json import parse

ALL_DIGITS_TO_0 = bytes(ord("0") if chr(c).isdigit() and c < 128 else c for c in range(256))
SPACED_KEY = re.compile(rb'"[ \t\r]+:')


def json_rows(source: Source) -> Iterator[RawRow]:
    """Yield the rows of a JSONL file; blank lines are told as problems of code `BLANK_LINE`."""
    number, file, first = 0, str(source), True
    for block in source.blocks():
        lines = block.split(b"\n")  # never splitlines: U+2028 and U+0085 may stand inside strings
        if lines[-1] == b"":
            lines.pop()
        ended = block.endswith(b"\n")
        careful = _needs_care(block)
        for line in lines:
            number += 1
            try:
                data = orjson.loads(line)
                plain = type(data) is dict and line.count(b'":') == _keys(data)
            except (orjson.JSONDecodeError, RecursionError):
                plain = False
            if plain and not (careful and _needs_care(line)):
                yield RawRow(number, data)
                first = False
            elif not line.strip():
                yield RawRow(number, Problem("BLANK_LINE", "blank line", file, number))
            else:
                yield _examined(line, file, number, first, ended or line is not lines[-1])
                first = False


def _needs_care(block: bytes) -> bool:
    """Tell whether counting `":` could miss a key in this block, or an integer could lose digits."""
    return b"0" * 19 in block.translate(ALL_DIGITS_TO_0) or SPACED_KEY.search(block) is not None


def _keys(data: dict[str, Any]) -> int:
    """Count the keys of an object and of all objects within."""
    n = len(data)
    for value in data.values():
        kind = type(value)
        if kind is dict:
            n += _keys(value)
        elif kind is list:
            n += _keys_in_list(value)
    return n


def _keys_in_list(values: list[Any]) -> int:
    n = 0
    for value in values:
        kind = type(value)
        if kind is dict:
            n += _keys(value)
        elif kind is list:
            n += _keys_in_list(value)
    return n


def _examined(line: bytes, file: str, number: int, first: bool, complete: bool) -> RawRow:
    """Read one line carefully. Raises `DataError` where the first line shows that the file is not JSONL."""
    parsed = parse(line, file, number, complete)
    if first:
        _is_not_one_document(line, parsed.data, file)
    if isinstance(parsed.data, Problem | dict):
        return RawRow(number, parsed.data, parsed.note)
    got = f"a {type(parsed.data).__name__}"
    problem = Problem("NOT_AN_OBJECT", "a row must be a JSON object", file, number, "", got, "write {…} on each line")
    return RawRow(number, problem)


def _is_not_one_document(line: bytes, parsed: Any, file: str) -> None:
    """Refuse a file that is a JSON array, or one object over many lines."""
    start = line.strip()
    if isinstance(parsed, list) or (start[:1] == b"[" and isinstance(parsed, Problem) and parsed.code != "TOO_DEEP"):
        fix = "write one object per line, for example with: jq -c '.[]' file.json > file.jsonl"
        raise DataError(Problem("JSON_ARRAY", "this is one JSON array, not JSONL", file, 1, fix=fix))
    if start == b"{":
        fix = "write one object per line, for example with: jq -c . file.json > file.jsonl"
        raise DataError(Problem("JSON_INDENTED", "an object goes over several lines", file, 1, fix=fix))
