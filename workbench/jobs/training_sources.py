"""What a training recipe names, found and checked: datasets, base, start, template; and its rows in tokens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.adapters.transformers_serve import locate
from workbench.adapters.transformers_tokenizer import load_tokenizer
from workbench.config.workbench_yaml import Workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Conversation, Manifest, PreferencePair, Use
from workbench.errors import ConfigError, DataError, LeakageError, Problem
from workbench.models import LocalSpec
from workbench.reading.stored import StoredDataset
from workbench.store.model_folder import context_window
from workbench.training.folder import find_folder
from workbench.training.rows import How, Prepared, prepare_conversations, prepare_pairs
from workbench.training.spec import PREFERENCES, TrainSpec
from workbench.training.template import Template, check_template
from workbench.training.thumbs import prepare_thumbs

WINDOW = 2048
"""Longest row where the model does not say."""


@dataclass(frozen=True)
class Sources:
    """Everything a recipe names."""

    spec: TrainSpec
    """The recipe, its datasets by their whole fingerprints."""
    dataset: StoredDataset
    dev: StoredDataset | None
    base: Path
    start: Path | None
    template: Template
    rows: Prepared
    dev_rows: Prepared | None

    def manifests(self) -> tuple[Manifest, Manifest | None]:
        """Return what is learnt from and what is looked at."""
        return self.dataset.manifest, None if self.dev is None else self.dev.manifest


def open_sources(bench: Workbench, spec: TrainSpec, *, light: bool = False) -> Sources:
    """Find what a recipe names and turn its rows into tokens. Raises with every reason why it cannot be trained.

    `light` loads no torch, for a plan.
    """
    dataset = dataset_for(bench, spec.dataset, "train", spec)
    dev = None if spec.dev is None else dataset_for(bench, spec.dev, "dev", spec)
    base = base_folder(bench, spec)
    tokenizer = load_tokenizer(base, light=light)
    given = None if spec.chat_template is None else bench.path(spec.chat_template)
    template = check_template(tokenizer, given, str(base))
    longest = min(spec.max_length or context_window(base) or WINDOW, context_window(base) or WINDOW)
    how = How(tokenizer, template, longest, spec.long_rows == "drop")
    thumbs = spec.method.kind == "kto"
    pinned = {"dataset": _pinned(dataset), "dev": None if dev is None else _pinned(dev)}
    return Sources(
        spec.model_copy(update=pinned), dataset, dev, base, start_folder(bench, spec), template,
        prepared(dataset, how, thumbs=thumbs), None if dev is None else prepared(dev, how, thumbs=thumbs),
    )  # fmt: skip


def dataset_for(bench: Workbench, name: str, use: Use, spec: TrainSpec) -> StoredDataset:
    """Return a stored dataset. Raises `LeakageError` for one of use gate, `DataError` for a wrong use, kind or none."""
    found = find_dataset(bench.home.root, name)
    manifest = found.manifest
    if manifest.use == "gate":
        what = "this dataset guards releases: nothing may be learnt from it or tuned on it"
        fix = "take a dataset of use train; ideas of a gate set may become new records"
        raise LeakageError(Problem("GATE_DATASET", what, str(found.path), got=name, fix=fix))
    if manifest.use != use:
        what = f"a dataset of use {use} is wanted here, and this one is of use {manifest.use}"
        raise DataError(Problem("WRONG_USE", what, str(found.path), got=name, fix="see workbench data ls"))
    kind = "pairs" if spec.method.kind in PREFERENCES else "conversations"
    if manifest.kind != kind:
        what = f"{spec.method.kind} learns from {kind}, and these are {manifest.kind}"
        raise DataError(Problem("WRONG_KIND", what, str(found.path), got=name, fix="see workbench data ls"))
    if not manifest.n:
        what = "this dataset has no rows" + (": nothing can be measured on it" if use == "dev" else "")
        fix = "leave `dev` out, or give one with rows" if use == "dev" else "give one with rows"
        raise DataError(Problem("NO_ROWS", what, str(found.path), got=name, fix=fix))
    return found


def base_folder(bench: Workbench, spec: TrainSpec) -> Path:
    """Return the base model's folder; a hub id is fetched. Raises `ConfigError` for one without a commit."""
    folder = bench.path(spec.base)
    if folder.is_dir():
        return folder
    if spec.revision is None:
        what = "this is no folder, and as a hub id it has no `revision`: the model could change under you"
        fix = "check the path, or name the commit as `revision`"
        raise ConfigError(Problem("BASE_UNPINNED", what, str(bench.file.parent), field="base", got=spec.base, fix=fix))
    return locate(LocalSpec(kind="local", base=spec.base, revision=spec.revision)).base


def start_folder(bench: Workbench, spec: TrainSpec) -> Path | None:
    """Return the adapter to go on from: a folder, or what a finished training run made."""
    if spec.start is None:
        return None
    folder = bench.path(spec.start)
    if (folder / "adapter_config.json").is_file():
        return folder
    made = find_folder(bench.home, spec.start, finished=True).adapter
    if not (made / "adapter_config.json").is_file():
        fix = "resume that run first, or name another"
        raise ConfigError(Problem("NO_ADAPTER", "this run has made no adapter", str(made), field="start", fix=fix))
    return made


def prepared(dataset: StoredDataset, how: How, *, thumbs: bool = False) -> Prepared:
    """Return a dataset's rows in tokens; with `thumbs`, as KTO learns from them. Raises `DataError`."""
    name = _pinned(dataset)
    values = dataset.iter_values()
    if dataset.manifest.kind == "pairs":
        return prepare_pairs((v for v in values if isinstance(v, PreferencePair)), how, name)
    chats = (v for v in values if isinstance(v, Conversation))
    return prepare_thumbs(chats, how, name) if thumbs else prepare_conversations(chats, how, name)


def _pinned(dataset: StoredDataset) -> str:
    return f"{dataset.manifest.name}@{dataset.manifest.fingerprint}"
