"""What the data page reads, cached by content: a dataset's version never changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboards import data
from dashboards.data_labels import records_stamp
from workbench.curation.paging import RowPage, row_page
from workbench.curation.quality.filters import LOOKED_FOR, Wanted
from workbench.curation.quality.profile import Profile
from workbench.curation.stored_datasets import Listed, datasets_in, versions_in
from workbench.curation.versions import Diff, diff
from workbench.datasets import Manifest
from workbench.jobs.atlas import Atlas
from workbench.jobs.data_quality import Asked, describe, known_profile
from workbench.jobs.lineage import Family, Node, lineage
from workbench.jobs.row_lineage import row_lineage
from workbench.reading.stored import StoredDataset, open_dataset
from workbench.reading.storing import VERSIONS

ASKED = Wanted(drop=LOOKED_FOR)
"""What `workbench data stats` looks for unasked."""
AT_ONCE = 2000
"""Rows of the largest dataset that a page looks through by itself; larger ones by a job."""


@dataclass(frozen=True)
class Stored:
    """The datasets of the home."""

    newest: list[Listed]
    damaged: list[str]
    """Folders of which no version can be read."""


def datasets() -> Stored:
    """Return the newest version of every dataset."""
    return _datasets(_stamp())


def versions(one: Listed) -> list[Listed]:
    """Return the versions of a dataset, oldest first."""
    return _versions(one.path.parent, _stamp())


def page(one: Listed, start: int, size: int, words: str) -> RowPage:
    """Return some rows of a version. Raises `DataError`."""
    return _page(one.path, data.stamp(one.path / "rows.parquet"), start, size, words, one.manifest)


def profile(one: Listed) -> Profile | None:
    """Return what the rows are like: made now of few, else `None` unless `data stats` was run. Raises `DataError`."""
    asked = Asked(f"{one.label}@{one.path.name}", ASKED)
    known = known_profile(data.bench(), asked, one.manifest.fingerprint)
    if known is None and one.manifest.n <= AT_ONCE:
        return _profile(asked.name)
    return known


def family(one: Listed) -> Family:
    """Return what a version was made from and what was made of it. Raises `DataError`."""
    home = data.home()
    return _family(one.path, _stamp() + records_stamp() + data.stamp(home.runs, home.root / "training"))


def row_origin(one: Listed, row_id: str) -> Node:
    """Return what a row rests on. Raises `DataError`."""
    return row_lineage(_open(one.path, data.stamp(one.path / "rows.parquet")), row_id, Atlas(data.home()))


def difference(before: Listed, after: Listed) -> Diff:
    """Return what differs between two versions. Raises `DataError`."""
    return _difference(before.path, after.path)


def _stamp() -> str:
    folder = data.home().datasets
    return data.stamp(folder, *sorted(folder.glob("*")), *sorted(folder.glob(f"*/{VERSIONS}")))


@st.cache_resource(max_entries=4, show_spinner=False)
def _datasets(key: str) -> Stored:
    home = data.home()
    found = datasets_in(home.root)
    known = {one.path.parent.name for one in found}
    there = [path.name for path in sorted(home.datasets.iterdir())] if home.datasets.is_dir() else []
    return Stored(found, [name for name in there if name not in known and not name.startswith(".")])


@st.cache_resource(max_entries=200, show_spinner=False)
def _versions(folder: Path, key: str) -> list[Listed]:
    return versions_in(folder)


@st.cache_resource(max_entries=100, show_spinner=False)
def _page(path: Path, key: str, start: int, size: int, words: str, _manifest: Manifest) -> RowPage:
    return row_page(path / "rows.parquet", _manifest, start, size, words)


@st.cache_resource(max_entries=20, show_spinner="Looking through the rows…")
def _profile(name: str) -> Profile:
    return describe(data.bench(), Asked(name, ASKED))[1]


@st.cache_resource(max_entries=50, show_spinner=False)
def _family(path: Path, key: str) -> Family:
    return lineage(_open(path, data.stamp(path / "rows.parquet")), Atlas(data.home()))


@st.cache_resource(max_entries=50, show_spinner=False)
def _open(path: Path, key: str) -> StoredDataset:
    return open_dataset(path)


@st.cache_resource(max_entries=20, show_spinner="Comparing…")
def _difference(before: Path, after: Path) -> Diff:
    return diff([open_dataset(before)], [open_dataset(after)])
