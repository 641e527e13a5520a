"""What the pages of error analysis read, cached by what runs, book and snapshots are now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import streamlit as st

from dashboards import data, data_labels
from workbench.errors import DataError
from workbench.evaluation.one_sample import OneSample, one_sample
from workbench.failures.clusters import Clustering
from workbench.failures.counting import Bar, CodeAgreement, Saturation, coder_agreement, pareto, saturation
from workbench.failures.entries import Act, AnswerId, Standing, book_of
from workbench.failures.failing import facets, find, find_keys, read_failures
from workbench.failures.failure import Facets, Found, Key, Marks, Wanted
from workbench.failures.taxonomy import Taxonomy
from workbench.jobs.atlas import Atlas
from workbench.jobs.failures import exported, human_of, read_book, taxonomy_of
from workbench.jobs.failures_clusters import clusterings
from workbench.jobs.failures_fates import ActFate, Fate, act_fates, fates
from workbench.jobs.human_verdicts import HumanVerdicts, human_verdicts
from workbench.jobs.lineage import Family, lineage
from workbench.labelling.snapshot import Snapshot, latest_snapshot
from workbench.reading.stored import open_dataset
from workbench.records import Label
from workbench.store.home import RunFolder

PAGE = 50
"""Failures of one page of the list."""
OTHERS = 6
"""Other runs whose answers stand beside one another."""


def book() -> Standing:
    """Return what holds of the book. Raises `DataError` where somebody edited it."""
    return _book(str(data.bench().file), book_stamp())


def book_stamp() -> str:
    """Return what changes with every line of the book."""
    return data.stamp(book_of(data.home().root).file)


def waiting(pulled: Sequence[str]) -> list[str]:
    """Return the datasets that were sent to annotators from here and of which nothing was pulled, the latest first."""
    jobs = [job.command for job in data.jobs() if job.state == "done" and job.command.argv[:2] == ("label", "push")]
    sent = [(command.at, command.argv[2]) for command in jobs]
    with suppress(DataError):  # the failures page tells of a damaged book
        sent += [(act.at, act.into) for act in book().acts if act.to == "argilla"]
    return [name for name in dict.fromkeys(name for _, name in sorted(sent, reverse=True)) if name not in pulled]


def taxonomy() -> Taxonomy:
    """Return the taxonomy that holds. Raises `ConfigError`, `DataError`."""
    return _taxonomy(str(data.bench().file), f"{book_stamp()}|{data.stamp(exported(data.bench()))}")


def marks(run_id: str) -> Marks:
    """Return what people said of a run's answers, and which have a note."""
    found = data.folder(run_id)
    coded = {(of.sample, of.repeat) for of in book().current() if of.run == found.id}
    return Marks(_human(found.path, f"{data.stamp(found.samples)}|{data_labels.records_stamp()}"), coded)


def page(run_id: str, wanted: Wanted, start: int, size: int = PAGE) -> Found:
    """Return a page of the failures of a run. Raises `DataError`, `ConfigError`."""
    found = data.folder(run_id)
    return _page(found.path, _key(found, wanted), wanted.model_dump_json(), start, size)


def keys(run_id: str, wanted: Wanted) -> list[Key]:
    """Return the keys of all failures that are wanted."""
    found = data.folder(run_id)
    return _keys(found.path, _key(found, wanted), wanted.model_dump_json())


def answers(run_id: str, some: tuple[Key, ...]) -> Found:
    """Return answers of a run by their keys."""
    found = data.folder(run_id)
    return _answers(found.path, f"{data.seals([run_id])}|{data_labels.records_stamp()}", some)


def counted(run_id: str) -> Facets:
    """Return what the failures of a run can be filtered by."""
    found = data.folder(run_id)
    return _facets(found.path, data.stamp(found.summary, found.scores))


def clustered(run_id: str) -> list[Clustering]:
    """Return what was clustered of a run, the latest first."""
    folder = data.home().root / "failures" / "clusters"
    files = sorted(folder.glob("*.json"))
    return _clustered(str(data.bench().file), run_id, data.stamp(folder, *files))


def sample(run_id: str, sample_id: str) -> OneSample:
    """Return one sample of a run with all about it. Raises `DataError`."""
    found = data.folder(run_id)
    return _sample(found.path, data.stamp(found.summary, found.samples, found.scores), sample_id)


def runs_beside(run_id: str) -> list[str]:
    """Return the other finished runs on the same evalset and side, newest first, one a model first."""
    spec = data.run(run_id).spec
    there = [e for e in data.finished() if (e.evalset, e.use) == (spec.evalset, spec.use) and e.id != run_id]
    first = {e.model: e.id for e in reversed(there)}
    newest = [e.id for e in there if first[e.model] == e.id]
    return [*newest, *(e.id for e in there if e.id not in newest)][:OTHERS]


def labels(of: AnswerId) -> list[tuple[str, Label]]:
    """Return what people said of an answer, with the labelling dataset; of all pulled datasets."""
    found = []
    for path in sorted((data.home().root / "records").glob("*/latest.json")):
        snapshot, ids = _told(path.parent, data.stamp(path))
        if (f"run:{of.run}", of.record()) in ids:
            name = snapshot.manifest.name
            found += [(name, label) for label in snapshot.labels() if label.record_id == of.record()]
    return found


