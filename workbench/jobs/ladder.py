"""Build a ladder from configuration: plan each rung as an ordinary run, find those that are there, compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.config.derived_models import bare, pinned
from workbench.config.ladder_yaml import LadderSpec
from workbench.config.workbench_yaml import TRAINED, Workbench
from workbench.errors import ConfigError, Problem
from workbench.evaluation.arms import Finished
from workbench.evaluation.ladder import Ability, Ladder, ability, climb
from workbench.jobs.planning import Asked, Plan, finished_run, plan, select
from workbench.models import LocalSpec
from workbench.store.home import RunFolder

LARGE = 2 * 2**30
"""Bytes of weights of all rungs above which they are served one after the other instead of side by side."""


@dataclass(frozen=True)
class Planned:
    """The plans of a ladder."""

    spec: LadderSpec
    rungs: dict[str, Plan]
    """By the rung's name, from the first upwards."""
    keeps: dict[str, dict[str, Plan]]
    """The same of each evalset whose ability is to be kept; only rungs whose model has not come before."""

    def plans(self) -> list[Plan]:
        """Return every plan once: two rungs may be one model."""
        every = [*self.rungs.values(), *(p for rungs in self.keeps.values() for p in rungs.values())]
        return list({(p.spec.evalset, p.spec.model_name): p for p in every}.values())


def plan_ladder(bench: Workbench, spec: LadderSpec, *, on_gate: bool) -> Planned:
    """Plan every rung, before anything is asked. Raises `ConfigError`, `DataError`, `LeakageError`."""
    if spec.use == "gate" and not on_gate:
        what = f"{len(spec.rungs)} models would be asked gate samples, and each could be chosen for having been lucky"
        fix = "take `use: dev`; or add --on-gate: every rung is then recorded as a gate run is"
        raise ConfigError(Problem("GATE_LADDER", what, field="use", got="gate", fix=fix))
    evalset = select(bench, [spec.evalset], spec.use)[0]
    asked = {name: Asked(evalset.name, spec.use, model, spec.limit, spec.repeats) for name, model in spec.rungs.items()}
    rungs = {name: plan(bench, one, evalset) for name, one in asked.items()}
    return Planned(spec, rungs, {name: _keeping(bench, spec, name) for name in spec.keeps})


def missing(bench: Workbench, planned: Planned) -> list[list[Plan]]:
    """Return the plans that have no finished run, in groups whose models are served side by side."""
    found = [p for p in planned.plans() if finished_run(bench, p.spec) is None]
    sizes = [_weights(bench, p.spec.model_name) for p in found]
    together = all(size is not None for size in sizes) and sum(size or 0 for size in sizes) <= LARGE
    return ([found] if found else []) if together else [[p] for p in found]


def built(bench: Workbench, planned: Planned) -> Ladder:
    """Compare the finished runs of all rungs. Raises `DataError` where one is missing or they cannot be compared."""
    ladder = climb(_finished(bench, planned.rungs), planned.spec.metric)
    kept = [one for rungs in planned.keeps.values() for one in _kept(_finished(bench, rungs))]
    return ladder.model_copy(update={"kept": tuple(kept)})


def trained_in(bench: Workbench, ladder: Ladder) -> list[str]:
    """Return the training runs whose models are rungs."""
    names = [bare(bench, rung.model) for rung in ladder.rungs]
    return [name.removeprefix(TRAINED) for name in names if name.startswith(TRAINED)]


def _keeping(bench: Workbench, spec: LadderSpec, name: str) -> dict[str, Plan]:
    """Return plans over an evalset of the rungs' models by themselves, each model once."""
    evalset = select(bench, [name], "dev")[0]
    models: dict[str, str] = {}
    for rung, model in spec.rungs.items():
        alone = bare(bench, pinned(bench, model, evalset.name))
        if alone not in models.values():
            models[rung] = alone
    return {rung: plan(bench, Asked(name, "dev", model, spec.limit), evalset) for rung, model in models.items()}


def _kept(rungs: Sequence[tuple[str, Finished]]) -> list[Ability]:
    """Return what should be kept by each metric of an evalset."""
    return [ability(rungs, info.name) for info in rungs[0][1].run.scorers]


def _finished(bench: Workbench, rungs: dict[str, Plan]) -> Sequence[tuple[str, Finished]]:
    return [(name, Finished.read(_folder(bench, p))) for name, p in rungs.items()]


def _folder(bench: Workbench, planned: Plan) -> RunFolder:
    folder = finished_run(bench, planned.spec)
    assert folder is not None, "every rung has been run before they are compared"
    return folder


def _weights(bench: Workbench, name: str) -> int | None:
    """Return the bytes of a local model's weights, 0 for one that runs elsewhere; `None`: not here yet."""
    spec = bench.model(bare(bench, name))
    if not isinstance(spec, LocalSpec):
        return 0
    base: Path = bench.path(spec.base)
    return sum(file.stat().st_size for file in base.glob("*.safetensors")) if base.is_dir() else None
