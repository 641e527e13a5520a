"""What pages read, cached by what the files are now: path, size and time of change.

Values are frozen nouns and shared by all sessions; nothing of a person is kept here. Tables are asked through DuckDB,
a page of rows at a time, and never loaded whole.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from pydantic import ValidationError

from workbench import __version__
from workbench.calibration.book import calibrations
from workbench.calibration.calibrated import Calibrated
from workbench.config.workbench_yaml import Workbench, find_config, load_workbench
from workbench.errors import DataError, WorkbenchError
from workbench.evaluation.arms import Finished
from workbench.evaluation.catalogue import Entry, entry
from workbench.evaluation.compare import compare_all
from workbench.evaluation.comparison import Comparison
from workbench.evaluation.ladder import Ladder, climb
from workbench.evaluation.notable import worst_samples
from workbench.evaluation.run import read_run
from workbench.gate.decision import GateDecision
from workbench.gate.last import last_files, read_last
from workbench.gate.ledger import Ledger
from workbench.jobs import background
from workbench.jobs.background import Job
from workbench.jobs.judged_metrics import judged_metrics
from workbench.jobs.labelling_next import needed
from workbench.nouns import fingerprint
from workbench.runs import EvalRun
from workbench.store.files import write_atomic
from workbench.store.home import Home, RunFolder
from workbench.store.parquet import Row

CONFIG = "WORKBENCH_CONFIG"
"""Environment variable that names workbench.yaml; `workbench dashboards` sets it."""
CHANGES = 50
"""Regressions and fixes of each metric that are kept to be read."""
HALF_WIDTH = 0.05
"""Half the interval of a corrected pass rate that labels are asked for, as `label next` has it."""


def bench() -> Workbench:
    """Return the project that the pages show. Raises `ConfigError`."""
    given = os.environ.get(CONFIG)
    file = Path(given) if given else find_config(Path.cwd())
    return _bench(str(file), stamp(file))


def home() -> Home:
    """Return the project's home."""
    return bench().home


def stamp(*paths: Path) -> str:
    """Return what changes when one of the files does: the key under which what was read of them is cached."""
    return "|".join(_stamp(path) for path in paths)


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return f"{path}:absent"
    return f"{path}:{found.st_mtime_ns}:{found.st_size}:{found.st_ino}"


def runs() -> list[Entry]:
    """Return every run of the home, newest first; a damaged one is listed as such."""
    here, known = home(), _entries()
    return [_entry(RunFolder(here.runs / run_id), known) for run_id in reversed(here.run_ids())]


def finished() -> list[Entry]:
    """Return the finished runs, newest first."""
    return [found for found in runs() if found.state == "finished"]


def run(run_id: str) -> EvalRun:
    """Return a finished run. Raises `DataError`."""
    folder = home().run(run_id)
    return _run(folder.path, stamp(folder.summary))


def folder(run_id: str) -> RunFolder:
    """Return a run's folder by its id, or a unique beginning or ending of it. Raises `DataError`."""
    return home().run(run_id)


def seals(run_ids: Sequence[str]) -> str:
    """Return the stamp of several runs' tables, to key what was computed of them."""
    folders = [home().run(run_id) for run_id in run_ids]
    return stamp(*(file for f in folders for file in (f.summary, f.samples, f.scores)))


def worst(run_id: str, scorer: str, size: int) -> list[Row]:
    """Return the samples of a run that score worst, with texts. Raises `DataError`."""
    found = folder(run_id)
    return _worst(found.path, stamp(found.summary), scorer, size)


def comparison(baseline: str, candidate: str) -> Comparison:
    """Return candidate minus baseline, with the largest regressions and fixes of each metric. Raises `DataError`."""
    paths = [folder(run_id).path for run_id in (baseline, candidate)]
    return _comparison(paths[0], paths[1], stamp(*(RunFolder(path).summary for path in paths)))


def ladder(run_ids: tuple[str, ...]) -> Ladder:
    """Return runs held against each other, one above the other. Raises `DataError`."""
    paths = tuple(folder(run_id).path for run_id in run_ids)
    return _ladder(paths, stamp(*(RunFolder(path).summary for path in paths)))


def decisions() -> tuple[list[GateDecision], list[DataError]]:
    """Return the last decision on each evalset, and what is wrong with those that cannot be read."""
    found, wrong = list[GateDecision](), list[DataError]()
    for file in last_files(home().root):
        try:
            found.append(_decision(file, stamp(file)))
        except DataError as exc:
            wrong.append(exc)
    return found, wrong


