"""Where one row comes from: its sources, up to the records behind it and who said what of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from workbench.datasets import Row, Sample
from workbench.errors import DataError, Problem
from workbench.jobs.atlas import Atlas, bare
from workbench.jobs.lineage import DEEP, Node
from workbench.labelling.snapshot import Snapshot
from workbench.labelling.tasks import Task
from workbench.reading.stored import StoredDataset, open_dataset
from workbench.records import Label, Ranked, Span
from workbench.store.home import RunFolder

REPEAT = re.compile(r"#([0-9]+)$")
TEXT = 300
"""Characters of a text that a node holds."""


def row_lineage(stored: StoredDataset, row_id: str, atlas: Atlas) -> Node:
    """Return a row with all that it rests on. Raises `DataError` where the dataset has no such row."""
    row = find_row(stored, row_id)
    return _row(stored, row, atlas, DEEP)


def find_row(stored: StoredDataset, row_id: str) -> Row:
    """Return the row of an id. Raises `DataError`."""
    found = next((row for row in stored.iter_values() if row.id == row_id), None)
    if found is None:
        fix = f"see workbench data show {stored.path.parent.name}"
        raise DataError(
            Problem("ROW_UNKNOWN", "the dataset has no row with this id", str(stored.path), got=row_id, fix=fix)
        )
    return found


def _row(stored: StoredDataset, row: Row, atlas: Atlas, deep: int) -> Node:
    name = f"{stored.path.parent.name}@{stored.manifest.fingerprint[:12]}/{row.id}"
    if isinstance(row, Sample):
        return Node(kind="row", name=name, note=_cut(row.question()), nodes=tuple(_file(stored)))
    said = row.lineage
    note = ", ".join(filter(None, (said.recipe, "synthetic" if said.synthetic else "", _by(said.annotators))))
    above = [_source(source, atlas, deep - 1) for source in said.sources]
    return Node(kind="row", name=name, note=note, nodes=tuple(above or _file(stored)))


def _file(stored: StoredDataset) -> Iterator[Node]:
    rule = stored.manifest.rule
    if source := rule.get("source") or rule.get("file"):
        yield Node(kind="file", name=source, note=rule.get("format", ""))


def _source(source: str, atlas: Atlas, deep: int) -> Node:
    """Return what a source names: `<dataset, snapshot or run>/<id>`."""
    where, _, name = bare(source).partition("/")
    if deep > 0 and (snapshot := atlas.snapshot(where)) is not None:
        found = next((task for task in snapshot.tasks() if task.id == name), None)
        if found is not None:
            return _record(snapshot, found, atlas, deep)
    if deep > 0 and where in atlas.runs:
        return _sample_of_run(where, name, atlas)
    if deep > 0 and (listed := atlas.dataset(where)) is not None:
        stored = open_dataset(listed.path)
        row = next((row for row in stored.iter_values() if row.id == name), None)
        if row is not None:
            return _row(stored, row, atlas, deep)
    return Node(kind="unknown", name=source, note="not in this home")


def _record(snapshot: Snapshot, task: Task, atlas: Atlas, deep: int) -> Node:
    """Return a record with every label of it, how conflicts were resolved, and where it came from."""
    labels = [_label(label) for label in snapshot.labels() if label.record_id == task.id]
    decided = [
        Node(
            kind="resolved",
            name=f"{one.question}: {in_words(one.value)}",
            note=f"by {one.by or 'nobody'}" + (f", {one.decided_by}: {_cut(one.reason)}" if one.decided_by else ""),
        )
        for one in snapshot.resolved()
        if one.record_id == task.id
    ]
    above = [_source(f"{task.origin}/{task.id}", atlas, deep - 1)] if task.origin else []
    asked = task.messages[-1].content if task.messages else ""
    name = f"{snapshot.manifest.name}@{snapshot.manifest.fingerprint[:12]}/{task.id}"
    return Node(kind="record", name=name, note=_cut(asked), nodes=(*labels, *decided, *above))


def _label(label: Label) -> Node:
    note = f"{label.annotator}, {label.at.isoformat(timespec='seconds')}, guideline {label.guideline}"
    return Node(kind="label", name=f"{label.question}: {in_words(label.value)}", note=note)


def _sample_of_run(run: str, name: str, atlas: Atlas) -> Node:
    """Return what a run answered to a sample, with its scores, and the dataset behind it."""
    repeat = int(found[1]) if (found := REPEAT.search(name)) else 0
    folder, sample = RunFolder(atlas.home.runs / run), REPEAT.sub("", name)
    scores: list[Node] = []
    answer = ""
    if folder.samples.exists() and folder.scores.exists():
        answer = next((str(row["output"] or row["failure"]) for row in _table(folder, "samples", sample, repeat)), "")
        scores = [
            Node(
                kind="score",
                name=f"{row['scorer']}: {row['failure'] or format(row['value'], 'g')}",
                note=_cut(row["reason"] or ""),
            )
            for row in _table(folder, "scores", sample, repeat)
        ]
    dataset = atlas.runs[run].spec.get("dataset")
    behind = (
        [
            Node(
                kind="sample",
                name=f"{dataset.get('name')}-{dataset.get('use')}@{str(dataset.get('fingerprint'))[:12]}/{sample}",
            )
        ]
        if isinstance(dataset, dict)
        else []
    )
    return Node(kind="run", name=f"{run}/{name}", note=_cut(answer), nodes=(*scores, *behind))


def _table(folder: RunFolder, table: str, sample: str, repeat: int) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    path = folder.samples if table == "samples" else folder.scores
    wanted = [("sample_id", "=", sample), ("repeat", "=", repeat)]
    rows: list[dict[str, Any]] = pq.read_table(path, filters=wanted, use_threads=False).to_pylist()
    return rows


def _by(annotators: tuple[str, ...]) -> str:
    return f"by {', '.join(annotators)}" if annotators else ""


def in_words(value: Any) -> str:
    """Return an answer in words."""
    if isinstance(value, tuple) and value and isinstance(value[0], Ranked):
        return " > ".join(one.value for one in sorted(value, key=lambda one: one.rank))
    if isinstance(value, tuple) and value and isinstance(value[0], Span):
        return ", ".join(f"{one.label} {one.start}–{one.end}" for one in value)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"
