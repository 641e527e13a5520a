"""The demo's own project and its rounds: what is asked of whom, what is labelled, what is trained by which recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.config.evalset_yaml import Evalset, load_evalset
from workbench.config.training_yaml import load_recipe
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.datasets import Manifest, Use
from workbench.jobs.labelling import snapshots
from workbench.jobs.labelling_sources import tasks_from_run
from workbench.jobs.loop import EVALSET, TEMPERATURE, Queue, absolute, samples_of, sampling_copy
from workbench.jobs.planning import Asked, Plan, plan
from workbench.jobs.training import Audience, begin, go_on
from workbench.labelling.snapshot import LATEST, latest_snapshot
from workbench.labelling.tasks import Task
from workbench.models import ModelSpec, RagSpec
from workbench.simulated.annotators import Truth
from workbench.store.files import write_atomic
from workbench.store.home import RunFolder
from workbench.store.weights import hash_model_folder
from workbench.training.folder import TrainRun, folders

HEAD = """\
# Written by `workbench demo`. Everything in this folder was labelled by SIMULATED annotators: no person said any of it.
# Remove the folder to begin anew (workbench argilla down first).
"""
RAG_EVALSET = "helpcentre-rag"
ROUND_1, ROUND_2, VERDICTS = "demo-round-1", "demo-round-2", "demo-verdicts"
"""Labelling datasets: answers of the base edited, answers of the SFT model edited, its dev answers passed or failed."""
CHATS, PAIRS = "demo-chats", "demo-pairs"


@dataclass(frozen=True)
class Size:
    """How much the demo does."""

    folder: str
    """Of its project, in the home of the one that it was started from."""
    first: int | None
    """Train questions whose answer by the base is edited in the first round; `None`: all."""
    second: int | None
    """Train questions whose sampled answer by the SFT model is edited in the second; `None`: all."""
    asked: int | None
    """Dev questions that models are evaluated on; `None`: all."""
    gate: bool
    """Whether the gate side is looked at."""
    epochs: float = 1.0
    """Share of the recipes' epochs that is trained."""


FULL = Size("demo", first=None, second=None, asked=None, gate=True)
SMALL = Size("demo-fast", first=24, second=16, asked=20, gate=False, epochs=0.5)

SFT: dict[str, Any] = {
    "method": {"kind": "sft"}, "adapter": {"kind": "lora", "rank": 32}, "epochs": 2.75, "batch": 16,
    "learning_rate": 2e-3, "threads": 1,
}  # fmt: skip
"""What is left of a recipe: chosen on dev families alone, see demo/experiments.md."""
DPO: dict[str, Any] = {
    "method": {"kind": "dpo", "beta": 0.1, "nll": 1.0}, "adapter": {"kind": "lora", "rank": 32}, "epochs": 5,
    "batch": 8, "learning_rate": 5e-4, "threads": 1,
}  # fmt: skip
"""The same for preferences; it goes on from the SFT adapter."""

# ---------------------------------------------------------------- the project


def demo_project(outer: Workbench, size: Size, runs: Mapping[str, TrainRun]) -> Workbench:
    """Write the demo's own project and return it; `runs` are the trainings finished so far, by model name.

    Raises `ConfigError` where the candidate is no model folder on this machine.
    """
    folder = outer.home.root.absolute() / size.folder
    spec = sampling_copy(outer, folder / "model", "the demo tunes")
    models: dict[str, ModelSpec] = {"base": spec}
    sampling = spec.sampling.model_copy(update={"temperature": TEMPERATURE})
    for name, run in runs.items():
        adapter = str(folder / "home" / "training" / run.id / run.made)
        models[name] = spec.model_copy(update={"adapter": adapter})
    if "sft" in models:
        models["sft-sampled"] = models["sft"].model_copy(update={"sampling": sampling})
    models |= {name: absolute(outer, name) for name in sorted(_judges(outer))}
    for name, model in outer.config.models.items():
        if isinstance(model, RagSpec):
            models[name] = model.model_copy(update={"generator": _best(runs)})
    config = {
        "home": "home",
        "evalsets": str(outer.evalsets.absolute()),
        "models": {name: model.model_dump(mode="json", exclude_defaults=True) for name, model in models.items()},
        "candidate": _best(runs),
        "rag": {
            name: {**index.model_dump(mode="json", exclude_defaults=True),
                   "documents": str(outer.path(index.documents).absolute())}
            for name, index in outer.config.rag.items()
        },
    }  # fmt: skip
    write_atomic(folder / "workbench.yaml", (HEAD + json.dumps(config, indent=2) + "\n").encode())
    return load_workbench(folder / "workbench.yaml")


