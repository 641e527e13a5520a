"""Strict CSV and TSV: a header, as many cells in every row as it has names, every cell text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from workbench.errors import DataError, Problem
from workbench.reading.rows import Columns, RawRow
from workbench.reading.source import Source

MAX_CELL = 131_072
"""Characters of the longest cell."""
PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def csv_rows(source: Source, delimiter: str, columns: Columns | None = None) -> Iterator[RawRow]:
    """Yield the rows of a CSV file as name → text; an empty cell is left out. Line is where the row begins."""
    reader = csv.reader(_lines(source), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            raise DataError(_syntax(str(exc), str(source), begins)) from exc
        if header is None and cells:
            header = _header(cells, str(source), begins)
            if columns is not None and (missing := columns.missing(header, str(source))):
                raise DataError(missing)
        else:
            yield RawRow(begins, _row(cells, header or [], columns, str(source), begins))
        begins = reader.line_num + 1


def plain_number(text: str) -> float | int | None:
    """Return the number that a cell holds in plain ASCII digits; `None` for `١٢`, `1_000`, `NaN` and such."""
    match = PLAIN_NUMBER.fullmatch(text)
    if match is None:
        return None
    if match[2] or match[3]:
        number = float(text)
        return number if abs(number) != float("inf") else None
    return int(text) if len(text) <= 19 else None


def _lines(source: Source) -> Iterator[str]:
    for block in source.blocks():
        lines = block.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        for line in lines:
            yield line.decode("utf-8", "surrogateescape") + "\n"


def _header(cells: list[str], file: str, line: int) -> list[str]:
    for name in cells:
        if not name.strip():
            raise DataError(Problem("CSV_HEADER", "a column has no name", file, line, fix="name every column"))
        if cells.count(name) > 1:
            what = "a column name stands twice in the header"
            raise DataError(Problem("CSV_HEADER", what, file, line, name, repr(name), "rename one of them"))
    return cells


def _row(
    cells: list[str], header: list[str], columns: Columns | None, file: str, line: int
) -> dict[str, str] | Problem:
    if not cells:
        return Problem("BLANK_LINE", "blank line", file, line)
    if len(cells) != len(header):
        got = f"{len(cells)} cells for {len(header)} columns"
        return Problem(
            "CSV_RAGGED", "the row does not fit the header", file, line, "", got, "quote cells that hold commas"
        )
    used = [(n, c) for n, c in zip(header, cells, strict=True) if columns is None or n in columns.used]
    for name, cell in used:
        if len(cell) > MAX_CELL:
            raise DataError(_syntax(f"field larger than field limit ({MAX_CELL})", file, line))
        if "\0" in cell:
            return Problem("NUL_CHARACTER", "NUL character", file, line, name, None, "the file may be damaged")
        if not cell.isascii() and any("\udc80" <= c <= "\udcff" for c in cell):
            at = next(i for i, c in enumerate(cell) if "\udc80" <= c <= "\udcff")
            got = f"byte 0x{ord(cell[at]) - 0xDC00:02x}"
            what = f"invalid UTF-8 at character {at + 1} of the cell"
            return Problem("NOT_UTF8", what, file, line, name, got, "save the file as UTF-8")
    return {name: cell for name, cell in used if cell}


def _syntax(message: str, file: str, line: int) -> Problem:
    if "field limit" in message:
        fix = "close every quote, or use JSONL for long texts"
        return Problem("CELL_TOO_LONG", f"a cell is longer than {MAX_CELL:,} characters", file, line, fix=fix)
    if "new-line character" in message:
        fix = "end lines with \\n (LF) or \\r\\n (CRLF)"
        return Problem("LONE_CR", "lines end in a lone carriage return (old Macintosh style)", file, line, fix=fix)
    return Problem(
        "CSV_SYNTAX", f"not CSV: {message}", file, line, fix='close every quote and double quotes inside: ""'
    )
