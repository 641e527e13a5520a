"""An opened file: refused early when it is not text, read in bounded blocks, and checked for having stayed the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.errors import DataError, Problem

MAX_LINE = 16 * 1024 * 1024
"""Bytes of the longest line."""
BLOCK = 1024 * 1024
"""Bytes read at once."""

FileKind = Literal["jsonl", "csv", "tsv", "parquet"]
KINDS: dict[str, FileKind] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "COMPRESSED", "gzip data"),
    (b"PK\x03\x04", "COMPRESSED", "a zip archive"),
    (b"BZh", "COMPRESSED", "bzip2 data"),
    (b"\x28\xb5\x2f\xfd", "COMPRESSED", "zstandard data"),
    (b"\xff\xfe\x00\x00", "WRONG_ENCODING", "UTF-32 text"),
    (b"\x00\x00\xfe\xff", "WRONG_ENCODING", "UTF-32 text"),
    (b"\xff\xfe", "WRONG_ENCODING", "UTF-16 (little-endian) text"),
    (b"\xfe\xff", "WRONG_ENCODING", "UTF-16 (big-endian) text"),
)


@dataclass(frozen=True)
class Source:
    """A file as it was when it was opened."""

    path: Path
    kind: FileKind
    size: int
    """Bytes."""
    modified: int
    """Nanoseconds since the epoch."""
    sha256: str
    """Hash of all bytes."""

    def __str__(self) -> str:
        return str(self.path)

    def blocks(self) -> Iterator[bytes]:
        """Yield the file as blocks of whole lines, without byte order mark. Raises `DataError` if it changes."""
        digest, carry, start = hashlib.sha256(), b"", 0
        with self.path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
                if not start:
                    block = block.removeprefix(b"\xef\xbb\xbf")
                start += len(block)
                end = block.rfind(b"\n") + 1
                if end:
                    yield carry + block[:end]
                    carry = block[end:]
                else:
                    carry += block
                if len(carry) > MAX_LINE:
                    raise self._too_long(start)
        if carry:
            yield carry
        self.unchanged(digest.hexdigest())

    def unchanged(self, sha256: str) -> None:
        """Raise `DataError` unless the bytes that were read are those that were there at the start."""
        if sha256 != self.sha256 or stamp(self.path) != (self.size, self.modified):
            fix = "let whatever writes it finish, then run again"
            raise DataError(Problem("FILE_CHANGED", "the file changed while it was being read", str(self), fix=fix))

    def _too_long(self, start: int) -> DataError:
        what = f"a line is longer than {MAX_LINE:,} bytes"
        fix = "write one JSON object per line; keep large texts in files of their own"
        return DataError(Problem("LINE_TOO_LONG", what, str(self), got=f"no line end by byte {start:,}", fix=fix))


def open_source(path: Path) -> Source:
    """Return a file's kind, size and hash. Raises `DataError` unless it is readable UTF-8 text or Parquet."""
    try:
        size, modified = stamp(path)
        digest = hashlib.sha256()
        with path.open("rb") as file:
            head = file.read(BLOCK)
            digest.update(head)
            while block := file.read(BLOCK):
                digest.update(block)
    except OSError as exc:
        raise DataError(_unreadable(path, exc)) from exc
    except ValueError as exc:  # a NUL in the name
        raise DataError(Problem("FILE_NAME", "no file can have this name", got=str(path), fix="mend the name")) from exc
    if not head:
        raise DataError(Problem("NO_RECORDS", "no records: the file is empty", str(path), fix="write rows into it"))
    return Source(path, _kind(path, head), size, modified, digest.hexdigest())


def stamp(path: Path) -> tuple[int, int]:
    """Return a file's size in bytes and its modification time in nanoseconds."""
    state = path.stat()
    return state.st_size, state.st_mtime_ns


def _unreadable(path: Path, exc: OSError) -> Problem:
    if isinstance(exc, FileNotFoundError):
        return Problem("FILE_MISSING", "no such file", str(path), fix="check the path")
    if isinstance(exc, IsADirectoryError):
        return Problem("FILE_IS_FOLDER", "this is a folder, not a file", str(path), fix="name a file in it")
    return Problem(
        "FILE_UNREADABLE", f"the file cannot be read: {exc.strerror}", str(path), fix="check its permissions"
    )


def _kind(path: Path, head: bytes) -> FileKind:
    named = KINDS.get(path.suffix.lower())
    if head.startswith(b"PAR1") and named in (None, "parquet"):
        return "parquet"
    for magic, code, what in MAGIC:
        if head.startswith(magic):
            fix = "unpack it first" if code == "COMPRESSED" else "save it as UTF-8"
            raise DataError(Problem(code, f"this is {what}, not {path.suffix or 'text'}", str(path), fix=fix))
    if head.startswith(b"PAR1"):
        fix = "name it .parquet"
        raise DataError(Problem("FILE_KIND", f"this is Parquet, not {path.suffix}", str(path), fix=fix))
    if named is None and head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        return "jsonl"
    if named is None:
        what = "neither the name nor the content says what this file is"
        raise DataError(Problem("FILE_KIND", what, str(path), got=path.suffix, fix="name it .jsonl, .csv or .parquet"))
    if named != "parquet" and _looks_like_utf16(head):
        raise DataError(Problem("WRONG_ENCODING", "this is UTF-16 text, not UTF-8", str(path), fix="save it as UTF-8"))
    return named


def _looks_like_utf16(head: bytes) -> bool:
    """Tell whether every other byte of the beginning is NUL, as in UTF-16 without a byte order mark."""
    start = head[:64]
    return len(start) >= 8 and (set(start[::2]) == {0}) != (set(start[1::2]) == {0})