class Judges(NamedTuple):
    """What the books say of judges and gates."""

    calibrated: list[Calibrated]
    """Latest opened calibration of each metric."""
    trouble: str
    """Why the book cannot be read; empty otherwise."""


def judges() -> Judges:
    """Return the latest calibration of each judged metric."""
    book = calibrations(home().root)
    return _judges(str(home().root), stamp(book.file))


def labels_needed() -> list[str]:
    """Return, for each judged metric of the latest finished run, how many labels are still needed, as a sentence."""
    latest = next(iter(finished()), None)
    if latest is None:
        return []
    found = folder(latest.id)
    book = calibrations(home().root).file
    pulled = sorted((home().root / "records").glob("*/latest.json"))
    return _labels_needed(found.path, stamp(found.summary, book, *pulled))


def newer_runs(gate: GateDecision) -> list[str]:
    """Return finished gate runs of the decision's evalset and candidate that it has not seen."""
    if gate.candidate is None:
        return []
    seen, model = set(gate.candidate.runs), gate.candidate.model
    return [
        e.id
        for e in finished()
        if (e.evalset, e.use, e.model) == (gate.evalset, "gate", model) and e.id not in seen and e.started > gate.at
    ]


def ledger_trouble() -> str:
    """Return why the book of gates cannot be trusted; empty when it can."""
    book = Ledger(home().root)
    return _ledger_trouble(str(home().root), stamp(book.file))


def jobs() -> list[Job]:
    """Return every job, newest first; whether one lives is asked each time."""
    return background.jobs(home())


def _entry(found: RunFolder, known: dict[str, Entry]) -> Entry:
    if not found.summary.exists():
        return entry(found)  # under way: whether its owner lives is asked each time
    key = _stamp(found.summary)
    if key not in known:
        known[key] = entry(found)
    return known[key]


@st.cache_resource(max_entries=8, show_spinner=False)
def _bench(file: str, key: str) -> Workbench:
    return load_workbench(Path(file))


@st.cache_resource(show_spinner=False)
def _entries() -> dict[str, Entry]:
    """Return the finished runs that were read, by stamp: one look in a dict a run, for a list of thousands."""
    return {}


@st.cache_resource(max_entries=50, show_spinner=False)
def _run(path: Path, key: str) -> EvalRun:
    return read_run(RunFolder(path))


@st.cache_resource(max_entries=200, show_spinner=False)
def _worst(path: Path, key: str, scorer: str, size: int) -> list[Row]:
    found = RunFolder(path)
    info = next((info for info in read_run(found).scorers if info.name == scorer), None)
    return [] if info is None else worst_samples(found, info, size)


@st.cache_resource(max_entries=50, show_spinner="Comparing…")
def _comparison(baseline: Path, candidate: Path, key: str) -> Comparison:
    """Return a comparison; kept in the cache, since thousands of samples in dozens of slices take seconds."""
    finished = [Finished.read(RunFolder(path)) for path in (baseline, candidate)]
    summaries = [one.run.model_dump(mode="json") for one in finished]
    file = home().cache / "comparisons" / f"{fingerprint([__version__, CHANGES, summaries])}.json"
    try:
        return Comparison.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        made = compare_all(finished, CHANGES).against[0]
        write_atomic(file, made.json_bytes())
        return made


@st.cache_resource(max_entries=20, show_spinner="Comparing…")
def _ladder(paths: tuple[Path, ...], key: str) -> Ladder:
    finished = [Finished.read(RunFolder(path)) for path in paths]
    return climb([(f"{at} · {one.run.spec.model_name}", one) for at, one in enumerate(finished, 1)])


@st.cache_resource(max_entries=200, show_spinner=False)
def _decision(file: Path, key: str) -> GateDecision:
    return read_last(file)


@st.cache_resource(max_entries=8, show_spinner=False)
def _judges(root: str, key: str) -> Judges:
    try:
        records = calibrations(Path(root)).records()
    except DataError as exc:
        return Judges([], str(exc))
    return Judges(list({c.subject.metric: c for c in records if c.test is not None}.values()), "")


@st.cache_resource(max_entries=50, show_spinner=False)
def _labels_needed(path: Path, key: str) -> list[str]:
    lines = []
    for metric in judged_metrics(read_run(RunFolder(path))):
        try:
            told = needed(bench(), path.name, metric, HALF_WIDTH)
        except WorkbenchError as exc:
            lines.append(f"{metric}: {exc}")
        else:
            lines.append(f"{metric}: {told.why}")
    return lines


@st.cache_resource(max_entries=8, show_spinner=False)
def _ledger_trouble(root: str, key: str) -> str:
    try:
        Ledger(Path(root)).records()
    except DataError as exc:
        return str(exc)
    return ""
