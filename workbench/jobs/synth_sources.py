"""What a synthesis recipe starts from: passages of an index, prompts, candidate answers, failures of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from workbench.config.evalset_yaml import load_evalset
from workbench.config.workbench_yaml import Workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.curation.synth.asks import drawn
from workbench.curation.synth.questions import Source
from workbench.curation.synth.recipes import Answers, Feedback, Paraphrases, Questions, SynthRecipe
from workbench.datasets import Conversation, PreferencePair, Row, Sample, Use
from workbench.errors import DataError, LeakageError, Problem
from workbench.evaluation.run import read_run, read_start
from workbench.jobs.labelling_sources import tasks_from_evalset, tasks_from_file
from workbench.labelling.tasks import Task
from workbench.nouns import fingerprint
from workbench.rag.index import all_chunks, read_documents
from workbench.reading.stored import open_dataset
from workbench.records import Message

RECORDS = "records.jsonl"
"""The records of a finished synthesis, in its folder."""
LATEST = "latest"
"""Names the folder of the recipe's last finished synthesis."""


@dataclass(frozen=True)
class Sources:
    """What a recipe starts from; one of the three has content."""

    passages: Sequence[Source] = ()
    tasks: Sequence[Task] = ()
    samples: Sequence[Sample] = ()
    parent: str = ""
    """Where they are from, as lineage names it."""

    def fingerprint(self) -> str:
        """Return a content hash of all of it."""
        rows = [row.model_dump(mode="json") for row in (*self.tasks, *self.samples)]
        return fingerprint([[list(p) for p in self.passages], rows, self.parent])


def sources_of(bench: Workbench, recipe: SynthRecipe) -> Sources:
    """Read what a recipe names. Raises `DataError`, and `LeakageError` for anything of a gate's or another side."""
    match recipe.make:
        case Questions():
            spec = bench.index(recipe.make.index)
            chunks = all_chunks(read_documents(bench.path(spec.documents), spec.skip), spec.split)
            return Sources(passages=[Source(c.id, c.document, c.text) for c in chunks], parent=recipe.make.index)
        case Answers():
            found = _prompts(bench, recipe.make, recipe.use)
            by_id = [(task.id, task) for task in found.tasks]
            return replace(found, tasks=drawn(by_id, recipe.make.limit, recipe.seed))
        case Feedback():
            return _candidates(bench, recipe.make)
        case Paraphrases():
            return _failures(bench, recipe.make, recipe.use)


def _prompts(bench: Workbench, make: Answers, use: Use) -> Sources:
    if make.evalset is not None:
        tasks = tasks_from_evalset(load_evalset(bench.evalsets / make.evalset), use, bench.home)
        return Sources(tasks=tasks, parent=f"{make.evalset}-{use}")
    stored = find_dataset(bench.home.root, str(make.dataset))
    _refuse_side(stored.manifest.use, use, "make.dataset", str(make.dataset))
    label = stored.path.parent.name
    found = {task.id: task for task in _asked(stored.iter_values(), label)}
    return Sources(tasks=list(found.values()), parent=f"{label}@{stored.manifest.fingerprint[:12]}")


def _asked(rows: Iterator[Row], label: str) -> Iterator[Task]:
    """Yield the prompts of rows that end with a user's turn."""
    for row in rows:
        reference, messages = None, tuple(row.messages) if isinstance(row, Sample) else ()
        if isinstance(row, Sample):
            reference = next(iter(row.references), None)
        elif isinstance(row, PreferencePair):
            messages = tuple(Message(role=m.role, content=m.content) for m in row.prompt)
        elif isinstance(row, Conversation):
            first = next(i for i, m in enumerate(row.messages) if m.role == "assistant")
            messages = tuple(Message(role=m.role, content=m.content) for m in row.messages[:first])
        if messages and messages[-1].role == "user" and messages[-1].content.strip():
            yield Task(id=row.id, messages=messages, reference=reference, origin=label, group=row.family(),
                       tags=row.tags)  # fmt: skip


def _candidates(bench: Workbench, make: Feedback) -> Sources:
    path, folder = bench.path(make.records), bench.home.root / "synth" / make.records
    if not path.is_file() and (folder / LATEST).is_file():
        path = folder / (folder / LATEST).read_text("utf-8").strip() / RECORDS
    tasks = [task for task in tasks_from_file(path) if len(task.outputs) > 1]
    if not tasks:
        fix = "run an `answers` recipe of two models first"
        raise DataError(Problem("NO_RECORDS", "no record here has two outputs to compare", str(path), fix=fix))
    return Sources(tasks=tasks, parent=make.records if path.parent.parent == folder else path.name)


def _failures(bench: Workbench, make: Paraphrases, use: Use) -> Sources:
    import pyarrow.parquet as pq

    folder = bench.home.run(make.run)
    read_run(folder)
    dataset = read_start(folder).dataset
    _refuse_side(dataset.use, use, "make.run", folder.id)
    scores = pq.read_table(folder.scores, columns=["sample_id", "value"], use_threads=False).to_pylist()
    failed = {row["sample_id"] for row in scores if row["value"] == 0}
    rows = open_dataset(bench.home.datasets / f"{dataset.name}-{dataset.use}" / dataset.fingerprint).iter_values()
    samples = [row for row in rows if isinstance(row, Sample) and row.id in failed]
    if not samples:
        what = "no answer of this run failed a scorer"
        raise DataError(Problem("NO_RECORDS", what, str(folder.path), fix="see workbench eval show"))
    return Sources(samples=samples, parent=folder.id)


def _refuse_side(found: Use, wanted: Use, field: str, got: str) -> None:
    if found != wanted:
        what = f"this is of use {found}, and the recipe makes something of use {wanted}"
        fix = "nothing is made from what a gate asks" if found == "gate" else f"set `use: {found}`"
        raise LeakageError(Problem("OTHER_SIDE", what, field=field, got=got, fix=fix))
