"""What one look found."""

from __future__ import annotations

from typing import Literal

from workbench.nouns import Noun


class Check(Noun):
    """One thing that was looked at."""

    name: str
    """What it is."""
    state: Literal["ok", "note", "skipped", "fault"]
    """`note`: works, but worth knowing · `skipped`: there was nothing to look at · `fault`: has to be mended."""
    found: str
    """What is there."""
    fix: str = ""
    """What to do about it."""
