"""Strict JSONL: one object a line, read in blocks; orjson where it is safe, a slower careful parser where it is not.

orjson refuses NaN, infinities, lone surrogates, bad UTF-8 and deep nesting by itself. Two things it lets pass. It keeps
the last of two equal keys: so the quotes in the text are held against those that the parsed strings and keys account
for. And it turns integers above 64 bits into floats: so rows with very large numbers are read carefully.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from workbench.errors import DataError, Problem
from workbench.reading.rows import RawRow
from workbench.reading.source import Source
from workbench.reading.strict_json import parse

LARGE = 10**19
"""Numbers from here on may be integers that lost digits."""
TOGETHER = 64
"""Lines that are held against what was parsed of them at once."""


def json_rows(source: Source) -> Iterator[RawRow]:
    """Yield the rows of a JSONL file; blank lines are told as problems of code `BLANK_LINE`."""
    number, first = 0, True
    for block in source.blocks():
        for row in block_rows(block, str(source), number, first):
            yield row
            first = first and isinstance(row.data, Problem) and row.data.code == "BLANK_LINE"
        number += lines_in(block)


def block_rows(block: bytes, file: str, before: int, first: bool = False) -> Iterator[RawRow]:
    """Yield the rows of whole lines, of which `before` stand above. `first`: only blank lines do.

    Raises `DataError` where the file's first row shows that it is not JSONL.
    """
    lines = block.split(b"\n")  # never splitlines: U+2028 and U+0085 may stand inside strings
    if lines[-1] == b"":
        lines.pop()
    ended = block.endswith(b"\n")
    for start in range(0, len(lines), TOGETHER):
        some = lines[start : start + TOGETHER]
        last = ended or start + len(some) < len(lines)
        if (rows := _plain(some)) is not None:
            yield from map(RawRow, range(before + start + 1, before + start + len(rows) + 1), rows)
            first = False
            continue
        for row in _one_by_one(some, file, before + start, first, last):
            yield row
            first = first and isinstance(row.data, Problem) and row.data.code == "BLANK_LINE"


def _plain(lines: list[bytes]) -> list[dict[str, Any]] | None:
    """Return the rows of lines in which nothing is unusual; `None`: each is to be looked at by itself.

    No line can make up for another one: a lost key, an escaped quote, and a large number each make the text's quotes
    more than those of its strings. Only a backslash before a closing quote makes them less, when escapes are left out.
    """
    text = b"\n".join(lines)
    try:
        rows = [orjson.loads(line) for line in lines]
        if {*map(type, rows)} != {dict}:
            return None
        more = text.count(b'"') - _quotes(rows)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    return None if more and (b'\\\\"' in text or more != text.count(b'\\"')) else rows


def _one_by_one(lines: list[bytes], file: str, before: int, first: bool, ended: bool) -> Iterator[RawRow]:
    """Yield the rows of lines one of which is unusual. `ended`: the last one has a line end."""
    for number, line in enumerate(lines, before + 1):
        try:
            data = orjson.loads(line)
            plain = type(data) is dict and line.count(b'"') - line.count(b'\\"') == _quotes((data,))
        except (orjson.JSONDecodeError, RecursionError):
            plain = False
        if plain and b'\\\\"' not in line:
            yield RawRow(number, data)
            first = False
        elif not line.strip():
            yield RawRow(number, Problem("BLANK_LINE", "blank line", file, number))
        else:
            yield _examined(line, file, number, first, ended or line is not lines[-1])
            first = False


def lines_in(block: bytes) -> int:
    """Count the lines of a block, the last of which may have no end."""
    return block.count(b"\n") + (not block.endswith(b"\n"))


def _quotes(values: Iterable[Any]) -> int:
    """Count the quotes that strings and keys take in JSON; a number too large to trust makes the count negative."""
    n = 0
    for value in values:
        kind = type(value)
        if kind is str:
            n += 2
        elif kind is dict:
            n += 2 * len(value) + _quotes(value.values())
        elif kind is list:
            for one in value:  # objects of texts, such as messages, without a call for each
                if type(one) is dict:
                    n += 2 * len(one)
                    for text in one.values():
                        n += 2 if type(text) is str else _quotes((text,))
                else:
                    n += _quotes((one,))
        elif (kind is float or kind is int) and not -LARGE < value < LARGE:
            n -= LARGE
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
    if (name := _table_named(start)) and isinstance(parsed, Problem):
        fix = f"name it {name}" if name != ";" else "write it with commas and name it .csv"
        raise DataError(Problem("FILE_KIND", "the first line is the header of a table, not JSON", file, 1, fix=fix))
    if start == b"{":
        fix = "write one object per line, for example with: jq -c . file.json > file.jsonl"
        raise DataError(Problem("JSON_INDENTED", "an object goes over several lines", file, 1, fix=fix))


NAME = rb'"?[A-Za-z_][\w.-]{0,60}"?'
HEADER = re.compile(NAME + rb"(?P<between>[,;\t])" + NAME + rb"(?:(?P=between)" + NAME + rb")*")
"""Two or more plain names with one separator between them."""


def _table_named(line: bytes) -> str:
    """Return the ending that a table with this header has, `;` for one that is not read here; empty for no header."""
    found = HEADER.fullmatch(line.removesuffix(b"\r")[:10_000])
    return {b",": ".csv", b"\t": ".tsv", b";": ";"}[found["between"]] if found else ""