def parents(run_id: str) -> Family | None:
    """Return the lineage of the dataset that a run was on; `None` where it is not in this home."""
    manifest = data.run(run_id).dataset
    folder = data.home().datasets / f"{manifest.name}-{manifest.use}" / manifest.fingerprint
    return _parents(folder, _world()) if (folder / "manifest.json").exists() else None


def fate(of: AnswerId) -> Fate:
    """Return what became of an answer."""
    return _fates(str(data.bench().file), _world(), (of,))[of]


def acted(acts: tuple[Act, ...]) -> list[ActFate]:
    """Return what became of acts."""
    return _acted(str(data.bench().file), _world(), acts)


def bars(runs: tuple[str, ...]) -> list[Bar]:
    """Return the codes of what was coded, the heaviest first."""
    return pareto(book(), taxonomy(), runs)


def saturated(runs: tuple[str, ...]) -> Saturation:
    """Return how many new codes each further answer brought."""
    return saturation(book(), taxonomy(), runs)


def agreed() -> list[CodeAgreement]:
    """Return how far coders agree."""
    return _agreed(str(data.bench().file), book_stamp())


def _world() -> str:
    """Return what changes when anything that an answer can end up in does."""
    home = data.home()
    made = sorted(home.datasets.glob("*/versions.jsonl"))
    trained = sorted((home.root / "training").glob("*/spec.json"))
    return data.stamp(home.runs, *made, *trained) + "|" + data_labels.records_stamp()


def _key(found: RunFolder, wanted: Wanted) -> str:
    """Return the key of a filtered list: notes matter only where the filter asks for them."""
    notes = book_stamp() if wanted.coded is not None else ""
    return f"{data.stamp(found.summary, found.samples, found.scores)}|{data_labels.records_stamp()}|{notes}"


@st.cache_resource(max_entries=4, show_spinner=False)
def _book(file: str, key: str) -> Standing:
    return read_book(data.home())


@st.cache_resource(max_entries=4, show_spinner=False)
def _taxonomy(file: str, key: str) -> Taxonomy:
    return taxonomy_of(data.bench())


@st.cache_resource(max_entries=20, show_spinner=False)
def _human(path: Path, key: str) -> dict[Key, bool]:
    return human_of(RunFolder(path), _verdicts(str(data.bench().file), data_labels.records_stamp()))


@st.cache_resource(max_entries=4, show_spinner=False)
def _verdicts(file: str, key: str) -> HumanVerdicts:
    return human_verdicts(data.bench())


@st.cache_resource(max_entries=100, show_spinner=False)
def _page(path: Path, key: str, wanted: str, start: int, size: int) -> Found:
    run_id = path.name
    asked = Wanted.model_validate_json(wanted)
    return find(data.run(run_id), RunFolder(path), asked, marks(run_id), start, size)


@st.cache_resource(max_entries=50, show_spinner=False)
def _keys(path: Path, key: str, wanted: str) -> list[Key]:
    return find_keys(data.run(path.name), RunFolder(path), Wanted.model_validate_json(wanted), marks(path.name))


@st.cache_resource(max_entries=200, show_spinner=False)
def _answers(path: Path, key: str, some: tuple[Key, ...]) -> Found:
    found = read_failures(data.run(path.name), RunFolder(path), some, marks(path.name))
    return Found(n=len(found), n_answers=data.run(path.name).n_attempted, failures=found)


@st.cache_resource(max_entries=50, show_spinner=False)
def _facets(path: Path, key: str) -> Facets:
    return facets(data.run(path.name), RunFolder(path))


@st.cache_resource(max_entries=8, show_spinner=False)
def _clustered(file: str, run_id: str, key: str) -> list[Clustering]:
    return clusterings(data.home(), run_id)


@st.cache_resource(max_entries=500, show_spinner=False)
def _sample(path: Path, key: str, sample_id: str) -> OneSample:
    return one_sample(RunFolder(path), sample_id)


@st.cache_resource(max_entries=20, show_spinner=False)
def _told(folder: Path, key: str) -> tuple[Snapshot, frozenset[tuple[str, str]]]:
    snapshot = latest_snapshot(folder)
    return snapshot, frozenset((task.origin, task.id) for task in snapshot.tasks())


@st.cache_resource(max_entries=20, show_spinner=False)
def _parents(folder: Path, key: str) -> Family:
    return lineage(open_dataset(folder), Atlas(data.home()))


@st.cache_resource(max_entries=200, show_spinner=False)
def _fates(file: str, key: str, some: tuple[AnswerId, ...]) -> dict[AnswerId, Fate]:
    return fates(data.bench(), some)


@st.cache_resource(max_entries=20, show_spinner=False)
def _acted(file: str, key: str, acts: tuple[Act, ...]) -> list[ActFate]:
    return act_fates(data.bench(), acts)


@st.cache_resource(max_entries=4, show_spinner=False)
def _agreed(file: str, key: str) -> list[CodeAgreement]:
    return coder_agreement(book(), taxonomy(), {})
