"""A sweep: train every trial, tell them apart on dev, confirm the winner on samples that chose nothing.

The trials are ordinary training runs and evaluations, found again by what they are made of, so that a sweep that was
stopped goes on where it was. What is decided is written to `<home>/sweeps/<name>/sweep.json` after every trial.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from workbench.config.sweep_yaml import SweepSpec, trials
from workbench.config.workbench_yaml import TRAINED, Workbench
from workbench.curation.sides import overlaps
from workbench.datasets import Sample, Split, split_of
from workbench.errors import ConfigError, DataError, LeakageError, Problem
from workbench.evaluation.arms import Finished, SampleScores, sample_scores
from workbench.evaluation.compare import difference
from workbench.evaluation.comparison import MetricDifference
from workbench.evaluation.ladder import surely
from workbench.jobs.planning import Asked, Plan, finished_run, plan, select
from workbench.nouns import Many, Noun, fingerprint
from workbench.reading.stored import StoredDataset
from workbench.runs import ScorerInfo
from workbench.store.files import write_atomic
from workbench.training.folder import TrainFolder, folders
from workbench.training.spec import Full, TrainSpec

HALVES = Split(salt="workbench-sweep", dev=0.5, gate=0.5)
"""Divides families: `dev` here chooses, `gate` confirms. It has nothing to do with an evalset's own sides."""


class Trial(Noun):
    """One setting of a sweep."""

    name: str
    """Name of the recipe that was trained."""
    rank: int | None
    """Rank of its adapter; `None` without one."""
    learning_rate: float
    """Its peak rate."""
    training: str
    """Id of the training run."""
    run: str = ""
    """Id of the evaluation; empty until there is one."""
    value: float | None = None
    """Mean of the metric over the samples that choose."""
    n: int = Field(0, ge=0)
    """How many of them are scored."""
    dev_loss: float | None = None
    """Its last loss on the dev set."""


class Sweep(Noun):
    """A sweep, as far as it is."""

    spec: SweepSpec
    """What was asked."""
    metric: str = ""
    """The metric that tells trials apart."""
    trials: Many[Trial] = ()
    """The recipe first; those that are trained."""
    winner: str = ""
    """Name of the trial with the best mean; of equals the one that comes first."""
    confirmed_on: str = ""
    """What the winner was confirmed on."""
    confirmation: MetricDifference | None = None
    """The winner minus the recipe as it was, on samples that chose nothing; `None` where they are the same."""
    holds: bool = False
    """Whether the winner is surely better there."""


@dataclass(frozen=True)
class Sweeping:
    """A sweep that is under way."""

    bench: Workbench
    spec: SweepSpec
    recipe: TrainSpec

    @property
    def file(self) -> Path:
        """Where it is written down."""
        told = [self.spec.settings(), self.recipe.settings()]
        return self.bench.home.root / "sweeps" / f"{self.recipe.name}-{fingerprint(told)[:12]}" / "sweep.json"

    def wanted(self) -> dict[str, TrainSpec]:
        """Return the trials by name. Raises `ConfigError` where they have no rank to vary."""
        if self.spec.ranks and isinstance(self.recipe.adapter, Full):
            what, fix = "this recipe trains all weights and has no rank", "leave `ranks` out"
            raise ConfigError(Problem("NO_RANK", what, self.spec.recipe, field="ranks", fix=fix))
        return trials(self.spec, self.recipe)

    def trained(self, spec: TrainSpec) -> TrainFolder | None:
        """Return the newest training run of a trial, finished or not."""
        return next((f for f in reversed(folders(self.bench.home)) if _is_of(f, spec)), None)

    def plan(self, evalset: str, training: str) -> Plan:
        """Return the evaluation of what a training made, on an evalset's dev side."""
        found = select(self.bench, [evalset], "dev")[0]
        return plan(self.bench, Asked(evalset, "dev", f"{TRAINED}{training}"), found)

    def write(self, sweep: Sweep) -> Sweep:
        """Write down how far it is."""
        write_atomic(self.file, sweep.json_bytes())
        return sweep

    def check(self) -> None:
        """Check what can be before anything is trained. Raises `ConfigError`, `DataError`.

        Raises `LeakageError` where the confirming evalset asks what the choosing one asks.
        """
        self.wanted()
        scorers = [scorer.info().name for scorer in select(self.bench, [self.spec.evalset], "dev")[0].scorers]
        if self.spec.metric and self.spec.metric not in scorers:
            raise _unknown(self.spec.metric, scorers)
        if self.spec.confirm is None:
            return
        both = {name: _samples(self.bench, name) for name in (self.spec.evalset, self.spec.confirm)}
        chosen = {s.family() for s in both[self.spec.evalset]}
        found = [s.id for s in both[self.spec.confirm] if s.family() in chosen]
        found += [o.second.id for o in overlaps({n: [(s.id, s.question()) for s in rows] for n, rows in both.items()})]
        if found:
            what = f"{len(found)} samples would confirm that also choose, or nearly the same ones"
            fix = "name an evalset of other families, or leave `confirm` out"
            told = ", ".join(found[:5])
            raise LeakageError(Problem("CONFIRM_SEEN", what, field="confirm", got=told, fix=fix))


