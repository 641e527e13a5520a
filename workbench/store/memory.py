"""Memory that one stage of a run has freed goes back to the system before the next one begins."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Hand freed memory back to the system.

    glibc keeps free pages that lie below anything still in use, some MB after a long stage, and the next stage asks for
    blocks of other sizes. Other C libraries have no such call, and need none.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
