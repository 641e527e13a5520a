"""What a home folder holds, by the names by which things tell of each other: versions, snapshots, runs, trainings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from workbench.curation.stored_datasets import Listed, versions_in
from workbench.errors import DataError
from workbench.labelling.snapshot import MANIFEST, Snapshot, latest_snapshot, read_snapshot
from workbench.store.home import Home

PREFIXES = ("run:", "evalset:", "records:", "dataset:", "snapshot:")


@dataclass(frozen=True)
class Told:
    """A run or a training, as far as its spec tells."""

    id: str
    """Its folder's name."""
    spec: dict[str, Any]
    """What `spec.json` holds."""
    text: str
    """The same as text, in which fingerprints and paths are looked for."""


@dataclass(frozen=True)
class Atlas:
    """A home folder, read when it is asked for."""

    home: Home

    @cached_property
    def versions(self) -> dict[str, list[Listed]]:
        """Every version of every dataset by its fingerprint; two datasets may have the same rows."""
        found: dict[str, list[Listed]] = {}
        folders = sorted(self.home.datasets.iterdir()) if self.home.datasets.is_dir() else []
        for folder in folders:
            if not folder.name.startswith("."):
                for listed in versions_in(folder):
                    found.setdefault(listed.manifest.fingerprint, []).append(listed)
        return found

    @cached_property
    def snapshots(self) -> dict[str, Path]:
        """Folders of snapshots by fingerprint."""
        return {path.parent.name: path.parent for path in sorted((self.home.root / "records").glob(f"*/*/{MANIFEST}"))}

    @cached_property
    def runs(self) -> dict[str, Told]:
        """Evaluation runs by id."""
        return {told.id: told for told in _told(self.home.runs)}

    @cached_property
    def trainings(self) -> dict[str, Told]:
        """Training runs by id."""
        return {told.id: told for told in _told(self.home.root / "training")}

    def dataset(self, name: str) -> Listed | None:
        """Return the dataset that a source names: `<name>-<use>` or `<name>`, either with `@` and a fingerprint."""
        label, _, begins = name.partition("@")
        every = [one for several in self.versions.values() for one in several]
        fitting = [one for one in every if one.label == label] or [one for one in every if one.manifest.name == label]
        fitting = [one for one in fitting if one.path.name.startswith(begins)]
        return max(fitting, key=lambda one: (one.at, one.version), default=None)

    def snapshot(self, name: str) -> Snapshot | None:
        """Return the snapshot that a source names: `<name>`, the last one, or `<name>@<fingerprint>`."""
        label, _, begins = name.partition("@")
        folder = self.home.root / "records" / label
        if "/" in label or not folder.is_dir():
            return None
        try:
            if not begins:
                return latest_snapshot(folder)
            fitting = [path for path in self.snapshots.values() if path.parent == folder]
            path = next((path for path in fitting if path.name.startswith(begins)), None)
            return None if path is None else read_snapshot(path)
        except DataError:
            return None


def bare(name: str) -> str:
    """Return a source's name without the word that says what it is."""
    return next((name.removeprefix(prefix) for prefix in PREFIXES if name.startswith(prefix)), name)


def _told(folder: Path) -> Iterator[Told]:
    for path in sorted(folder.glob("*/spec.json")):
        try:
            raw = path.read_bytes()
            spec = orjson.loads(raw)
        except (OSError, orjson.JSONDecodeError):
            continue  # a damaged run is told by `eval ls`; lineage leaves it out
        if isinstance(spec, dict):
            yield Told(path.parent.name, spec, raw.decode("utf-8", "replace"))