def chosen(sweeping: Sweeping, found: Mapping[str, Finished]) -> Sweep:
    """Return the sweep with its winner, by the mean over the samples that choose. `found` are runs by trial."""
    info = _metric(next(iter(found.values())), sweeping.spec.metric)
    made = [_judged(sweeping, name, run, info.name) for name, run in found.items()]
    sign = 1 if info.better == "higher" else -1
    best = max((t for t in made if t.value is not None), key=lambda t: sign * (t.value or 0.0), default=None)
    if best is None:
        raise DataError(Problem("NO_SCORES", "no trial has a score by which to choose", field="metric", got=info.name))
    return Sweep(spec=sweeping.spec, metric=info.name, trials=tuple(made), winner=best.name)


def confirmed(sweep: Sweep, before: Finished, winner: Finished) -> Sweep:
    """Return the sweep with the winner held against the recipe as it was, on samples that chose nothing."""
    info = _metric(winner, sweep.metric if sweep.spec.confirm is None else "")
    old, new = (_of_half(sample_scores([run], info.name), sweep.spec, "gate") for run in (before, winner))
    found = difference({name: (old[name], scores) for name, scores in new.items()}, info)
    on = sweep.spec.confirm or f"{sweep.spec.evalset}, the families that did not choose"
    return sweep.model_copy(update={"confirmation": found, "confirmed_on": on, "holds": surely(found) > 0})


def finished(sweeping: Sweeping, evalset: str, training: str) -> Finished | None:
    """Return the finished evaluation of what a training made, if there is one."""
    folder = finished_run(sweeping.bench, sweeping.plan(evalset, training).spec)
    return None if folder is None else Finished.read(folder)


def _judged(sweeping: Sweeping, name: str, run: Finished, metric: str) -> Trial:
    spec = sweeping.wanted()[name]
    folder = sweeping.trained(spec)
    done = None if folder is None else folder.finished()
    scores = _of_half(sample_scores([run], metric), sweeping.spec, "dev")
    values = [s.mean for s in scores.values() if s.mean is not None]
    return Trial(
        name=name, rank=None if isinstance(spec.adapter, Full) else spec.adapter.rank, learning_rate=spec.rate(),
        training="" if folder is None else folder.id, run=run.run.id,
        value=sum(values) / len(values) if values else None, n=len(values),
        dev_loss=None if done is None or done.dev is None else done.dev.loss,
    )  # fmt: skip


def _of_half(scores: Mapping[str, SampleScores], spec: SweepSpec, half: str) -> dict[str, SampleScores]:
    """Return the scores of the families of one half; all of them where another evalset confirms."""
    if spec.confirm is not None:
        return dict(scores)
    return {name: s for name, s in scores.items() if split_of(s.family, HALVES) == half}


def _metric(run: Finished, wanted: str) -> ScorerInfo:
    info = run.info(wanted or run.run.scorers[0].name)
    if info is None:
        raise _unknown(wanted, [i.name for i in run.run.scorers])
    return info


def _unknown(wanted: str, names: Iterable[str]) -> DataError:
    fix = f"it has: {', '.join(names)}"
    return DataError(Problem("UNKNOWN_METRIC", "the evalset has no such metric", field="metric", got=wanted, fix=fix))


def _is_of(folder: TrainFolder, wanted: TrainSpec) -> bool:
    """Whether a training run is of a recipe, whose datasets may be named by the beginning of their fingerprint."""
    try:
        began = folder.started().spec
    except DataError:
        return False  # a damaged run is listed as such and hinders no sweep
    same = {"dataset": wanted.dataset, "dev": wanted.dev}
    pinned = began.dataset.startswith(wanted.dataset) and (began.dev or "").startswith(wanted.dev or "")
    return pinned and (began.dev is None) == (wanted.dev is None) and began.model_copy(update=same) == wanted


def _samples(bench: Workbench, evalset: str) -> list[Sample]:
    stored: StoredDataset = select(bench, [evalset], "dev")[0].rows("dev", bench.home)
    return list(_each(stored))


def _each(stored: StoredDataset) -> Iterable[Sample]:
    for some in stored.iter_samples():
        yield from (sample for _, sample in some)
