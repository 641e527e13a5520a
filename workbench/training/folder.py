"""A training run's folder, what its spec.json and summary.json say, and what may not change between its parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import AwareDatetime, ValidationError

from workbench.datasets import Manifest
from workbench.errors import ConfigError, DataError, Problem
from workbench.nouns import Many, Noun, fingerprint
from workbench.store.home import Home
from workbench.training.losses import LossRow
from workbench.training.spec import TrainSpec

T = TypeVar("T", bound=Noun)

RUN_ID = re.compile(r"[0-9]{8}-[0-9]{9}-[A-Za-z0-9][A-Za-z0-9_.-]{0,100}")


class TrainStart(Noun):
    """What a run was begun with: everything that can change what it makes."""

    spec: TrainSpec
    """The recipe."""
    dataset: Manifest
    """What is learnt from."""
    dev: Manifest | None = None
    """What is looked at meanwhile."""
    base_weights: str
    """Content hash of the base model's folder."""
    start_weights: str = ""
    """Content hash of the adapter that is gone on from."""
    template: str
    """Hash of the base's chat template."""
    tokens: str
    """Hash of all tokens and labels that are learnt."""
    firewall: dict[str, str] = {}
    """What the rows were held against."""
    steps: int
    """Optimizer steps of the whole run."""
    dropped: Many[str] = ()
    """Ids of rows left out because they are too long."""
    environment: dict[str, str] = {}
    """Versions and device."""

    def identity(self) -> dict[str, str]:
        """Return what a resumed run must agree in, each with its fingerprint."""
        free = {"keep", "report_to", "log_every"}
        return {
            "recipe": fingerprint(self.spec.settings(free)),
            "dataset": self.dataset.fingerprint,
            "dev": self.dev.fingerprint if self.dev else "",
            "base weights": self.base_weights,
            "start adapter": self.start_weights,
            "chat template": self.template,
            "tokens": self.tokens,
        }


State = Literal["finished", "stopped early"]


class TrainRun(Noun):
    """A finished training run."""

    id: str
    """The folder's name."""
    start: TrainStart
    """What it was begun with."""
    state: State
    """Whether it came to its planned end."""
    why: str = ""
    """Why it ended early."""
    steps: int
    """Optimizer steps made."""
    made: str
    """Folder of what was made, within the run's: `adapter`, or `model` where all weights were trained."""
    weights: str
    """Content hash of what was made."""
    seconds: float
    """Seconds trained, over all parts."""
    peak_bytes: int | None = None
    """Most memory used, as the system or the GPU tells; of a resumed run that of its last part."""
    last: LossRow | None = None
    """The last row on the training rows."""
    dev: LossRow | None = None
    """The last row on the dev set."""
    at: AwareDatetime
    """When it was finished."""


@dataclass(frozen=True)
class TrainFolder:
    """Paths within one training run."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def spec(self) -> Path:
        return self.path / "spec.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def adapter(self) -> Path:
        return self.path / "adapter"

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def losses(self) -> Path:
        return self.path / "losses.parquet"

    @property
    def progress(self) -> Path:
        return self.path / "progress.json"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def card(self) -> Path:
        return self.path / "card.md"

    def started(self) -> TrainStart:
        """Return what the run was begun with. Raises `DataError` where that cannot be read."""
        return _read(self.spec, TrainStart)

    def finished(self) -> TrainRun | None:
        """Return the run where it is finished."""
        return _read(self.summary, TrainRun) if self.summary.exists() else None


def new_folder(home: Home, spec: TrainSpec, now: datetime) -> TrainFolder:
    """Return a fresh run's paths; the id says when and what."""
    stamp = now.astimezone(UTC).strftime("%Y%m%d-%H%M%S%f")[:-3]
    return TrainFolder(training_of(home) / f"{stamp}-{spec.name}-{spec.method.kind}")


def training_of(home: Home) -> Path:
    """Return the folder of a home's training runs."""
    return home.root / "training"


def folders(home: Home) -> list[TrainFolder]:
    """Return all training runs, oldest first."""
    root = training_of(home)
    names = sorted(p.name for p in root.iterdir() if RUN_ID.fullmatch(p.name)) if root.is_dir() else []
    return [TrainFolder(root / name) for name in names if (root / name / "spec.json").is_file()]


def find_folder(home: Home, wanted: str, finished: bool | None = None) -> TrainFolder:
    """Return a run by its id, a beginning or ending of it, or `latest`, which with `finished` is the latest so."""
    every = folders(home)
    found = [f for f in every if f.id == wanted]
    if wanted == "latest":
        found = [f for f in every if finished is None or f.summary.exists() == finished][-1:]
    found = found or [f for f in every if wanted and (f.id.startswith(wanted) or f.id.endswith(wanted))]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} training runs match this id" if found else "no training run has this id"
    fix = "see `workbench train ls`" if every else "start one with `workbench train sft RECIPE`"
    raise DataError(Problem("UNKNOWN_TRAINING", what, str(training_of(home)), got=wanted, fix=fix))


def refuse_changes(before: Mapping[str, str], now: Mapping[str, str], where: Path) -> None:
    """Raise `ConfigError` naming each input that is no longer what the run was begun with."""
    changed = [
        Problem("TRAINING_CHANGED", f"the {name} changed since this run began: was {before[name] or 'none'}",
                str(where), got=now[name] or "none", fix="put it back, or begin a new run")
        for name in before if before[name] != now[name]
    ]  # fmt: skip
    if changed:
        raise ConfigError(changed)


def _read(path: Path, noun: type[T]) -> T:
    try:
        return noun.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as exc:
        what = f"this file of a training run cannot be read: {str(exc).splitlines()[0]}"
        raise DataError(Problem("TRAINING_DAMAGED", what, str(path), fix="restore the run's folder")) from exc
