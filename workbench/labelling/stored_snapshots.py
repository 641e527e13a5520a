"""The labelled records of a home folder: which there are, and the snapshot that is meant by a name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import ValidationError

from workbench.errors import DataError, Problem
from workbench.labelling.snapshot import LATEST, MANIFEST, Pulled, Snapshot, read_snapshot

PREFIX = "records:"
"""Stands before a name that could be a dataset's too."""


@dataclass(frozen=True)
class ListedSnapshot:
    """What was pulled or imported last under a name."""

    path: Path
    """Its folder."""
    manifest: Pulled
    n_versions: int
    """Snapshots under this name."""
    at: str
    """When it was last pulled or imported, ISO 8601."""


def snapshots_in(home: Path) -> list[ListedSnapshot]:
    """Return the latest snapshot of every name, by name. Folders that are none, or damaged ones, are left out."""
    folder = home / "records"
    names = sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    return [found for path in names if (found := _latest(path)) is not None]


def find_snapshot(home: Path, wanted: str) -> Snapshot | None:
    """Return the snapshot that is meant: `NAME`, with `@` and a fingerprint's beginning an older one; `None` for none.

    Raises `DataError` where several fit, or it is damaged.
    """
    name, _, begins = wanted.removeprefix(PREFIX).partition("@")
    if "/" in name or name in ("", ".", "..") or not (home / "records" / name).is_dir():
        return None
    folder = home / "records" / name
    if not begins:
        latest = _latest(folder)
        return None if latest is None else read_snapshot(latest.path)
    fitting = sorted(p.parent for p in folder.glob(f"*/{MANIFEST}") if p.parent.name.startswith(begins))
    if len(fitting) > 1:
        fix = f"name one of {', '.join(f'{name}@{path.name[:8]}' for path in fitting)}"
        raise DataError(Problem("DATASET_AMBIGUOUS", f"{len(fitting)} snapshots are meant", got=wanted, fix=fix))
    return read_snapshot(fitting[0]) if fitting else None


def _latest(folder: Path) -> ListedSnapshot | None:
    try:
        told = orjson.loads((folder / LATEST).read_bytes())
        path = folder / str(told["fingerprint"])
        manifest = Pulled.model_validate_json((path / MANIFEST).read_bytes())
    except (OSError, orjson.JSONDecodeError, ValidationError, KeyError, TypeError):
        return None
    n = sum(1 for _ in folder.glob(f"*/{MANIFEST}"))
    return ListedSnapshot(path, manifest, n, str(told.get("pulled_at", manifest.pulled_at)))
