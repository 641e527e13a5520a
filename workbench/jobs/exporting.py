"""From a name to files: a stored dataset, or labelled records with what people said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from workbench.curation.exporting import Export, Exported, Outgoing, export, export_rows
from workbench.curation.formats.format import Fields
from workbench.curation.stored_datasets import find_dataset
from workbench.errors import DataError, Problem
from workbench.labelling.resolving import Resolved
from workbench.labelling.snapshot import Snapshot
from workbench.labelling.stored_snapshots import PREFIX, find_snapshot
from workbench.reading.stored import StoredDataset
from workbench.records import Label


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
    outgoing = Outgoing("records", str(found.path), found.manifest.n_records, lambda: _rows(found), None)
    return found, export_rows(outgoing, wish)


def record_of(snapshot: Snapshot, record_id: str) -> Fields:
    """Return one record as plain data, with what was said of it. Raises `DataError`."""
    found = next((row for row in _rows(snapshot) if row["id"] == record_id), None)
    if found is None:
        fix = f"see workbench data show {PREFIX}{snapshot.manifest.name}"
        what = "no record has this id"
        raise DataError(Problem("ROW_UNKNOWN", what, str(snapshot.path), got=record_id, fix=fix))
    return found


def _rows(snapshot: Snapshot) -> Iterator[Fields]:
    """Yield each record as plain data, with its labels and, where conflicts were resolved, the one answer of each."""
    labels, resolved = _by_record(snapshot.labels()), _by_record(snapshot.resolved())
    for task in snapshot.tasks():
        row = {**task.model_dump(mode="json", exclude={"suggestions"}), "labels": labels.get(task.id, [])}
        yield row | ({"resolved": resolved[task.id]} if task.id in resolved else {})


def _by_record(said: Iterable[Label] | Iterable[Resolved]) -> dict[str, list[Fields]]:
    found: dict[str, list[Fields]] = defaultdict(list)
    for one in said:
        found[one.record_id].append(one.model_dump(mode="json", exclude={"record_id"}))
    return found
