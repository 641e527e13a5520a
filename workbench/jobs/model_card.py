"""The card of a trained model, gathered from the home: its run, its rows' lineage, the runs that measured it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from workbench.config.workbench_yaml import TRAINED, Workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.errors import DataError, Problem
from workbench.evaluation.run import read_run
from workbench.jobs.atlas import Atlas
from workbench.jobs.lineage import Node, lineage
from workbench.reports.as_markdown import markdown
from workbench.reports.model_card import card_document
from workbench.runs import EvalRun
from workbench.store.files import write_atomic
from workbench.store.home import RunFolder
from workbench.training.folder import TrainFolder, TrainRun, find_folder
from workbench.training.losses import read_losses

DEEP = 4
"""Steps of lineage that a card tells."""
WIDE = 40
"""Lines of lineage that a card tells."""


def write_card(bench: Workbench, run_id: str) -> Path:
    """Write `card.md` of a finished training run and return its path. Raises `DataError`."""
    folder = find_folder(bench.home, run_id, finished=True)
    run = folder.finished()
    if run is None:
        fix = f"finish it: workbench train resume {folder.id}"
        raise DataError(Problem("NO_ADAPTER", "this training run is not finished", str(folder.path), fix=fix))
    document = card_document(run, read_losses(folder.losses), _lineage(bench, run), list(measured(bench, folder)))
    write_atomic(folder.card, markdown(document).encode())
    return folder.card


def measured(bench: Workbench, folder: TrainFolder) -> Iterator[EvalRun]:
    """Yield the finished runs of what a training run made, oldest first."""
    for run_id in bench.home.run_ids():
        found = RunFolder(bench.home.runs / run_id)
        if found.summary.exists() and (run := _readable(found)) is not None and _is_of(run, folder):
            yield run


def _readable(folder: RunFolder) -> EvalRun | None:
    try:
        return read_run(folder)
    except DataError:
        return None  # a damaged run is told by `eval ls`; a card leaves it out


def _is_of(run: EvalRun, folder: TrainFolder) -> bool:
    """Whether a run's model is what was made here: by its name, or by the folder of its adapter or weights."""
    paths = [run.spec.model.get("adapter"), run.spec.model.get("base")]
    by_path = any(path is not None and Path(str(path)).parent.name == folder.id for path in paths)
    return by_path or run.spec.model_name.split("+")[0] == f"{TRAINED}{folder.id}"


def _lineage(bench: Workbench, run: TrainRun) -> list[str]:
    """Return what the rows come from, a line each, indented; what is gone from the home is said to be."""
    name = f"{run.start.dataset.name}@{run.start.dataset.fingerprint}"
    try:
        parents = lineage(find_dataset(bench.home.root, name), Atlas(bench.home)).parents
    except DataError:
        return [f"{name} is no longer in this home"]
    lines = list(_lines(parents, 0))
    return lines[:WIDE] + ([f"… and {len(lines) - WIDE} more: workbench data show"] if len(lines) > WIDE else [])


def _lines(nodes: Iterable[Node], deep: int) -> Iterator[str]:
    for node in nodes:
        yield f"{'  ' * deep}{node.kind} {node.name}{f': {node.note}' if node.note else ''}"
        if deep + 1 < DEEP:
            yield from _lines(node.nodes, deep + 1)
