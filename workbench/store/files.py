"""Writing files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import IncompleteRun

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_atomic(path: Path, content: bytes) -> None:
    """Write `content` to `path`: temporary file beside it, flush to disk, rename, flush the folder."""
    with told_when_full(path), replacing(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path`, durably, when the block ends well; else it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not mkstemp: what it makes is closed to everybody else, and stays so after the rename.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        flush(temporary)
        temporary.replace(path)
        flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def moved(work: Path, target: Path, mark: str) -> bool:
    """Move a finished folder to its place, durably; `False` where the same content is there already.

    Whether it is, the file `mark` tells; another process may put it there at this very moment.
    """
    if (target / mark).exists():
        return False
    flush(work)
    try:
        work.rename(target)
    except OSError:
        if not (target / mark).exists():
            raise
        return False
    flush(target.parent)
    return True


def flush(path: Path) -> None:
    """Force a file's content, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def told_when_full(path: Path) -> Iterator[None]:
    """Turn a full disk, quota or file-size limit into an `IncompleteRun` that names the path."""
    try:
        yield
    except OSError as exc:
        if exc.errno not in NO_ROOM:
            raise
        raise no_room(path) from exc


def no_room(path: Path) -> IncompleteRun:
    """Return the error for a path that cannot grow."""
    return IncompleteRun(
        f"no room to write {path}: free some space, then resume the run; "
        "everything acknowledged so far is on disk and will not be paid for again"
    )
