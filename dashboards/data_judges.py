"""What the judges page reads, cached by what the books, labels and runs are now."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from dashboards import data
from dashboards.data_labels import readable, records_stamp
from workbench.calibration.attack_book import attacks
from workbench.calibration.attacked import Attacked
from workbench.calibration.book import calibrations
from workbench.calibration.calibrated import Calibrated
from workbench.calibration.correction import Correction
from workbench.errors import DataError
from workbench.evaluation.catalogue import Entry
from workbench.jobs.correcting import corrections
from workbench.jobs.judged_cells import Cells, judged_cells
from workbench.jobs.judged_metrics import judged_metrics
from workbench.tables import connection, rows


class Books(NamedTuple):
    """What was written down of judges, oldest first."""

    calibrated: list[Calibrated]
    attacked: list[Attacked]
    trouble: tuple[str, ...]
    """Why a book cannot be read."""


class Orders(NamedTuple):
    """How a judge that compares two answers did when they changed places."""

    metric: str
    n: int
    """Answers that it judged in both orders."""
    n_flips: int
    """Those on which the other order gave another verdict."""


def books() -> Books:
    """Return every opening of a test part and every attack; a damaged book is told."""
    root = data.home().root
    return _books(data.stamp(calibrations(root).file, attacks(root).file, calibrations(root).head, attacks(root).head))


def metrics(run_id: str) -> list[str]:
    """Return the pass/fail metrics of a run that a judge gives. Raises `DataError`."""
    return judged_metrics(data.run(run_id))


def judged_runs(found: list[Entry], metric: str, most: int) -> list[str]:
    """Return the newest finished runs that have a metric."""
    return [run.id for run in found if any(m.scorer == metric for m in run.metrics)][:most]


def cells(run_id: str, metric: str, every: bool) -> Cells:
    """Return a run's labelled answers beside the judge's verdicts. Raises `DataError`, `ConfigError`."""
    return _cells(run_id, metric, every, _key(run_id))


def corrected(run_id: str, metric: str) -> Correction:
    """Return a pass rate corrected for its judge's error, or why it is not. Raises `DataError`, `ConfigError`."""
    found = next((one for one in _corrections(run_id, _key(run_id)) if one.metric == metric), None)
    return found or Correction(metric=metric, why_not="no judge of pass and fail gives it in this run")


def orders(run_id: str) -> list[Orders]:
    """Return how each judge of a run that compares two answers did in both orders. Raises `DataError`."""
    return _orders(run_id, data.seals([run_id]))


def _key(run_id: str) -> str:
    return data.seals([run_id]) + records_stamp() + data.stamp(calibrations(data.home().root).file)


@st.cache_resource(max_entries=4, show_spinner=False)
def _books(key: str) -> Books:
    root, trouble = data.home().root, list[str]()
    known, fought = list[Calibrated](), list[Attacked]()
    try:
        known = calibrations(root).records()
    except DataError as exc:
        trouble.append(str(exc))
    try:
        fought = attacks(root).records()
    except DataError as exc:
        trouble.append(str(exc))
    return Books(known, fought, tuple(trouble))


@st.cache_resource(max_entries=20, show_spinner="Laying labels beside verdicts…")
def _cells(run_id: str, metric: str, every: bool, key: str) -> Cells:
    with readable(run_id):
        return judged_cells(data.bench(), run_id, metric, every=every)


@st.cache_resource(max_entries=200, show_spinner=False)
def _corrections(run_id: str, key: str) -> list[Correction]:
    with readable(run_id):
        return corrections(data.bench(), data.run(run_id), data.folder(run_id))


@st.cache_resource(max_entries=50, show_spinner=False)
def _orders(run_id: str, key: str) -> list[Orders]:
    run, folder = data.run(run_id), data.folder(run_id)
    pairwise = [info.name for info in run.scorers if info.kind == "pairwise_judge"]
    if not pairwise:
        return []
    query = (
        "SELECT scorer, count(*) AS n, count(*) FILTER (label = 'flip') AS flips FROM scores "
        "WHERE value IS NOT NULL AND list_contains(?, scorer) GROUP BY scorer ORDER BY scorer"
    )
    with connection(scores=folder.scores) as db:
        return [Orders(str(r["scorer"]), int(r["n"]), int(r["flips"])) for r in rows(db, query, (pairwise,))]
