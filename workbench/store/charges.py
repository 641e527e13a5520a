"""What a run was charged, kept the moment a reply has arrived: no kill forgets money that is known to be spent.

The journal has the cost of what became an answer or a score. It lacks that of a request which ended in an error, of an
answer that reached the cache but not the journal, and of failures that are asked again. Here every charge is a line.
Nothing is flushed to the disk: a power cut may cost the last of them, but never those that the journal has too.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from types import TracebackType


class Charges:
    """A file of sums of money, one a line, only added to. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.before = 0.0
        """What was charged until the file was opened."""

    def __enter__(self) -> Charges:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]  # a line that a full disk cut short would garble the next
        os.ftruncate(self._file, len(whole))
        self.before = math.fsum(float(line) for line in whole.split())
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        os.close(self._file)

    def add(self, cost: float) -> None:
        """Keep a charge; it survives the death of the process. Raises `OSError` when the disk is full."""
        os.write(self._file, f"{cost!r}\n".encode())
