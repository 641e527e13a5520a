"""One writer a run: the kernel holds the lock, the file names the owner."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import LockedError


@contextmanager
def owning(folder: Path) -> Iterator[None]:
    """Own `folder` for as long as the block runs.

    The kernel drops the lock when its owner dies, however it dies, so a dead owner is taken over at once.
    Raises `LockedError`, naming the owner's process id, when a living process owns it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            owner = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            raise LockedError(
                f"{folder} is being written by process {owner}; wait for it, or stop it and run this again"
            ) from exc
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def owner_of(folder: Path) -> int | None:
    """Return the process id of the living owner of `folder`, or `None` when nobody owns it."""
    try:
        handle = os.open(folder / "lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(handle, 32).decode("ascii", "replace").strip()
        return int(text) if text.isdigit() else -1
    else:
        return None
    finally:
        os.close(handle)
