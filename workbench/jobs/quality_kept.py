"""Profiles that were made, kept by what can change them, so that a page shows one without reading the rows again.

`<home>/cache/quality/<key>.json`; texts in them are masked. Safe to delete.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from workbench.config.workbench_yaml import Workbench
from workbench.curation.quality.profile import Profile
from workbench.nouns import fingerprint
from workbench.store.files import write_atomic

VERSION = 1
"""Raised when a filter's rule changes."""


def kept_profile(bench: Workbench, rows: str, settings: str) -> Profile | None:
    """Return the profile of rows (their fingerprint) under settings, if one was made."""
    try:
        return Profile.model_validate_json(_file(bench, rows, settings).read_bytes())
    except (OSError, ValidationError):
        return None


def keep_profile(bench: Workbench, rows: str, settings: str, found: Profile) -> None:
    """Keep a profile."""
    write_atomic(_file(bench, rows, settings), found.json_bytes())


def _file(bench: Workbench, rows: str, settings: str) -> Path:
    return bench.home.cache / "quality" / f"{fingerprint([VERSION, rows, settings])}.json"
