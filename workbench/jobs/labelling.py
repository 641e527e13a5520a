"""Labelling from a configuration: connect, push, pull, look how far it is."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.config.labelling_yaml import load_template
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, DataError, LabellingError, Problem
from workbench.jobs.labelling_sources import refuse_unfit
from workbench.labelling.adjudicating import SUFFIX, decisions, queue
from workbench.labelling.pulling import read_all, read_moment
from workbench.labelling.pushing import Pushed, push
from workbench.labelling.resolving import Resolution
from workbench.labelling.server import About, RemoteDataset
from workbench.labelling.snapshot import Settling, Snapshot, store_snapshot
from workbench.labelling.tasks import Task
from workbench.reading.paths import outside

if TYPE_CHECKING:
    from workbench.adapters.argilla_sdk import Argilla

Watch = Callable[[int, int], None]
"""Told how many of how many are done."""


@dataclass(frozen=True)
class Wish:
    """What a push is asked for, beside the tasks."""

    dataset: str
    template: str
    source: str
    """Where the tasks come from, for messages."""
    overlap: int | None = None
    """Answers a record; the template's when left out."""
    suggestions: bool = True
    """Off, nothing is suggested even where the template would allow it."""
    seed: str | None = None
    """Seed of the blinded order; the dataset's name when left out."""


def connected(bench: Workbench) -> Argilla:
    """Return the labelling server of a configuration. Raises `ConfigError` and `LabellingError`."""
    from workbench.adapters.argilla_sdk import connect

    url, key = address(bench)
    return connect(url, key, bench.config.labelling.workspace)


def push_tasks(bench: Workbench, server: Argilla, tasks: Sequence[Task], wish: Wish, watch: Watch) -> Pushed:
    """Push tasks into a dataset of one template. Raises `DataError` before anything is written if one is unfit."""
    snapshots(bench, wish.dataset)  # what could never be pulled is not pushed
    template = load_template(bench, wish.template)
    form = template.form(_candidates(tasks, wish.source) if template.spec.compares() else 1)
    if not (wish.suggestions and template.spec.suggestions):
        tasks = [task.model_copy(update={"suggestions": ()}) for task in tasks]
    refuse_unfit(tasks, form, wish.source)
    model = bench.config.labelling.embedding
    vectors = {} if model is None else asyncio.run(_embedded(model, tasks))
    size = len(next(iter(vectors.values()))) if vectors else None
    about = About(
        form=form,
        seed=wish.seed or wish.dataset,
        overlap=wish.overlap or template.spec.overlap,
        hidden_tags=template.spec.hidden_tags,
        vector_size=size,
        vector_model=model,
    )
    return push(server, wish.dataset, about, tasks, vectors, watch)


def pull_dataset(bench: Workbench, server: Argilla, name: str, watch: Watch, how: Resolution | None = None) -> Snapshot:
    """Store what the server holds of a dataset as a snapshot; with `how`, conflicts are resolved too."""
    dataset = remote(server, name)
    settling = None if how is None else _settling(bench, server, name, how, watch)
    records = read_moment(server, dataset, watch)
    return store_snapshot(snapshots(bench, name), dataset, records, server.names(), settling)


def queue_disagreements(bench: Workbench, server: Argilla, name: str, watch: Watch) -> tuple[str, Pushed]:
    """Push the records on which people differ into a queue for an adjudicator; return its name."""
    dataset = remote(server, name)
    snapshot = pull_dataset(bench, server, name, watch)
    tasks, about = queue(snapshot.tasks(), snapshot.labels(), dataset.about, name)
    if not tasks:
        return name + SUFFIX, Pushed(0, 0, 0)
    plain = about.model_copy(update={"vector_size": None, "vector_model": None})
    there = server.dataset(name + SUFFIX)
    answered = set() if there is None else {r.id for r in read_all(server, there, watch).records.values() if r.answers}
    fresh = [task for task in tasks if task.id not in answered]  # what is being decided stays as the adjudicator saw it
    return name + SUFFIX, push(server, name + SUFFIX, plain, fresh, {}, watch)


def _settling(bench: Workbench, server: Argilla, name: str, how: Resolution, watch: Watch) -> Settling:
    """Return how conflicts are resolved, with the adjudicators' decisions where they count."""
    there = server.dataset(name + SUFFIX) if "adjudicated" in how.policies else None
    if there is None:
        return Settling(how)
    decided = pull_dataset(bench, server, name + SUFFIX, watch)
    return Settling(how, decisions(decided.labels(), there.about.form), decided.manifest.fingerprint)


def snapshots(bench: Workbench, name: str) -> Path:
    """Return the folder of a dataset's snapshots. Raises `DataError` for a name that leads elsewhere.

    Whoever may make datasets on the server chooses their names.
    """
    folder = bench.home.root / "records"
    why = "the name is no single part of a path" if name == "." or "/" in name else outside(folder, name)
    if why:
        fix = "give the dataset in Argilla a plain name, such as review-1"
        raise DataError(Problem("PATH_OUTSIDE", why, field="dataset", got=name, fix=fix))
    return folder / name


def remote(server: Argilla, name: str) -> RemoteDataset:
    """Return a dataset that is there. Raises `LabellingError`."""
    dataset = server.dataset(name)
    if dataset is None:
        there = ", ".join(server.datasets()) or "none"
        raise LabellingError(f"the workspace has no dataset '{name}'; it has: {there}")
    return dataset


def address(bench: Workbench) -> tuple[str, str]:
    """Return URL and key: the team's server, or the embedded one's. Raises `ConfigError` and `LabellingError`."""
    config = bench.config.labelling
    if config.url is not None and config.api_key_env is not None:
        if key := os.environ.get(config.api_key_env):
            return config.url, key
        fix = f"export {config.api_key_env}=…"
        what = "the environment variable is not set"
        raise ConfigError(Problem("ENV_UNSET", what, str(bench.file), None, "labelling.api_key_env", None, fix))
    home = bench.home.root / Path(config.argilla).expanduser()
    try:
        settings, owner = (json.loads((home / name).read_bytes()) for name in ("settings.json", "owner.json"))
        return f"http://127.0.0.1:{settings['port']}", owner["api_key"]
    except (OSError, ValueError, KeyError) as exc:
        raise LabellingError(
            f"no embedded Argilla in {home}: start it with `workbench argilla up`, or give labelling.url and "
            f"labelling.api_key_env of another one in {bench.file}"
        ) from exc


def _candidates(tasks: Sequence[Task], source: str) -> int:
    """Return how many answers each task compares. Raises `DataError` unless it is the same number, from 2 to 4."""
    counts = {len(task.outputs) for task in tasks}
    if len(counts) == 1 and (n := counts.pop()) in (2, 3, 4):
        return n
    first = {n: next(task.id for task in tasks if len(task.outputs) == n) for n in sorted(counts)}
    got = ", ".join(f"{n} in '{id}'" for n, id in first.items()) or "no record"
    what = "records of one dataset compare the same number of outputs, 2, 3 or 4"
    raise DataError(Problem("CANDIDATES", what, source, None, "outputs", got, "push each number into its own dataset"))


async def _embedded(model: str, tasks: Sequence[Task]) -> dict[str, list[float]]:
    """Return a vector per record id."""
    from workbench.adapters.sentence_transformers import Embedder

    embedder = Embedder(model)
    try:
        vectors = await embedder.embed([task.text() for task in tasks])
    finally:
        await embedder.aclose()
    return dict(zip([task.id for task in tasks], vectors, strict=True))
