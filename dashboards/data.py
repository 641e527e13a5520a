"""What pages read, cached by what the files are now: path, size and time of change.

Values are frozen nouns and shared by all sessions; nothing of a person is kept here. Tables are asked through DuckDB,
a page of rows at a time, and never loaded whole.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from workbench.config.workbench_yaml import Workbench, find_config, load_workbench
from workbench.evaluation.catalogue import Entry, entry
from workbench.evaluation.run import read_run
from workbench.runs import EvalRun
from workbench.store.home import Home, RunFolder

CONFIG = "WORKBENCH_CONFIG"
"""Environment variable that names workbench.yaml; `workbench dashboards` sets it."""


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
    here = home()
    return [_entry(here, run_id) for run_id in reversed(here.run_ids())]


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


def _entry(here: Home, run_id: str) -> Entry:
    found = RunFolder(here.runs / run_id)
    if not found.summary.exists():
        return entry(found)  # under way: whether its owner lives is asked each time
    return _entry_of(found.path, stamp(found.summary))


@st.cache_resource(max_entries=8, show_spinner=False)
def _bench(file: str, key: str) -> Workbench:
    return load_workbench(Path(file))


@st.cache_resource(max_entries=20_000, show_spinner=False)
def _entry_of(path: Path, key: str) -> Entry:
    return entry(RunFolder(path))


@st.cache_resource(max_entries=50, show_spinner=False)
def _run(path: Path, key: str) -> EvalRun:
    return read_run(RunFolder(path))
