"""Records and labels that come from elsewhere, kept as a snapshot like those that were pulled.

The form of such a snapshot is worked out from its labels: nobody asked these questions here.
"""

from __future__ import annotations

import shutil
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from workbench.labelling.questions import (
    LabelQuestion,
    MultiLabelQuestion,
    Option,
    Question,
    RankingQuestion,
    RatingQuestion,
    SpanQuestion,
    TextQuestion,
)
from workbench.labelling.snapshot import LATEST, MANIFEST, Pulled, Snapshot, read_snapshot
from workbench.labelling.tables import LABELS, RECORDS, write_rows
from workbench.labelling.tasks import Task
from workbench.labelling.templates import LETTERS, Form, ShownField
from workbench.nouns import canonical_bytes, fingerprint_set
from workbench.records import Label, Ranked, Span
from workbench.store.files import moved, sha256_of, write_atomic

FEW = 30
"""Different answers up to which a question is taken for a choice among them."""


@dataclass
class _Counted:
    """What a manifest says of records and labels, gathered while they pass."""

    hashes: list[bytes] = field(default_factory=list)
    labelled: set[str] = field(default_factory=set)
    annotators: Counter[str] = field(default_factory=Counter)
    answers: dict[str, list[Any]] = field(default_factory=dict)
    """Different answers by question, no more than shows that they are many."""
    submitted: set[tuple[str, str]] = field(default_factory=set)
    n_records: int = 0
    n_labels: int = 0
    candidates: int = 1
    contexts: bool = False

    def records(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """Yield the records."""
        for task in tasks:
            self.n_records += 1
            self.candidates = max(self.candidates, min(len(task.outputs), len(LETTERS)))
            self.contexts = self.contexts or bool(task.contexts)
            self.hashes.append(sha256(canonical_bytes(task.model_dump(mode="json"))).digest())
            yield task

    def labels(self, labels: Iterable[Label]) -> Iterator[Label]:
        """Yield the labels."""
        for label in labels:
            self.n_labels += 1
            self.labelled.add(label.record_id)
            if (label.record_id, label.annotator) not in self.submitted:
                self.submitted.add((label.record_id, label.annotator))
                self.annotators[label.annotator] += 1
            seen = self.answers.setdefault(label.question, [])
            if len(seen) <= FEW and label.value not in seen:
                seen.append(label.value)
            self.hashes.append(sha256(canonical_bytes(label.model_dump(mode="json"))).digest())
            yield label


def store_imported(
    folder: Path, tasks: Iterable[Task], labels: Iterable[Label], template: str, now: datetime
) -> Snapshot:
    """Write records and labels into a folder of their own below `folder`; the same content has the same one.

    Records are read first, then labels, each once; neither is held.
    """
    work = folder / f".new-{uuid.uuid4().hex}"
    work.mkdir(parents=True)
    try:
        count = _Counted()
        write_rows(work / RECORDS, count.records(tasks))
        write_rows(work / LABELS, count.labels(labels))
        fingerprint = fingerprint_set(count.hashes)
        manifest = _manifest(count, folder.name, fingerprint, template, now, work)
        write_atomic(work / MANIFEST, orjson.dumps(manifest.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
        moved(work, folder / fingerprint, MANIFEST)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    told = {"fingerprint": fingerprint, "pulled_at": now.isoformat(timespec="seconds")}
    write_atomic(folder / LATEST, orjson.dumps(told))
    return read_snapshot(folder / fingerprint)


def _manifest(count: _Counted, name: str, fingerprint: str, template: str, now: datetime, work: Path) -> Pulled:
    return Pulled(
        name=name, fingerprint=fingerprint, form=_form(count, template), overlap=1, n_records=count.n_records,
        n_labelled=len(count.labelled), n_complete=len(count.labelled), n_labels=count.n_labels,
        n_submitted=len(count.submitted), n_drafts=0, n_discarded=0, annotators=dict(sorted(count.annotators.items())),
        pulled_at=now.isoformat(timespec="seconds"), files={n: sha256_of(work / n) for n in (RECORDS, LABELS)},
    )  # fmt: skip


def _form(count: _Counted, template: str) -> Form:
    fields = [ShownField(name="conversation", title="Conversation", show="chat")]
    if count.candidates > 1:
        letters = LETTERS[: count.candidates]
        fields += [ShownField(name=f"answer_{x}", title=f"Answer {x.upper()}", show="candidates") for x in letters]
    else:
        fields.append(ShownField(name="answer", title="Answer", show="output", required=False))
    if count.contexts:
        fields.append(ShownField(name="passages", title="Passages", show="passages", required=False))
    questions = tuple(_question(name, seen) for name, seen in count.answers.items())
    return Form(
        template=template, version=f"{template}/1", guidelines="Imported: nobody was asked under guidelines of ours.",
        fields=tuple(fields), questions=questions, candidates=count.candidates,
    )  # fmt: skip


def _question(name: str, seen: list[Any]) -> Question:
    """Return the kind of question that was answered so."""
    first = seen[0]
    if isinstance(first, int | float):
        low, high = int(min(seen)), int(max(seen))
        low, high = (1, 5) if low >= 1 and high <= 5 else (0, 10)
        return RatingQuestion(kind="rating", name=name, title=name, required=False, low=low, high=high)
    if isinstance(first, tuple):
        return _of_several(name, [one for answer in seen for one in answer])
    words = name in ("thumb", "verdict") or (len(seen) <= FEW and all(len(w) <= 40 and "\n" not in w for w in seen))
    if words and all(seen):
        options = tuple(Option(value=word) for word in sorted(seen))
        return LabelQuestion(kind="label", name=name, title=name, required=False, options=options)
    return TextQuestion(kind="text", name=name, title=name, required=False)


def _of_several(name: str, members: list[Any]) -> Question:
    named = {m.label if isinstance(m, Span) else m.value if isinstance(m, Ranked) else str(m) for m in members}
    options = tuple(Option(value=v) for v in sorted(named or {"none"}))
    if members and isinstance(members[0], Span):
        return SpanQuestion(kind="span", name=name, title=name, required=False, options=options, field="answer")
    noun = RankingQuestion if members and isinstance(members[0], Ranked) else MultiLabelQuestion
    return noun.model_validate({"kind": "ranking" if noun is RankingQuestion else "multi_label", "name": name,
                                "title": name, "required": False, "options": options})  # fmt: skip
