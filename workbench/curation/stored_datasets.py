"""The datasets of a home folder: which there are, and the one that is meant by a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import ValidationError

from workbench.datasets import Manifest
from workbench.errors import DataError, Problem
from workbench.reading.stored import StoredDataset, open_dataset
from workbench.reading.storing import VERSIONS

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Listed:
    """One version of a stored dataset."""

    path: Path
    """Its folder."""
    manifest: Manifest
    version: int
    """Its number among the dataset's versions, from 1."""
    at: str
    """When it was last made, ISO 8601; empty where nobody wrote it down."""

    @property
    def label(self) -> str:
        """`<name>-<use>`, the name of the folder of its versions."""
        return self.path.parent.name


def datasets_in(home: Path) -> list[Listed]:
    """Return the newest version of every dataset, by name. Folders that are none, or damaged ones, are left out."""
    folder = home / "datasets"
    if not folder.is_dir():
        return []
    newest = (versions_in(path) for path in sorted(folder.iterdir()) if not path.name.startswith("."))
    return [found[-1] for found in newest if found]


def versions_in(folder: Path) -> list[Listed]:
    """Return the versions of one dataset's folder, in the order in which each was last made."""
    made: dict[str, str] = {}
    for at, fingerprint in _made(folder / VERSIONS):
        made.pop(fingerprint, None)
        made[fingerprint] = at
    there = {p.name for p in folder.iterdir() if (p / MANIFEST).is_file()} if folder.is_dir() else set()
    order = [*sorted(there - made.keys()), *(name for name in made if name in there)]
    read = [(name, _manifest(folder / name)) for name in order]
    return [
        Listed(folder / name, manifest, number, made.get(name, ""))
        for number, (name, manifest) in enumerate(read, 1)
        if manifest is not None
    ]


def find_dataset(home: Path, wanted: str) -> StoredDataset:
    """Open the dataset that is meant: `NAME`, `NAME-USE`, either with `@` and a fingerprint's beginning, or a path.

    Without a fingerprint it is the newest version. Raises `DataError` where none or several fit.
    """
    path = Path(wanted)
    if (path / MANIFEST).is_file():
        return open_dataset(path)
    name, _, begins = wanted.partition("@")
    newest = datasets_in(home)
    fitting = [one for one in newest if one.label == name] or [one for one in newest if one.manifest.name == name]
    if begins:
        fitting = [v for one in fitting for v in versions_in(one.path.parent) if v.path.name.startswith(begins)]
    if len(fitting) != 1:
        raise DataError(_not_one(wanted, fitting, newest))
    return open_dataset(fitting[0].path)


def _made(path: Path) -> list[tuple[str, str]]:
    """Return when each version was made, and its fingerprint; a line that was cut off counts as not written."""
    found = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            told = orjson.loads(line)
            found.append((str(told["at"]), str(told["manifest"]["fingerprint"])))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            continue
    return found


def _manifest(folder: Path) -> Manifest | None:
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None


def _not_one(wanted: str, fitting: Sequence[Listed], every: Sequence[Listed]) -> Problem:
    if fitting:
        what = f"{len(fitting)} datasets are meant by this name"
        fix = f"name one of {', '.join(f'{one.label}@{one.path.name[:8]}' for one in fitting)}"
        return Problem("DATASET_AMBIGUOUS", what, got=wanted, fix=fix)
    names = ", ".join(one.label for one in every[:10])
    fix = f"there are: {names}; see workbench data ls" if names else "store one first: workbench data import FILE"
    return Problem("DATASET_UNKNOWN", "no stored dataset has this name", got=wanted, fix=fix)
