"""Snapshots: what a labelling server held at one moment, as two tables and a manifest that never change again.

```
<home>/records/<name>/<fingerprint>/   records.parquet labels.parquet manifest.json [resolved.parquet]
<home>/records/<name>/latest.json      which one was pulled last
```
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from workbench.errors import DataError, LabellingError, Problem
from workbench.labelling.pushing import KEPT
from workbench.labelling.questions import SpanQuestion
from workbench.labelling.resolving import Decision, Resolution, Resolved, resolve
from workbench.labelling.server import Answer, RemoteDataset, RemoteRecord
from workbench.labelling.tables import LABELS, RECORDS, RESOLVED, read_rows, write_rows
from workbench.labelling.tasks import Task
from workbench.labelling.templates import Form
from workbench.labelling.wire import answer_value, marked_text, unblinded
from workbench.nouns import Noun, canonical_bytes, fingerprint_set
from workbench.records import Label
from workbench.store.files import sha256_of, write_atomic

MANIFEST = "manifest.json"
LATEST = "latest.json"
LABEL = TypeAdapter(Label)


class Pulled(Noun):
    """What a snapshot is: its manifest."""

    name: str
    """Name of the dataset on the server."""
    fingerprint: str
    """Content hash of records and labels."""
    form: Form
    """What annotators saw and were asked."""
    overlap: int
    """Submitted answers that a record needs."""
    seed: str = ""
    """Seed of the order in which candidates were shown."""
    n_records: int = Field(ge=0)
    """Records, labelled or not."""
    n_labelled: int = Field(ge=0)
    """Records with at least one submitted answer."""
    n_complete: int = Field(ge=0)
    """Records with as many submitted answers as `overlap`."""
    n_labels: int = Field(ge=0)
    """Labels: one per submitted answer and answered question."""
    n_submitted: int = Field(ge=0)
    """Submitted answers: one per record and annotator."""
    n_drafts: int = Field(ge=0)
    """Answers begun and not submitted; they are left out."""
    n_discarded: int = Field(ge=0)
    """Records that an annotator discarded; left out."""
    annotators: dict[str, int]
    """Submitted answers by annotator."""
    pulled_at: str
    """ISO 8601 time, UTC."""
    files: dict[str, str]
    """SHA-256 of each table."""
    resolution: Resolution | None = None
    """How conflicts were resolved into `resolved.parquet`; `None`: they were not."""
    resolved: dict[str, int] = {}
    """Questions about records by the policy that decided; `undecided` where none did."""
    queue: str = ""
    """Fingerprint of the adjudicators' snapshot."""


@dataclass(frozen=True)
class Snapshot:
    """A pulled dataset."""

    path: Path
    """Its folder."""
    manifest: Pulled
    """What it is."""

    def tasks(self) -> list[Task]:
        """Return the records, oldest first, with what was shown beside them."""
        return [Task.model_validate(row) for row in read_rows(self.path / RECORDS)]

    def resolved(self) -> list[Resolved]:
        """Return one answer per record and question; empty where conflicts were not resolved."""
        path = self.path / RESOLVED
        return [Resolved.model_validate(row) for row in read_rows(path)] if self.manifest.resolution else []

    def labels(self) -> list[Label]:
        """Return the labels, in the order of the records."""
        rows = read_rows(self.path / LABELS)
        wanted = Label.model_fields.keys()
        return [LABEL.validate_python({key: row[key] for key in wanted}) for row in rows]


@dataclass(frozen=True)
class Settling:
    """How conflicts of a pulled dataset are resolved, and what adjudicators decided."""

    how: Resolution
    decisions: Sequence[Decision] = ()
    queue: str = ""
    """Fingerprint of the snapshot that the decisions are from."""


