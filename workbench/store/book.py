"""A book of what was done: lines are only added, flushed before they count, and chained by digests.

Each line holds its number, the digest of the line before and its own; `<name>.head` beside the file holds the last
line's. An edited, moved or removed line is found, the last one too. Whoever rewrites the whole book can make it fit
again: protect the branch or bucket that keeps it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from workbench.errors import DataError, Problem
from workbench.nouns import Noun, canonical_bytes
from workbench.store.files import flush, told_when_full, write_atomic
from workbench.store.lock import owning

FIX = "put the records back as they were written; they are never edited"
R = TypeVar("R", bound=Noun)
KEPT = 8
"""Books whose records are remembered."""
_CHECKED: dict[Path, tuple[int, bytes, str, tuple[Any, ...]]] = {}
"""What was read and found whole: size, digest, what a record is, and the records. A book grows line by line and is read
before each of them; bytes that hash to the same are not read again, so that a long one takes no longer than a short."""


class Link(Noun):
    """What ties a line to the one before."""

    n: int
    """Number of the line, from 1."""
    before: str
    """Digest of the line before; empty in the first."""
    digest: str
    """SHA-256 over the whole line but this field, as 64 hex digits."""


class Head(Noun):
    """What the head holds: how long the book is, at least, and how its line there ends."""

    n: int
    """Number of the last line that was acknowledged."""
    digest: str
    """Its digest."""


class Book(Generic[R]):
    """Records of one type, or of a union that says which is which, oldest first."""

    def __init__(self, file: Path, records: TypeAdapter[R], what: str, code: str = "BOOK_RECORD") -> None:
        """`what` names a record in errors, such as "a record of a gate"; `code` is theirs in docs/errors.md."""
        self.file, self.adapter, self.what, self.code = file, records, what, code
        self.head = file.with_suffix(".head")

    def records(self) -> list[R]:
        """Read every record. A last line without its end was never acknowledged and does not count.

        Raises `DataError` naming the line for one that is no record, was edited, or is missing.
        """
        return [record for record, _ in self._linked()]

    def add(self, record: R) -> None:
        """Append a record; when this returns, it is on the disk. Raises `LockedError`, `DataError`, `IncompleteRun`."""
        with told_when_full(self.file), owning(self.file.parent):
            chain = self._linked()
            plain = record.model_dump(mode="json")
            link = _link(plain, len(chain) + 1, chain[-1][1].digest if chain else "")
            with self.file.open("ab") as file:
                self._cut_torn_tail()
                file.write(orjson.dumps({**plain, **link.model_dump()}) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            flush(self.file.parent)
            write_atomic(self.head, Head(n=link.n, digest=link.digest).json_bytes())

    def _linked(self) -> list[tuple[R, Link]]:
        content = self.file.read_bytes() if self.file.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        size, found = self._known(whole)
        for at, line in enumerate(whole[size:].split(b"\n")[:-1], len(found) + 1):
            found.append(self._read(at, line, found[-1][1] if found else None))
        self._refuse_shortened([link for _, link in found])
        if len(whole) > size:
            _CHECKED.pop(next(iter(_CHECKED)) if len(_CHECKED) >= KEPT else self.file, None)
            _CHECKED[self.file] = (len(whole), hashlib.sha256(whole).digest(), self.what, tuple(found))
        return found

    def _known(self, content: bytes) -> tuple[int, list[tuple[R, Link]]]:
        """Return how many bytes were checked before and are still the same, and their records."""
        size, digest, what, found = _CHECKED.get(self.file, (0, b"", "", ()))
        same = what == self.what and size <= len(content) and hashlib.sha256(content[:size]).digest() == digest
        return (size, list(found)) if same else (0, [])

    def _read(self, at: int, line: bytes, before: Link | None) -> tuple[R, Link]:
        try:
            plain: Any = orjson.loads(line)
            link = Link.model_validate({name: plain.pop(name, None) for name in Link.model_fields})
            record = self.adapter.validate_python(plain)
        except ValidationError as exc:
            raise self._fault(at, f"not {self.what}: {exc.errors()[0]['msg']}") from exc
        except (orjson.JSONDecodeError, AttributeError, TypeError) as exc:
            raise self._fault(at, f"not {self.what}: {str(exc).splitlines()[0]}") from exc
        if link.n != at:
            raise self._fault(at, f"record {at} is missing: record {link.n} stands here")
        if link.digest != _link(plain, link.n, link.before).digest:
            raise self._fault(at, "this record was edited: it does not give the digest that it holds")
        if link.before != (before.digest if before else ""):
            raise self._fault(max(at - 1, 1), f"this record was replaced: record {at} was written after another one")
        return record, link

    def _refuse_shortened(self, links: list[Link]) -> None:
        """Raise `DataError` where the book ends before the last line that was acknowledged."""
        if not self.head.exists():
            if len(links) > 1:  # one line without a head is what a crash after the first leaves
                raise self._fault(len(links), f"{self.head.name} is gone, which says where the book ends")
            return
        try:
            head = Head.model_validate_json(self.head.read_bytes())
        except ValidationError as exc:
            raise DataError(Problem(self.code, "not what was written", file=str(self.head), fix=FIX)) from exc
        if len(links) < head.n:
            raise self._fault(len(links) + 1, f"records {len(links) + 1} to {head.n} are missing at the end")
        if links[head.n - 1].digest != head.digest:
            raise self._fault(head.n, f"this record was replaced: {self.head.name} holds another digest")

    def _fault(self, at: int, what: str) -> DataError:
        return DataError(Problem(self.code, what, file=str(self.file), line=at, fix=FIX))

    def _cut_torn_tail(self) -> None:
        """Drop what a crash left behind the last whole line."""
        content = self.file.read_bytes()
        os.truncate(self.file, content.rfind(b"\n") + 1)


def _link(record: dict[str, Any], n: int, before: str) -> Link:
    digest = hashlib.sha256(canonical_bytes({**record, "n": n, "before": before})).hexdigest()
    return Link(n=n, before=before, digest=digest)
