"""Where an evalset's samples come from: what people said of records, what runs failed on, stored samples, documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from workbench.curation.evalsets.choosing import Candidate, Left
from workbench.curation.evalsets.documents import read_documents
from workbench.datasets import Sample
from workbench.errors import DataError, Problem
from workbench.evaluation.run import read_run
from workbench.labelling.resolving import Resolved
from workbench.labelling.snapshot import Snapshot
from workbench.labelling.tasks import Task
from workbench.reading.stored import StoredDataset
from workbench.records import Message, Passage, Record
from workbench.store.home import RunFolder

GOOD, PASSED, UNFIT = ("good",), ("pass",), ("drop", "unclear")
"""Verdicts: the reference is right; the model's answer is right; the record is not fit for a question."""
ANSWERS = ("answer", "corrected", "edited", "edit", "correction")
"""Questions that ask people for the whole right answer, of which the first that was answered counts."""
TWO = 2
"""People who must have said the same, where no adjudicator decided."""


def from_labels(snapshot: Snapshot) -> tuple[list[Candidate], list[Left]]:
    """Return the records whose answer people settled: adjudicated, or said by two alike. Raises `DataError`."""
    if snapshot.manifest.resolution is None:
        fix = f"pull it again: workbench label pull {snapshot.manifest.name} --resolve adjudicated,unanimous"
        raise DataError(
            Problem("NOT_RESOLVED", "conflicts of this snapshot were not resolved", str(snapshot.path), fix=fix)
        )
    settled: dict[str, dict[str, Resolved]] = defaultdict(dict)
    for one in snapshot.resolved():
        settled[one.record_id][one.question] = one
    name = f"{snapshot.manifest.name}@{snapshot.manifest.fingerprint[:12]}"
    found: list[Candidate] = []
    left: list[Left] = []
    for task in snapshot.tasks():
        sample = _labelled(task, settled.get(task.id, {}))
        if isinstance(sample, Left):
            left.append(sample)
        else:
            found.append(Candidate(sample, f"{name}/{task.id}", by_people=True))
    return found, left


def from_failures(folder: RunFolder, ids: Collection[str] | None = None) -> list[Candidate]:
    """Return the samples that a finished run failed on, with their families; or those of `ids`, whatever it scored.

    Raises `DataError` for a gate run.
    """
    import pyarrow.parquet as pq

    run = read_run(folder)
    if run.spec.use == "gate":
        fix = "write new questions of the same kind, and label them; `workbench failures find` shows them"
        what = "what a gate asks becomes no sample elsewhere: its failures may only give ideas for new records"
        raise DataError(Problem("GATE_FAILURES", what, folder.id, fix=fix))
    if ids is None:
        scores = pq.read_table(folder.scores, columns=["sample_id", "value"], use_threads=False).to_pylist()
        ids = {row["sample_id"] for row in scores if row["value"] == 0}
    rows = pq.read_table(folder.samples, use_threads=False).to_pylist()
    first = {row["sample_id"]: row for row in rows if row["sample_id"] in ids and row["repeat"] == 0}
    return [Candidate(_failed(row), f"{folder.id}/{name}", by_people=False) for name, row in first.items()]


def from_dataset(stored: StoredDataset) -> list[Candidate]:
    """Return stored samples. Raises `DataError` for rows of another kind."""
    if stored.manifest.kind != "samples":
        fix = "evalsets are made of samples; see workbench data ls"
        raise DataError(Problem("DATASET_KIND", f"it holds {stored.manifest.kind}", str(stored.path), fix=fix))
    name = f"{stored.path.parent.name}@{stored.manifest.fingerprint[:12]}"
    rows = (row for row in stored.iter_values() if isinstance(row, Sample))
    return [Candidate(row, f"{name}/{row.id}", by_people=False) for row in rows]


def skeletons(folder: Path) -> Iterator[Record]:
    """Yield a record for each passage of a folder's documents, for people or a recipe to write its question."""
    for passage in read_documents(folder):
        asked = f"Write a question that this passage of “{passage.title}” answers."
        yield Record(
            id=passage.id,
            messages=(Message(role="user", content=asked),),
            contexts=(Passage(id=passage.id, text=passage.text),),
            origin=f"documents:{folder.name}",
            group=f"passage:{passage.id}",
            tags={"document": passage.document, "skeleton": "true"},
        )


def _labelled(task: Task, said: Mapping[str, Resolved]) -> Sample | Left:
    """Return a record as a sample with the answer that people settled, or why it is none."""
    verdict = said.get("verdict")
    if not any(_firm(one) for one in said.values()):
        return Left(task.id, "no adjudicated answer, and no two people who say the same" if said else "not labelled")
    if task.tags.get("skeleton") == "true":
        return Left(task.id, "a skeleton has no question yet")
    if verdict is not None and (not _firm(verdict) or verdict.value in UNFIT):
        return Left(task.id, "people found it unfit" if _firm(verdict) else "its verdict is not settled")
    answer = _answer(task, said)
    if not answer:
        return Left(task.id, "no person's answer, and none that people found right")
    try:
        return Sample(id=task.id, group=task.group, messages=task.messages, references=(answer,),
                      contexts=task.contexts, tags=task.tags)  # fmt: skip
    except ValidationError as exc:
        return Left(task.id, exc.errors()[0]["msg"])


def _firm(one: Resolved) -> bool:
    """Return whether an adjudicator decided, or two people or more by the policy that did."""
    return one.by == "adjudicated" or (one.by is not None and len(one.annotators) >= TWO)


def _answer(task: Task, said: Mapping[str, Resolved]) -> str:
    """Return the answer that people wrote, or the one they found right."""
    for name in ANSWERS:
        one = said.get(name)
        if one is not None and _firm(one) and isinstance(one.value, str) and one.value.strip():
            return one.value
    verdict = said.get("verdict")
    if verdict is None:
        return ""
    if verdict.value in GOOD:
        return task.reference or ""
    return task.outputs[0] if verdict.value in PASSED and len(task.outputs) == 1 else ""


def _failed(row: Mapping[str, Any]) -> Sample:
    """Return a row of a run's table as the sample it was, of the same family."""
    return Sample.model_validate(
        {
            "id": row["sample_id"],
            "group": row["family"],
            "messages": orjson.loads(row["messages"]),
            "references": row["references"] or [],
            "contexts": orjson.loads(row["given_contexts"] or "[]"),
            "gold_contexts": row["gold_contexts"] or [],
            "tags": dict(row["tags"] or {}),
        }
    )


def named(sources: Sequence[Candidate]) -> list[str]:
    """Return the datasets, snapshots and runs that candidates are from, each once."""
    return list(dict.fromkeys(one.source.partition("/")[0] for one in sources))
