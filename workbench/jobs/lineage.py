"""Where a dataset comes from, and what was made of it: up to labels, annotators, runs; down to trainings and evals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from workbench.curation.stored_datasets import Listed
from workbench.errors import DataError
from workbench.jobs.atlas import Atlas, Told, bare
from workbench.labelling.snapshot import read_snapshot
from workbench.nouns import Many, Noun
from workbench.reading.stored import StoredDataset

DEEP = 20
"""Steps that are walked; a circle, which hashes rule out, could not be told from a long way."""


class Node(Noun):
    """A thing in the lineage, and what is behind it."""

    kind: str
    """`dataset`, `snapshot`, `annotator`, `run`, `training`, `row`, `record`, `label`, `sample`, `file`, `unknown`."""
    name: str
    """What it is called."""
    note: str = ""
    """What else is known of it."""
    nodes: Many[Node] = ()
    """What it was made from, or, downwards, what was made of it."""


class Family(Noun):
    """A dataset's lineage, both ways."""

    dataset: Node
    """The dataset itself."""
    parents: Many[Node]
    """What it was made from."""
    children: Many[Node]
    """What was made of it."""


def lineage(stored: StoredDataset, atlas: Atlas) -> Family:
    """Return the parents of a stored dataset and its children, each with theirs."""
    m = stored.manifest
    this = Node(kind="dataset", name=f"{stored.path.parent.name}@{m.fingerprint[:12]}", note=f"{m.n:,} {m.kind}")
    listed = [one for one in atlas.versions.get(m.fingerprint, []) if one.path.name == stored.path.name]
    parents = [up for one in listed[:1] for up in _above_dataset(one, atlas, DEEP)]
    if not listed:
        parents = [_parent(parent, atlas, DEEP) for parent in m.parents]
    return Family(dataset=this, parents=tuple(parents), children=tuple(_below(m.fingerprint, atlas, DEEP)))


def _parent(name: str, atlas: Atlas, deep: int) -> Node:
    """Return what a manifest names as a parent: a dataset's or snapshot's fingerprint, or a run's id."""
    if deep == 0:
        return Node(kind="unknown", name=name, note="the way is longer than is walked")
    known = bare(name)
    if known in atlas.versions:
        return _dataset(atlas.versions[known][0], atlas, deep)
    if known in atlas.snapshots:
        return _snapshot(known, atlas, deep)
    if known in atlas.runs:
        return _run(atlas.runs[known], atlas, deep)
    if (listed := atlas.dataset(known)) is not None:
        return _dataset(listed, atlas, deep)
    return Node(kind="unknown", name=name, note="not in this home")


def _dataset(one: Listed, atlas: Atlas, deep: int) -> Node:
    m = one.manifest
    note = f"{m.n:,} {m.kind}, version {one.version}{', ' + one.at[:16].replace('T', ' ') if one.at else ''}"
    return Node(
        kind="dataset",
        name=f"{one.label}@{m.fingerprint[:12]}",
        note=note,
        nodes=tuple(_above_dataset(one, atlas, deep)),
    )


def _above_dataset(one: Listed, atlas: Atlas, deep: int) -> Iterator[Node]:
    rule = one.manifest.rule
    if source := rule.get("source") or rule.get("file"):
        yield Node(kind="file", name=source, note=rule.get("format", ""))
    yield from (_parent(parent, atlas, deep - 1) for parent in one.manifest.parents)


def _snapshot(fingerprint: str, atlas: Atlas, deep: int) -> Node:
    path = atlas.snapshots[fingerprint]
    name = f"{path.parent.name}@{fingerprint[:12]}"
    try:
        snapshot = read_snapshot(path)
    except DataError as exc:
        return Node(kind="snapshot", name=name, note=str(exc))
    m = snapshot.manifest
    who = [Node(kind="annotator", name=one, note=f"{n:,} submitted answers") for one, n in m.annotators.items()]
    origins = sorted({task.origin for task in snapshot.tasks() if task.origin})
    above = [_parent(origin, atlas, deep - 1) for origin in origins]
    note = f"{m.n_labels:,} labels of {m.n_records:,} records, pulled {m.pulled_at}, guideline {m.form.version}"
    return Node(kind="snapshot", name=name, note=note, nodes=(*who, *above))


def _run(told: Told, atlas: Atlas, deep: int) -> Node:
    dataset = _of(told.spec, "dataset")
    above = [_parent(str(dataset["fingerprint"]), atlas, deep - 1)] if "fingerprint" in dataset else []
    return Node(kind="run", name=told.id, note=_model(told), nodes=tuple(above))


def _below(fingerprint: str, atlas: Atlas, deep: int) -> Iterator[Node]:
    """Yield what names a dataset: datasets, trainings with what was evaluated of them, evaluation runs."""
    if deep == 0:
        return
    for several in atlas.versions.values():
        for one in several:
            if fingerprint in one.manifest.parents:
                below = tuple(_below(one.manifest.fingerprint, atlas, deep - 1))
                note = f"{one.manifest.n:,} {one.manifest.kind}"
                yield Node(kind="dataset", name=f"{one.label}@{one.manifest.fingerprint[:12]}", note=note, nodes=below)
    for training in atlas.trainings.values():
        if fingerprint in training.text:
            runs = (run for run in atlas.runs.values() if f"training/{training.id}" in run.text)
            yield Node(kind="training", name=training.id, note=_model(training), nodes=tuple(_runs(runs)))
    yield from _runs(run for run in atlas.runs.values() if fingerprint in run.text)


def _runs(runs: Iterable[Told]) -> Iterator[Node]:
    yield from (Node(kind="run", name=run.id, note=_model(run)) for run in runs)


def _model(told: Told) -> str:
    """Return which model a spec names, where it does."""
    name = _of(told.spec, "spec").get("model_name") or told.spec.get("base") or ""
    return f"model {name}" if name else ""


def _of(spec: dict[str, Any], key: str) -> dict[str, Any]:
    found = spec.get(key)
    return found if isinstance(found, dict) else {}