def _best(runs: Mapping[str, TrainRun]) -> str:
    return next((name for name in ("sft-dpo", "sft") if name in runs), "base")


def _judges(bench: Workbench) -> set[str]:
    return {judge for scorer in _evalset(bench).scorers for judge in scorer.judges()}


def _evalset(bench: Workbench) -> Evalset:
    return load_evalset(bench.evalsets / EVALSET)


# ---------------------------------------------------------------- runs


def asking(bench: Workbench, model: str, use: Use, limit: int | None, *, judged: bool = False) -> Plan:
    """Return the run in which a model answers one side of the help centre's questions; without judges by default."""
    evalset = _evalset(bench)
    kept = evalset.scorers if judged else tuple(scorer for scorer in evalset.scorers if not scorer.judges())
    return plan(bench, Asked(EVALSET, use, model, limit), replace(evalset, scorers=kept))


# ---------------------------------------------------------------- labels


def edits(name: str, folder: RunFolder, model: str, *, failed: bool = False) -> Queue:
    """Return the different answers of a run, each to be kept or edited; with `failed`, those found wrong alone."""
    return Queue(name, "response_edit", tuple(_distinct(folder, model, failed)))


def verdicts(folder: RunFolder, model: str) -> Queue:
    """Return a run's answers to be passed or failed, in doubt by whom judges are measured."""
    return Queue(VERDICTS, "rag_review", tuple(_distinct(folder, model, failed=False)))


def _distinct(folder: RunFolder, model: str, failed: bool) -> list[Task]:
    found: dict[tuple[str, tuple[str, ...]], Task] = {}
    for task in tasks_from_run(folder, failed=failed, scorer=None):
        tags = {**task.tags, "model": model, "annotators": "simulated"}
        plain = task.model_copy(update={"tags": tags, "shown": {}, "suggestions": ()})
        found.setdefault((task.messages[-1].content, task.outputs), plain)
    return list(found.values())


def accepted(bench: Workbench) -> Truth:
    """Return what the simulated annotators know: the accepted answers of the train and the dev side."""
    sides: tuple[Use, ...] = ("train", "dev")
    return {sample.question(): sample.references for use in sides for sample in samples_of(bench, use)}


def was_labelled(bench: Workbench, queue: Queue) -> bool:
    """Return whether just these records were labelled by all who should, and pulled."""
    place = snapshots(bench, queue.name)
    if not (place / LATEST).is_file():
        return False
    snapshot = latest_snapshot(place)
    asked = {(task.id, task.outputs) for task in queue.tasks}
    there = {(task.id, task.outputs) for task in snapshot.tasks()}
    m = snapshot.manifest
    return asked == there and m.n_complete == m.n_records and m.resolution is not None


# ---------------------------------------------------------------- training


def recipe(bench: Workbench, name: str, manifest: Manifest, size: Size, start: str | None) -> Path:
    """Write the recipe of one step beside the demo's workbench.yaml, and return its file."""
    plain = SFT if start is None else DPO
    told = {
        "name": name, "base": "model", "dataset": f"{manifest.name}@{manifest.fingerprint}",
        **plain, "epochs": plain["epochs"] * size.epochs, **({} if start is None else {"start": start}),
    }  # fmt: skip
    file = bench.file.parent / f"{name}.yaml"
    write_atomic(file, (HEAD + json.dumps(told, indent=2) + "\n").encode())
    return file


def trained(bench: Workbench, file: Path, audience: Audience) -> TrainRun:
    """Return what a recipe made: the finished run of the same content, else the unfinished one gone on with, or new."""
    spec = load_recipe(file)
    base = hash_model_folder(bench.path(spec.base), bench.home.cache / "weights.json")
    for folder in reversed(folders(bench.home)):
        started = folder.started()
        if started.spec == spec and started.base_weights == base:
            return folder.finished() or go_on(bench, folder.id, audience)
    return begin(bench, spec, audience)