def store_snapshot(
    folder: Path,
    dataset: RemoteDataset,
    records: Sequence[RemoteRecord],
    names: dict[str, str],
    settling: Settling | None = None,
) -> Snapshot:
    """Write what was pulled into a folder of its own below `folder`; the same content has the same one.

    `names` are user names by id. Raises `LabellingError` for records and answers that this project did not ask for.
    """
    tasks = [_task(dataset, record) for record in records]
    labels = [label for record in records for label in _labels(dataset, record, names)]
    found = () if settling is None else resolve(labels, settling.decisions, settling.how)
    nouns: list[Noun] = [*tasks, *labels, *found, *([] if settling is None else [settling.how])]
    fingerprint = fingerprint_set(sha256(canonical_bytes(noun.model_dump(mode="json"))).digest() for noun in nouns)
    path = folder / fingerprint
    if not (path / MANIFEST).exists():
        order = {task.id: place for place, task in enumerate(tasks)}
        write_rows(path / RECORDS, tasks)
        write_rows(path / LABELS, sorted(labels, key=lambda label: (order[label.record_id], label.annotator)))
        manifest = _manifest(dataset, records, names, fingerprint, len(labels), path)
        if settling is not None:
            write_rows(path / RESOLVED, found)
            manifest = manifest.model_copy(update=_settled(settling, found, path))
        write_atomic(path / MANIFEST, orjson.dumps(manifest.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
    write_atomic(folder / LATEST, orjson.dumps({"fingerprint": fingerprint, "pulled_at": _now()}))
    return read_snapshot(path)


def latest_snapshot(folder: Path) -> Snapshot:
    """Return what was pulled last. Raises `DataError`."""
    try:
        name = orjson.loads((folder / LATEST).read_bytes())["fingerprint"]
    except FileNotFoundError as exc:
        fix = f"pull it: workbench label pull {folder.name}"
        raise DataError(Problem("NOT_PULLED", "this dataset was not pulled yet", str(folder), fix=fix)) from exc
    return read_snapshot(folder / name)


def read_snapshot(path: Path) -> Snapshot:
    """Return a stored snapshot. Raises `DataError` where a file is not what was written."""
    fix = "remove the folder and pull again"
    try:
        manifest = Pulled.model_validate_json((path / MANIFEST).read_bytes())
        wrong = [name for name, hashed in manifest.files.items() if sha256_of(path / name) != hashed]
    except (OSError, ValidationError) as exc:
        why = f"the snapshot is damaged: {str(exc).splitlines()[0]}"
        raise DataError(Problem("DATASET_DAMAGED", why, str(path), fix=fix)) from exc
    if wrong:
        raise DataError(
            Problem("DATASET_DAMAGED", "the table is not the one that was pulled", str(path / wrong[0]), fix=fix)
        )
    return Snapshot(path, manifest)


def _task(dataset: RemoteDataset, record: RemoteRecord) -> Task:
    """Return what the record was made from."""
    try:
        task = Task.model_validate(record.metadata[KEPT]["record"])
    except (KeyError, TypeError, ValidationError) as exc:
        raise LabellingError(
            f"record '{record.id}' of the dataset '{dataset.name}' was not pushed by workbench, or was changed since; "
            "delete it in Argilla, or push it anew"
        ) from exc
    return task


def _labels(dataset: RemoteDataset, record: RemoteRecord, names: dict[str, str]) -> Iterable[Label]:
    for answer in record.answers:
        if answer.status == "submitted":
            yield from _said(dataset, record, answer, names.get(answer.user, answer.user))


def _said(dataset: RemoteDataset, record: RemoteRecord, answer: Answer, annotator: str) -> Iterable[Label]:
    """Yield a label per answered question, in the form's order."""
    form, order = dataset.about.form, record.metadata[KEPT]["order"]
    for question in form.questions:
        raw = (answer.values.get(question.name) or {}).get("value")
        if raw is None:
            continue
        text = marked_text(record.fields.get(question.field, "")) if isinstance(question, SpanQuestion) else ""
        try:
            value = unblinded(answer_value(raw, question, text), question, order)
        except (ValueError, KeyError, TypeError) as exc:
            raise LabellingError(
                f"the answer of '{annotator}' to '{question.name}' of record '{record.id}' in '{dataset.name}' is none "
                f"that its template knows: {exc}; was the question changed in Argilla?"
            ) from exc
        at = datetime.fromisoformat(answer.updated).replace(tzinfo=UTC)
        yield Label(
            record_id=record.id,
            question=question.name,
            value=value,
            annotator=annotator,
            guideline=form.version,
            at=at,
        )


def _manifest(
    dataset: RemoteDataset, records: Sequence[RemoteRecord], names: dict[str, str], fingerprint: str, n: int, path: Path
) -> Pulled:
    answers = [(record.id, answer) for record in records for answer in record.answers]
    states = Counter(answer.status for _, answer in answers)
    submitted = [(id, answer) for id, answer in answers if answer.status == "submitted"]
    each = Counter(id for id, _ in submitted)
    by = Counter(names.get(answer.user, answer.user) for _, answer in submitted)
    return Pulled(
        name=dataset.name,
        fingerprint=fingerprint,
        form=dataset.about.form,
        overlap=dataset.about.overlap,
        seed=dataset.about.seed,
        n_records=len(records),
        n_labelled=len(each),
        n_complete=sum(k >= dataset.about.overlap for k in each.values()),
        n_labels=n,
        n_submitted=states["submitted"],
        n_drafts=states["draft"],
        n_discarded=states["discarded"],
        annotators=dict(sorted(by.items())),
        pulled_at=_now(),
        files={name: sha256_of(path / name) for name in (RECORDS, LABELS)},
    )


def _settled(settling: Settling, found: Sequence[Resolved], path: Path) -> dict[str, object]:
    """Return what the manifest says of resolved conflicts."""
    files = {name: sha256_of(path / name) for name in (RECORDS, LABELS, RESOLVED)}
    by = Counter(one.by or "undecided" for one in found)
    return {"resolution": settling.how, "resolved": dict(by), "queue": settling.queue, "files": files}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
