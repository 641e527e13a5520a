"""What the training page reads: runs, recipes, plans, what is left to compare by hand."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from dashboards import data, data_building
from workbench.errors import DataError
from workbench.jobs.background import Job
from workbench.jobs.by_hand import samples_to_compare
from workbench.jobs.training_plan import TrainPlan, plan_training
from workbench.jobs.training_recipes import Recipe
from workbench.jobs.training_recipes import recipes as recipes_in
from workbench.store.lock import owner_of
from workbench.training.folder import TrainFolder, TrainRun, TrainStart, folders
from workbench.training.losses import LossRow, read_losses
from workbench.training.progress import Progress
from workbench.training.spec import TrainSpec


class Training(NamedTuple):
    """A training run as it stands."""

    folder: TrainFolder
    state: str
    """`running` · `unfinished`: can be gone on with · `finished` · `stopped early` · `damaged`."""
    start: TrainStart | None
    """`None` where it is damaged."""
    run: TrainRun | None
    """`None` until it is finished."""
    note: str = ""
    """What is damaged."""


def trainings() -> list[Training]:
    """Return every training run, newest first; a damaged one is listed as such."""
    return [training(folder) for folder in reversed(folders(data.home()))]


def training(folder: TrainFolder) -> Training:
    """Return one training run as it stands."""
    try:
        start, run = _told(folder.path, data.stamp(folder.spec, folder.summary))
    except DataError as exc:
        return Training(folder, "damaged", None, None, str(exc))
    if run is not None:
        return Training(folder, run.state, start, run)
    return Training(folder, "unfinished" if owner_of(folder.path) is None else "running", start, None)


def losses(folder: TrainFolder) -> list[LossRow]:
    """Return what was measured so far. Raises `DataError` for a damaged table."""
    return _losses(folder.losses, data.stamp(folder.losses))


def progress(folder: TrainFolder) -> Progress | None:
    """Return how far a run is; `None` where nobody wrote it down."""
    try:
        return Progress.model_validate_json(folder.progress.read_bytes())
    except (OSError, ValueError):
        return None


def job_of(run_id: str) -> Job | None:
    """Return the newest job that writes this training run."""
    return next((job for job in data.jobs() if any(m.kind == "training" and m.id == run_id for m in job.made)), None)


def recipes() -> list[Recipe]:
    """Return the project's recipes."""
    root = data.bench().file.parent
    return _recipes(str(root), data.stamp(root, root / "recipes", *root.glob("*.yaml"), *root.glob("recipes/*.yaml")))


def plan_of(spec: TrainSpec, hardware: str, memory: float | None) -> TrainPlan:
    """Return what a recipe would take. Raises what training would."""
    key = f"{spec.model_dump_json()}|{hardware}|{memory}|{data_building.datasets_stamp()}"
    return _plan(key, spec, hardware, memory)


def to_compare(run_a: str, run_b: str) -> list[str]:
    """Return the samples that two runs answered differently, in an order by lot. Raises as the comparison does."""
    return _to_compare(run_a, run_b, data.seals([run_a, run_b]))


@st.cache_resource(max_entries=500, show_spinner=False)
def _told(path: Path, key: str) -> tuple[TrainStart, TrainRun | None]:
    folder = TrainFolder(path)
    return folder.started(), folder.finished()


@st.cache_resource(max_entries=20, show_spinner=False)
def _losses(path: Path, key: str) -> list[LossRow]:
    return read_losses(path)


@st.cache_resource(max_entries=2, show_spinner=False)
def _recipes(root: str, key: str) -> list[Recipe]:
    return recipes_in(data.bench())


@st.cache_resource(max_entries=20, show_spinner="Planning …")
def _plan(key: str, _spec: TrainSpec, hardware: str, memory: float | None) -> TrainPlan:
    return plan_training(data.bench(), _spec, hardware, memory)


@st.cache_resource(max_entries=10, show_spinner=False)
def _to_compare(run_a: str, run_b: str, key: str) -> list[str]:
    return samples_to_compare(data.bench(), run_a, run_b)
