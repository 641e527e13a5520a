"""From a name to files: a stored dataset, or labelled records with what people said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from workbench.curation.exporting import Export, Exported, Outgoing, export, export_rows
from workbench.curation.formats.format import Fields
from workbench.curation.stored_datasets import find_dataset
from workbench.errors import DataError, Problem
from workbench.labelling.snapshot import Snapshot
from workbench.labelling.stored_snapshots import PREFIX, find_snapshot
from workbench.reading.stored import StoredDataset


def find_rows(home: Path, name: str) -> StoredDataset | Snapshot:
    """Return the dataset of a name or, where there is none, the records; `records:NAME` means them alone.

    Raises `DataError` where none or several fit.
    """
    if name.startswith(PREFIX):
        if (named := find_snapshot(home, name)) is not None:
            return named
        return find_dataset(home, name)
    try:
        return find_dataset(home, name)
    except DataError as exc:
        found = find_snapshot(home, name) if exc.problems[0].code == "DATASET_UNKNOWN" else None
        if found is None:
            raise
        return found


def export_named(home: Path, name: str, wish: Export) -> tuple[StoredDataset | Snapshot, Exported]:
    """Write what a name means. Raises `DataError`; then nothing is written."""
    found = find_rows(home, name)
    if isinstance(found, StoredDataset):
        return found, export(found, wish)
    done = export_rows(Outgoing("records", str(found.path), found.manifest.n_records, lambda: _rows(found), None), wish)
    if found.manifest.resolution is not None:
        done.lost["resolved"] = found.manifest.n_records  # `label pull --resolve` makes them again
    return found, done


def record_of(snapshot: Snapshot, record_id: str) -> Fields:
    """Return one record as plain data, with its labels. Raises `DataError`."""
    found = next((row for row in _rows(snapshot) if row["id"] == record_id), None)
    if found is None:
        fix = f"see workbench data show {PREFIX}{snapshot.manifest.name}"
        what = "no record has this id"
        raise DataError(Problem("ROW_UNKNOWN", what, str(snapshot.path), got=record_id, fix=fix))
    return found


def _rows(snapshot: Snapshot) -> Iterator[Fields]:
    """Yield each record as plain data, with its labels."""
    said: dict[str, list[Fields]] = defaultdict(list)
    for label in snapshot.labels():
        said[label.record_id].append(label.model_dump(mode="json", exclude={"record_id"}))
    for task in snapshot.tasks():
        yield {**task.model_dump(mode="json", exclude={"suggestions"}), "labels": said.get(task.id, [])}
