"""Rows that a stage made → a stored dataset: content-addressed, immutable, one more version under its name.

```
<home>/datasets/<name>-<use>/<fingerprint>/   rows.parquet rows.sha256 manifest.json [quarantine.jsonl]
<home>/datasets/<name>-<use>/versions.jsonl   one line a version, in the order in which they were made
```
"""

from __future__ import annotations

import re
import shutil
import uuid
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from workbench.datasets import Kind, Manifest, Row, Use
from workbench.errors import DataError, Problem
from workbench.nouns import canonical_bytes
from workbench.reading.hashes import distinct, equal_hashes, fingerprint_of, short_hash
from workbench.reading.stored import StoredDataset, open_dataset, write_rows
from workbench.store.files import flush, moved, write_atomic

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
"""What a dataset may be called: it is a folder's name."""
VERSIONS = "versions.jsonl"


@dataclass(frozen=True)
class Origin:
    """What a dataset is to be called, what it is for, and what it was made from."""

    name: str
    """Name of the dataset, a folder's name."""
    kind: Kind
    """What a row is."""
    use: Use
    """The only purpose it may serve."""
    rule: dict[str, str] = field(default_factory=dict)
    """How it was made, in words a person can repeat."""
    parents: tuple[str, ...] = ()
    """Fingerprints of what it was made from."""
    n_duplicates: int = 0
    """Rows that the maker dropped because an equal one came before."""
    n_quarantined: int = 0
    """Rows that the maker set aside."""


def store_rows(
    rows: Iterable[Row], origin: Origin, home: Path, now: datetime, quarantine: Iterable[bytes] = ()
) -> StoredDataset:
    """Store rows as one more version of a dataset, durably; the same rows have the same folder.

    `rows` are read once and never held; `quarantine` are JSON lines of rows that were set aside, read after the rows.
    Raises `DataError` for a name that no folder can have and for an id that stands twice; then nothing is stored.
    """
    if not NAME.fullmatch(origin.name):
        fix = "use letters, digits, dot, dash and underscore, at most 80"
        raise DataError(Problem("DATASET_NAME", "a dataset cannot have this name", got=repr(origin.name), fix=fix))
    folder = home / "datasets" / f"{origin.name}-{origin.use}"
    work = home / "datasets" / f".new-{uuid.uuid4().hex}"
    work.mkdir(parents=True)
    try:
        count = _Count()
        write_rows(work, count.counted(rows))
        _refuse_twins(work, equal_hashes(count.ids))
        if set_aside := b"".join(line + b"\n" for line in quarantine):
            write_atomic(work / "quarantine.jsonl", set_aside)
        manifest = count.manifest(origin)
        write_atomic(work / "manifest.json", manifest.json_bytes())
        settle(work, folder / manifest.fingerprint)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    remember(folder, manifest, now)
    return open_dataset(folder / manifest.fingerprint, manifest)


def settle(work: Path, target: Path) -> None:
    """Put a finished folder in its place; if the same rows are there already, only this source's faults are renewed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not moved(work, target, "manifest.json") and (work / "quarantine.jsonl").exists():
        write_atomic(target / "quarantine.jsonl", (work / "quarantine.jsonl").read_bytes())


@dataclass
class _Count:
    """What a manifest says of rows, gathered while they pass."""

    digests: bytearray = field(default_factory=bytearray)
    """SHA-256 of each row."""
    ids: array[int] = field(default_factory=lambda: array("Q"))
    """64-bit hash of each id."""
    families: array[int] = field(default_factory=lambda: array("Q"))
    """64-bit hash of each family."""

    def counted(self, rows: Iterable[Row]) -> Iterator[tuple[str, str, str]]:
        """Yield id, family and canonical JSON of each row."""
        for row in rows:
            family = row.family()
            self.ids.append(short_hash(row.id))
            self.digests += row.digest()
            self.families.append(short_hash(family))
            yield row.id, family, canonical_bytes(row.model_dump(mode="json")).decode()

    def manifest(self, origin: Origin) -> Manifest:
        """Return what is stored."""
        return Manifest(
            name=origin.name, kind=origin.kind, use=origin.use, fingerprint=fingerprint_of(self.digests),
            n=len(self.ids), n_groups=distinct(self.families), parents=origin.parents,
            rule={k: v for k, v in origin.rule.items() if v},
            n_duplicates=origin.n_duplicates, n_quarantined=origin.n_quarantined,
        )  # fmt: skip


def _refuse_twins(work: Path, twins: frozenset[int]) -> None:
    """Raise `DataError`, naming one id, where two rows have the same."""
    if not twins:
        return
    import pyarrow.parquet as pq

    ids = pq.read_table(work / "rows.parquet", columns=["id"])["id"].to_pylist()
    found = next(name for name in ids if short_hash(name) in twins)
    what = f"{len(twins):,} ids stand twice among the rows" if len(twins) > 1 else "an id stands twice among the rows"
    raise DataError(Problem("DUPLICATE_ID", what, field="id", got=repr(found), fix="give each row an id of its own"))


def remember(folder: Path, manifest: Manifest, now: datetime) -> None:
    """Add a line to the dataset's versions, flushed before it counts, with the manifest it had when it was made."""
    line = canonical_bytes({"at": now.isoformat(), "manifest": manifest.model_dump(mode="json")})
    with (folder / VERSIONS).open("ab") as file:
        file.write(line + b"\n")
        flush(folder / VERSIONS)
    flush(folder)
