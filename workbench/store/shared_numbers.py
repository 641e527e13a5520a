"""A few numbers that all processes of one home share: a file of doubles behind the kernel's lock."""

from __future__ import annotations

import fcntl
import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SharedNumbers:
    """A short list of numbers; `held` gives it to one process at a time, for as long as its block lasts.

    Nothing is flushed to the disk: the numbers mean nothing after a restart of the machine.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @contextmanager
    def held(self) -> Iterator[list[float]]:
        """Yield the numbers, none at the first use; what the list holds when the block ends well is kept."""
        file = self._opened()
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            numbers = array("d")
            kept = os.pread(file, 4096, 0)
            numbers.frombytes(kept[: len(kept) // numbers.itemsize * numbers.itemsize])
            values = numbers.tolist()
            yield values
            os.pwrite(file, array("d", values).tobytes(), 0)
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        return self._file
