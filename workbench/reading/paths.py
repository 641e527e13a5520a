"""The one rule for paths that an evalset names: they stay inside its folder, on every system."""

from __future__ import annotations

import re
from pathlib import Path

RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)([ .].*)?", re.IGNORECASE)
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]|%2e|%2f|%5c|%00', re.IGNORECASE)
MAX_NAME = 255
"""Bytes of the longest part of a path."""
MAX_PATH = 1024
"""Bytes of the longest path, which some systems cannot exceed."""


def outside(folder: Path, name: str) -> str:
    """Return why `name` is no path inside `folder` on every system; empty if it is. Links are followed."""
    if not name.strip():
        return "the path is empty"
    if len(name.encode()) > MAX_PATH:
        return f"the path is longer than {MAX_PATH:,} bytes"
    if name.startswith(("/", "~")):
        return "the path must be relative to the folder"
    if FORBIDDEN.search(name):
        return "the path holds a character that not every system allows in names"
    for part in name.split("/"):
        if why := _bad_part(part):
            return why
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # RuntimeError is how Python 3.11 and 3.12 tell a loop of links
        return "the path goes round in a circle of links"
    return "" if inside else "the path leads out of the folder through a link"


def _bad_part(part: str) -> str:
    if part == "..":
        return "the path leaves the folder"
    if not part or (part != "." and part != part.rstrip(" .")):
        return "the path has an empty part, or one that ends in a dot or space"
    if RESERVED.fullmatch(part):
        return "the path holds a name that Windows reserves"
    return f"a name in the path is longer than {MAX_NAME} bytes" if len(part.encode()) > MAX_NAME else ""
