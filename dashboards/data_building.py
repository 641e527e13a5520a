"""What the pages that build read, cached by what sources, gate sets and runs are now."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from dashboards import data
from workbench.config.evalset_yaml import FILE, Evalset, load_evalset
from workbench.curation.evalsets.changes import Signed
from workbench.curation.evalsets.choosing import Wanted
from workbench.curation.evalsets.finding import Audit
from workbench.curation.pairs.findings import ScoreCard
from workbench.curation.stored_datasets import Listed, datasets_in, find_dataset, versions_in
from workbench.curation.versions import Diff, diff
from workbench.datasets import Kind
from workbench.jobs.auditing import audit
from workbench.jobs.building_evalsets import CHANGES, Built, build
from workbench.jobs.building_evalsets import since as since_entry
from workbench.jobs.evalset_candidates import Sources, candidates
from workbench.jobs.pairs import Building
from workbench.jobs.pairs_linting import LintWish, lint_dataset
from workbench.jobs.pairs_preview import Preview, preview
from workbench.labelling.stored_snapshots import ListedSnapshot, snapshots_in
from workbench.reading.stored import open_dataset


def snapshots() -> list[ListedSnapshot]:
    """Return what was pulled last of every labelling dataset."""
    return snapshots_in(data.home().root)


def datasets(*kinds: Kind) -> list[Listed]:
    """Return the newest version of every stored dataset of these kinds, by name."""
    return [one for one in _datasets(data.home().root, datasets_stamp()) if one.manifest.kind in kinds]


def versions(label: str) -> list[Listed]:
    """Return the versions of a stored dataset, oldest first."""
    return versions_in(data.home().datasets / label)


def datasets_stamp() -> str:
    """Return what changes when a dataset is stored."""
    folder = data.home().datasets
    return data.stamp(folder, *sorted(folder.glob("*/versions.jsonl")), *sorted(folder.glob("*")))


def sources_stamp() -> str:
    """Return what changes when anything does that sets are built from, or held against."""
    root, evalsets = data.home().root, data.bench().evalsets
    files = (*sorted(root.glob("records/*/latest.json")), root / "picks" / "by_hand.jsonl", root / "runs")
    gates = sorted(path for folder in evalsets.glob(f"*/{FILE}") for path in folder.parent.glob("*.*"))
    return data.stamp(data.bench().file, *files, *gates) + datasets_stamp()


def preview_of(wanted: Building, wish: LintWish) -> Preview:
    """Return what a build would store. Raises as the build does."""
    return _preview(repr((wanted, wish, sources_stamp())), wanted, wish)


def rows_of(wanted: Building) -> int:
    """Return about how many rows the sources of a build have, without reading them."""
    labels = {one.path.parent.name: one.manifest.n_labels for one in snapshots()}
    stored = {one.label: one.manifest.n for one in datasets("pairs", "conversations")}
    runs = {run.id: run.n for run in data.finished()}
    s = wanted.sources
    named = [(labels, (*s.labels, *s.feedback)), (stored, s.datasets), (runs, s.runs)]
    return sum(known.get(name, 0) for known, names in named for name in names)


def card_of(label: str, wish: LintWish) -> ScoreCard:
    """Return the score card of a stored set's newest version. Raises `DataError`."""
    return _card(repr((label, wish, sources_stamp())), label, wish)


def changes_of(label: str) -> Diff | None:
    """Return what is different in a stored set from the version before; `None` where it has only one."""
    found = versions(label)
    return _diff(found[-2].path, found[-1].path) if len(found) > 1 else None


def evalset(name: str) -> Evalset:
    """Return an evalset. Raises `ConfigError` where its file is damaged."""
    return _evalset(name, sources_stamp())


def audit_of(name: str) -> Audit:
    """Return what an evalset can and cannot tell. Raises `DataError`."""
    return _audit(name, sources_stamp() + data.seals([run.id for run in data.finished() if run.evalset == name]))


def since(name: str) -> Diff | None:
    """Return what differs in an evalset from the newest entry of its change log."""
    return _since(name, sources_stamp())


def would_build(name: str, sources: Sources, wanted: Wanted, replace: bool) -> Built:
    """Return what a build of an evalset would do. Raises as the build does."""
    return _would_build(repr((name, sources, wanted, replace, sources_stamp())), name, sources, wanted, replace)


def candidate_tags(sources: Sources) -> list[str]:
    """Return the tags that candidates have. Raises `DataError`."""
    return _candidate_tags(repr((sources, sources_stamp())), sources)


@st.cache_resource(max_entries=20, show_spinner=False)
def _evalset(name: str, key: str) -> Evalset:
    return load_evalset(data.bench().evalsets / name, data.bench())


@st.cache_resource(max_entries=20, show_spinner="Auditing …")
def _audit(name: str, key: str) -> Audit:
    return audit(_evalset(name, key), data.bench())


@st.cache_resource(max_entries=6, show_spinner=False)
def _since(name: str, key: str) -> Diff | None:
    folder = data.bench().evalsets / name
    return since_entry(data.bench(), folder, (folder / CHANGES).read_text("utf-8"))


@st.cache_resource(max_entries=6, show_spinner="Choosing …")
def _would_build(key: str, name: str, _sources: Sources, _wanted: Wanted, replace: bool) -> Built:
    found, left = candidates(data.bench(), _sources)
    signed, now = Signed("you", "…"), datetime.now(UTC)
    return build(data.bench(), name, found, _wanted, signed, now, left=left, replace=replace, dry=True)


@st.cache_resource(max_entries=6, show_spinner=False)
def _candidate_tags(key: str, _sources: Sources) -> list[str]:
    found, _ = candidates(data.bench(), _sources)
    return sorted({tag for one in found for tag in one.sample.tags})


@st.cache_resource(max_entries=4, show_spinner=False)
def _datasets(root: Path, key: str) -> list[Listed]:
    return datasets_in(root)


@st.cache_resource(max_entries=6, show_spinner="Building and linting …")
def _preview(key: str, _wanted: Building, _wish: LintWish) -> Preview:
    return preview(data.bench(), _wanted, _wish, datetime.now(UTC))


@st.cache_resource(max_entries=6, show_spinner="Linting …")
def _card(key: str, label: str, _wish: LintWish) -> ScoreCard:
    find_dataset(data.home().root, label)
    return lint_dataset(data.bench(), label, _wish)


@st.cache_resource(max_entries=6, show_spinner=False)
def _diff(before: Path, after: Path) -> Diff:
    return diff([open_dataset(before)], [open_dataset(after)])
