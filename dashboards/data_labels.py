"""What the labelling page reads, cached by what the snapshots and runs are now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from dashboards import data
from workbench.config.labelling_yaml import find_templates
from workbench.errors import DataError, Problem
from workbench.jobs.judged_metrics import judged_metrics
from workbench.jobs.labelling_agreement import dataset_agreement
from workbench.jobs.labelling_next import Asked, Choice, choose, needed
from workbench.jobs.labelling_progress import Live, read_with_queue
from workbench.labelling.adjudicating import ANSWERS, SUFFIX, disagreements, queue
from workbench.labelling.agreement import Agreement
from workbench.labelling.needed import Needed
from workbench.labelling.server import About
from workbench.labelling.snapshot import read_snapshot
from workbench.labelling.stored_snapshots import ListedSnapshot, snapshots_in
from workbench.labelling.tasks import Task


class Differing(NamedTuple):
    """A record on which people differ."""

    task: Task
    questions: tuple[str, ...]
    """The questions on which they do."""
    answers: str
    """What was answered, as an adjudicator sees it: without names."""
    decided: bool
    """Whether an adjudicator has decided it."""
    alone: bool
    """Whether no other record of the dataset is of its prompt family."""


def snapshots() -> tuple[list[ListedSnapshot], list[str]]:
    """Return what was pulled last of every dataset, and the names of those that cannot be read."""
    folder = data.home().root / "records"
    found = _snapshots(records_stamp())
    there = [path.name for path in sorted(folder.iterdir())] if folder.is_dir() else []
    known = {one.path.parent.name for one in found}
    return found, [name for name in there if name not in known and not name.startswith(".")]


def records_stamp() -> str:
    """Return what changes when anything was pulled or imported."""
    folder = data.home().root / "records"
    latest = sorted(folder.glob("*/latest.json"))
    return data.stamp(folder, *latest, *(path.parent for path in latest))


def agreement(one: ListedSnapshot) -> tuple[Agreement, ...]:
    """Return the agreement on every question. Raises `DataError`."""
    return _agreement(one.path.parent.name, str(one.path))


def differing(one: ListedSnapshot) -> list[Differing]:
    """Return the records on which people differ. Raises `DataError`."""
    return _differing(str(one.path), one.path)


def choice(run_id: str, asked: Asked) -> Choice:
    """Return what to label next of a run's answers. Raises `DataError` and `ConfigError`."""
    return _choice(run_id, repr(asked), data.seals([run_id]) + records_stamp(), asked)


def judged(run_id: str) -> list[str]:
    """Return the pass/fail metrics of a run that a judge gives."""
    return judged_metrics(data.run(run_id))


def labels_left(run_id: str, metric: str, within: float) -> Needed:
    """Return how many labels a judge's corrected rate still needs. Raises `DataError` and `ConfigError`."""
    return _needed(run_id, metric, within, data.seals([run_id]) + records_stamp())


def templates() -> list[str]:
    """Return the names of the templates by which records can be put before annotators."""
    return [place.name for place in find_templates(data.bench())]


def ask(name: str) -> None:
    """Ask the labelling server for a dataset and its queue; this session keeps the answer. Raises as `live`."""
    lives().update((one.name, one) for one in live(name) if one is not None)


def live(name: str) -> tuple[Live, Live | None]:
    """Ask the labelling server now; nothing is kept. Raises `LabellingError` and `ConfigError`."""
    return read_with_queue(data.bench(), name)


@contextmanager
def readable(run_id: str) -> Iterator[None]:
    """Turn what Arrow says of a damaged table of a run into a `DataError`, which pages show."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as exc:
        what = f"a table of this run cannot be read: {str(exc).splitlines()[0]}"
        fix = "restore the run's folder"
        raise DataError(Problem("DAMAGED_TABLE", what, got=run_id, fix=fix)) from exc


def lives() -> dict[str, Live]:
    """Return what this session has read of the server, by dataset."""
    found: dict[str, Live] = st.session_state.setdefault("argilla", {})
    return found


@st.cache_resource(max_entries=8, show_spinner=False)
def _snapshots(key: str) -> list[ListedSnapshot]:
    return snapshots_in(data.home().root)


@st.cache_resource(max_entries=50, show_spinner="Computing agreement…")
def _agreement(name: str, path: str) -> tuple[Agreement, ...]:
    return dataset_agreement(data.bench(), name)


@st.cache_resource(max_entries=20, show_spinner=False)
def _differing(key: str, _path: Path) -> list[Differing]:
    snapshot = read_snapshot(_path)
    tasks, labels, m = snapshot.tasks(), snapshot.labels(), snapshot.manifest
    where = disagreements(labels, m.form)
    about = About(form=m.form, seed=m.seed, overlap=m.overlap)
    queued, _ = queue(tasks, labels, about, m.name)
    settled = {(r.record_id, r.question) for r in snapshot.resolved() if r.by == "adjudicated"}
    groups = Counter(task.group for task in tasks)
    return [
        Differing(
            task, tuple(where[task.id]), task.shown[ANSWERS],
            all((task.id, question) in settled for question in where[task.id]), groups[task.group] == 1,
        )
        for task in queued
    ]  # fmt: skip


@st.cache_resource(max_entries=20, show_spinner="Picking…")
def _choice(run_id: str, told: str, key: str, _asked: Asked) -> Choice:
    with readable(run_id):
        return choose(data.bench(), run_id, _asked)


@st.cache_resource(max_entries=50, show_spinner=False)
def _needed(run_id: str, metric: str, within: float, key: str) -> Needed:
    with readable(run_id):
        return needed(data.bench(), run_id, metric, within)


def is_queue(name: str) -> bool:
    """Return whether a dataset is a queue for adjudicators."""
    return name.endswith(SUFFIX)
