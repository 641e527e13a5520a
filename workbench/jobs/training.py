"""Train: find and check everything, open the run's folder, have TRL train, and say what was made."""

from __future__ import annotations

import os
import platform
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, DataError, IncompleteRun, Problem
from workbench.jobs.firewall import guard
from workbench.jobs.model_card import write_card
from workbench.jobs.reported import note_made
from workbench.jobs.supervision import SIGNALS, Stopped
from workbench.jobs.training_sources import Sources, open_sources
from workbench.nouns import fingerprint
from workbench.store.files import write_atomic
from workbench.store.lock import owning
from workbench.store.model_folder import check_model_folder
from workbench.store.weights import hash_model_folder
from workbench.training.checkpoints import clear_after, last_complete
from workbench.training.folder import TrainFolder, TrainRun, TrainStart, find_folder, new_folder, refuse_changes
from workbench.training.progress import Progress
from workbench.training.spec import TrainSpec

Say = Callable[[str], None]
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "safetensors")


@dataclass
class Halt:
    """Whether a signal asked to save and stop."""

    received: list[int] = field(default_factory=list)
    training: bool = False
    """Whether there is something to save; before, a signal ends at once."""

    def __call__(self) -> bool:
        return bool(self.received)


@dataclass(frozen=True)
class Audience:
    """Who is told what."""

    show: Callable[[Progress], None]
    """Told of each measured step."""
    say: Say
    """Told what is worth a sentence."""


def begin(bench: Workbench, spec: TrainSpec, audience: Audience) -> TrainRun:
    """Train a recipe from its beginning. Raises `Stopped` when a signal ended it, after a checkpoint."""
    from workbench.adapters.trl_training import refuse_what_cannot_run

    refuse_what_cannot_run(spec)
    sources = open_sources(bench, spec)
    start = _start(bench, sources)
    folder = _shared_folder(bench, spec)
    for note in sources.rows.notes:
        audience.say(note)
    if sources.rows.dropped:
        audience.say(f"{len(sources.rows.dropped)} rows are longer than max_length and left out")
    with _owning(folder):
        if _rank() == 0:
            write_atomic(folder.spec, start.json_bytes())
        return _train(bench, sources, start, folder, None, audience)


def go_on(bench: Workbench, run_id: str, audience: Audience) -> TrainRun:
    """Go on with an unfinished run from its last complete checkpoint. Raises `ConfigError` where an input changed."""
    from workbench.adapters.trl_training import refuse_what_cannot_run

    folder = find_folder(bench.home, run_id, finished=False)
    if folder.summary.exists():
        fix = "begin a new run from its adapter: `start: ID` in a recipe"
        raise ConfigError(Problem("FINISHED_TRAINING", "this run is finished", str(folder.path), fix=fix))
    before = folder.started()
    refuse_what_cannot_run(before.spec)
    sources = open_sources(bench, before.spec)
    now = _start(bench, sources)
    refuse_changes(before.identity(), now.identity(), folder.spec)
    with _owning(folder):
        checkpoint, passed = last_complete(folder.checkpoints)
        for why in passed:
            audience.say(f"passed over {why}")
        if _rank() == 0:
            clear_after(folder.checkpoints, checkpoint)
        audience.say(f"going on from {checkpoint.name if checkpoint else 'the beginning: no checkpoint is complete'}")
        return _train(bench, sources, before, folder, checkpoint, audience)


def _start(bench: Workbench, sources: Sources) -> TrainStart:
    """Check base, start and firewall, and return what a run of these sources is begun with."""
    cache = bench.home.cache / "weights.json"
    check_model_folder(sources.base, sources.start, cache)
    checked = guard(sources.dataset.iter_values(), bench, what=sources.spec.dataset)
    dataset, dev = sources.manifests()
    dev_tokens = "" if sources.dev_rows is None else sources.dev_rows.digest()
    return TrainStart(
        spec=sources.spec, dataset=dataset, dev=dev, base_weights=hash_model_folder(sources.base, cache),
        start_weights="" if sources.start is None else hash_model_folder(sources.start, cache),
        template=sources.template.sha256, tokens=fingerprint([sources.rows.digest(), dev_tokens]),
        firewall=checked.rule(), steps=sources.spec.steps(len(sources.rows.rows()), _processes()),
        dropped=sources.rows.dropped, environment=_environment(),
    )  # fmt: skip


def _train(
    bench: Workbench, sources: Sources, start: TrainStart, folder: TrainFolder, checkpoint: Path | None, to: Audience
) -> TrainRun:
    from workbench.adapters.trl_training import Task, train

    note_made("training", folder.id)
    with halting() as halt:
        task = Task(
            spec=start.spec, base=sources.base, start=sources.start, base_weights=start.base_weights,
            template=start.template, rows=sources.rows, dev=sources.dev_rows, steps=start.steps, folder=folder,
            resume=checkpoint, references=bench.home.cache / "references" / _reference_key(start),
            show=to.show, halted=halt,
        )  # fmt: skip
        halt.training = True
        done = train(task)
    if done.halted:
        raise Stopped(halt.received[0])
    run = TrainRun(
        id=folder.id, start=start, state="stopped early" if done.steps < start.steps else "finished", why=done.why,
        steps=done.steps, made=done.made.name, weights=hash_model_folder(done.made), seconds=done.seconds,
        peak_bytes=done.peak, at=datetime.now(UTC),
        last=next((row for row in reversed(done.rows) if row.split == "train"), None),
        dev=next((row for row in reversed(done.rows) if row.split == "dev"), None),
    )  # fmt: skip
    if _rank() == 0:
        write_atomic(folder.summary, run.json_bytes())
        _tell_of(bench, folder, to)
    return run


def _tell_of(bench: Workbench, folder: TrainFolder, to: Audience) -> None:
    """Write the model's card; the training is finished without it."""
    try:
        write_card(bench, folder.id)
    except (DataError, IncompleteRun) as exc:
        to.say(f"no card was written ({exc}); write it with: workbench model card {folder.id}")


def _reference_key(start: TrainStart) -> str:
    """Return a name made of all that the reference's log-probabilities depend on, besides the tokens."""
    return fingerprint([start.base_weights, start.start_weights, start.spec.precision, start.environment["trl"]])


# ---------------------------------------------------------------- signals


@contextmanager
def halting() -> Iterator[Halt]:
    """Yield what signals are noted in: the first has a checkpoint saved at the end of the step, the second ends it."""
    halt = Halt()

    def on_signal(number: int, _: object) -> None:
        halt.received.append(number)
        if len(halt.received) > 1 or not halt.training:
            raise Stopped(number)

    before = {number: signal.signal(number, on_signal) for number in SIGNALS}
    try:
        yield halt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# ---------------------------------------------------------------- where it runs


def _environment() -> dict[str, str]:
    found = {name: version(name) for name in PACKAGES}
    return found | {"python": platform.python_version(), "machine": platform.machine(), "processes": str(_processes())}


def _processes() -> int:
    """Return how many processes `accelerate launch` or `torchrun` started for this run."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _rank() -> int:
    return int(os.environ.get("RANK", "0"))


def _shared_folder(bench: Workbench, spec: TrainSpec) -> TrainFolder:
    """Return a fresh run's folder, the same in every process."""
    from workbench.adapters.trl_training.processes import agreed

    return TrainFolder(Path(agreed(str(new_folder(bench.home, spec, datetime.now(UTC)).path))))


@contextmanager
def _owning(folder: TrainFolder) -> Iterator[None]:
    """Own the run's folder; of several processes the first one does, for all."""
    if _rank():
        yield
        return
    with owning(folder.path):
        yield
