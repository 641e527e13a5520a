"""Push tasks to a dataset: by record id, so that pushing again adds nothing twice and goes on after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from workbench.errors import DataError, Problem
from workbench.labelling.questions import SpanQuestion
from workbench.labelling.server import BATCH, About, LabellingServer, RemoteDataset, RemoteRecord, Row
from workbench.labelling.tasks import Task, blinded_order, content_hash, properties, property_name, rendered
from workbench.labelling.wire import blinded, shown_json, suggestion_json

Vectors = Mapping[str, Sequence[float]]
"""By record id."""
KEPT = "workbench"
"""Where a record on the server keeps what it was made from; the server shows it to owners and admins only."""


class Pushed(NamedTuple):
    """What a push did."""

    added: int
    updated: int
    """Records whose content or suggestions changed and that nobody had answered."""
    unchanged: int


def push(
    server: LabellingServer,
    name: str,
    about: About,
    tasks: Sequence[Task],
    vectors: Vectors,
    watch: Callable[[int, int], None],
) -> Pushed:
    """Put tasks into the dataset, which is made if it is not there. `watch` is told how many of how many are done.

    Raises `DataError`, before anything is written, when the dataset asks something else, or when a task differs from a
    record that somebody has answered already: its answers would be about another text.
    """
    seen = {prop: prop not in _hidden(about) for task in tasks for prop in properties(task)}
    dataset = server.dataset(name)
    if dataset is None:
        dataset, there = server.create(name, about, seen), {}
    else:
        _refuse_other(dataset, about)
        there = {record.id: record for record in _all(server, dataset)}
    rows = {task.id: _row(task, dataset.about, vectors.get(task.id)) for task in tasks}
    changed = {id: there[id] for id, row in rows.items() if id in there and _hash(there[id]) != _hash(row)}
    _refuse_answered(name, changed)
    if new := {prop: shown for prop, shown in seen.items() if prop not in dataset.properties}:
        server.add_properties(dataset, new)
    wanted = [row for id, row in rows.items() if id not in there or id in changed]
    done = len(rows) - len(wanted)
    watch(done, len(rows))
    for batch in _batches(wanted):
        server.upsert(dataset, batch)
        done += len(batch)
        watch(done, len(rows))
    for id, record in changed.items():
        if stale := sorted(record.suggested.keys() - rows[id].suggestions.keys()):
            server.drop_suggestions(record, stale)
    return Pushed(len(wanted) - len(changed), len(changed), len(rows) - len(wanted))


def _row(task: Task, about: About, vector: Sequence[float] | None) -> Row:
    """Return a task as it is pushed."""
    form = about.form
    order = (
        blinded_order(about.seed, task.id, form.candidates) if form.candidates > 1 else tuple(range(len(task.outputs)))
    )
    fields = rendered(task, form, order)
    suggestions = {}
    for suggestion in task.suggestions:
        question = form.question(suggestion.question)
        assert question is not None  # the tasks were checked against the form
        text = fields.get(question.field, "") if isinstance(question, SpanQuestion) else ""
        told = suggestion.model_copy(update={"value": blinded(suggestion.value, question, order)})
        suggestions[question.name] = suggestion_json(told, question, text)
    fields = shown_json(fields, form.marked_fields())
    kept = {
        # With its suggestions: AI feedback comes back with the pull, and can be made into pairs.
        "record": task.model_dump(mode="json", exclude_defaults=True),
        "order": list(order),
        "hash": content_hash(task, fields, list(suggestions.values())),
    }
    return Row(task.id, fields, {**properties(task), KEPT: kept}, suggestions, vector)


def _hidden(about: About) -> set[str]:
    """Return the names that annotators do not see; where a record comes from may name its model."""
    return {"origin", *(property_name(tag) for tag in about.hidden_tags)}


def _all(server: LabellingServer, dataset: RemoteDataset) -> Iterator[RemoteRecord]:
    """Yield every record of a dataset."""
    at = 0
    while page := server.page(dataset, at, suggested=True).records:
        yield from page
        at += len(page)


def _hash(row: Row | RemoteRecord) -> Any:
    return (row.metadata.get(KEPT) or {}).get("hash")


def _refuse_other(dataset: RemoteDataset, about: About) -> None:
    """Raise `DataError` when the dataset's annotators are asked something else."""
    there = dataset.about
    if there.form.hash() != about.form.hash():
        what = f"the dataset '{dataset.name}' asks {there.form.version} of {there.form.candidates} candidates"
        fix = "push into a dataset of another name: labels under two guidelines are not pooled"
        got = f"{about.form.version} of {about.form.candidates}"
        raise DataError(Problem("OTHER_GUIDELINE", what, got=got, fix=fix))
    if there.overlap != about.overlap:
        what = f"the dataset '{dataset.name}' wants {there.overlap} answers a record"
        fix = f"push with --overlap {there.overlap}, or into a dataset of another name"
        raise DataError(Problem("OTHER_OVERLAP", what, got=str(about.overlap), fix=fix))


def _refuse_answered(name: str, changed: Mapping[str, RemoteRecord]) -> None:
    fix = "give the changed record a new id, or push into a dataset of another name"
    what = "the record is another one than was pushed, and people have answered it"
    found = [Problem("ANSWERED", what, name, got=id, fix=fix) for id, record in changed.items() if record.answers]
    if found:
        raise DataError(found)


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch
