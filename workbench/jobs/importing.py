"""`workbench data import` and `validate`: a file or folder becomes datasets, or records with their labels."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from workbench.curation.importing import MAX_PROBLEMS, Check, Imported, Prepared, Watch, Wish, import_datasets, prepare
from workbench.curation.intake import batches
from workbench.curation.row_batches import Batch
from workbench.errors import DataError, Problem
from workbench.labelling.imported import store_imported
from workbench.labelling.snapshot import Snapshot
from workbench.labelling.tasks import Task
from workbench.reading.faults import gravity, told
from workbench.records import Label
from workbench.store.home import Home

LABEL = TypeAdapter(Label)
NAME = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True)
class ImportedRecords:
    """What came of an import of records."""

    imported: Imported
    snapshot: Snapshot


def import_file(
    wish: Wish, home: Home, now: datetime, watch: Watch, *, store: bool = True, check: Check | None = None
) -> Imported | ImportedRecords:
    """Read a file or folder and store what it holds. `store` off: in a folder that is removed again.

    `check` looks at rows of use train before they are stored.

    Raises `DataError` with every fault; then nothing is stored.
    """
    prepared = prepare(wish)
    if not store:
        with tempfile.TemporaryDirectory(prefix="workbench-validate-") as folder:
            return _import(wish, prepared, Home(Path(folder)), now, watch, check, store)
    return _import(wish, prepared, home, now, watch, check, store)


def _import(
    wish: Wish, prepared: Prepared, home: Home, now: datetime, watch: Watch, check: Check | None, store: bool
) -> Imported | ImportedRecords:
    if prepared.recipe.format.kind == "records":
        return _records(wish, prepared, home, now, watch)
    return import_datasets(wish, prepared, home.root, now, watch, store=store, check=check)


@dataclass
class _Records:
    """One pass over records, whose labels wait in a file until the records are written."""

    wish: Wish
    prepared: Prepared
    watch: Watch
    waiting: Path
    digests: dict[int, int] = field(default_factory=dict)
    """Half the hash of each record by half the hash of its id."""
    notes: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    n_rows: int = 0
    n_set_aside: int = 0
    n_duplicates: int = 0

    def tasks(self) -> Iterator[Task]:
        """Yield the records; what was said of them goes to the file."""
        done = 0
        with self.waiting.open("wb") as file:
            for batch in batches(self.prepared.given, self.prepared.recipe):
                self._note(batch)
                fresh = list(self._fresh(batch))
                yield from fresh
                names = {task.id for task in fresh}
                for id, label in batch.labels:
                    if id in names:
                        file.write(orjson.dumps([id, label]) + b"\n")
                done += batch.size
                self.watch(done, self.prepared.given.size)
        self._judge()

    def _fresh(self, batch: Batch) -> Iterator[Task]:
        """Yield records that did not come before."""
        for at, text in enumerate(batch.contents):
            digest = int.from_bytes(batch.digests[32 * at : 32 * at + 8], "big")
            before = self.digests.setdefault(batch.ids[at], digest)
            if len(self.digests) == self.n_known:
                self.n_duplicates += 1
                if before != digest:
                    what, fix = "this id already stands above with other content", "use --new-ids"
                    file = str(self.wish.path)
                    self.problems.append(Problem("DUPLICATE_ID", what, file, batch.lines[at], "id", None, fix))
                continue
            self.n_known += 1
            yield Task.model_validate_json(text)

    n_known: int = 0

    def _note(self, batch: Batch) -> None:
        self.n_rows += len(batch.names) + batch.n_set_aside + batch.dropped.total()
        self.notes += batch.notes
        self.dropped += batch.dropped
        self.n_set_aside += batch.n_set_aside
        self.problems += batch.problems[: max(0, MAX_PROBLEMS - len(self.problems))]

    def labels(self) -> Iterator[Label]:
        """Yield the labels. An export without times has them from the file's own."""
        modified = datetime.fromtimestamp(self.prepared.given.modified / 1e9, UTC).isoformat()
        with self.waiting.open("rb") as file:
            for line in file:
                id, label = orjson.loads(line)
                if not label["at"]:
                    self.notes["TIME_OF_FILE"] += 1
                yield self._label(id, {**label, "at": label["at"] or modified})

    def _label(self, id: str, label: dict[str, Any]) -> Label:
        question = NAME.sub("_", str(label["question"]).lower()).strip("_") or "question"
        try:
            return LABEL.validate_python({**label, "record_id": id, "question": question})
        except ValidationError as exc:
            problem = told(exc, Label, str(self.wish.path), 1)[0]
            raise DataError(replace(problem, line=None, got=f"record {id}")) from exc

    def _judge(self) -> None:
        allowed, found = self.wish.quarantine_share, list(self.problems)
        if self.n_set_aside > allowed * self.n_rows:
            what = f"{self.n_set_aside:,} of {self.n_rows:,} rows cannot be used; allowed share: {allowed:g}"
            fix = "mend them, or allow more with --quarantine-share"
            raise DataError([Problem("ROWS_SET_ASIDE", what, str(self.wish.path), fix=fix), *found])
        if any(gravity(p) == "reject" for p in found):
            raise DataError(found)
        if not self.n_known:
            raise DataError(Problem("NO_RECORDS", "no row became a record", str(self.wish.path), fix="see its format"))


def _records(wish: Wish, prepared: Prepared, home: Home, now: datetime, watch: Watch) -> ImportedRecords:
    folder = home.root / "records" / wish.name
    work = home.root / "records" / f".new-{wish.name}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        taken = _Records(wish, prepared, watch, work / "labels.jsonl")
        snapshot = store_imported(folder, taken.tasks(), taken.labels(), prepared.recipe.format.name, now)
        if taken.problems:
            lines = (orjson.dumps({"line": p.line, "code": p.code, "problem": str(p)}) for p in taken.problems)
            (snapshot.path / "quarantine.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    imported = Imported(
        prepared.recipe.format, prepared.guessed, prepared.given, taken.n_rows, taken.n_set_aside, taken.notes,
        taken.dropped + Counter({"DUPLICATES": taken.n_duplicates}), tuple(taken.problems), (),
    )  # fmt: skip
    return ImportedRecords(imported, snapshot)
