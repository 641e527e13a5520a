"""From a stored dataset's name to its profile, or to a new version of it that passed the filters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from workbench.adapters import py3langid, tokenizer_file
from workbench.config.workbench_yaml import Workbench
from workbench.curation.quality.filters import Tools, Wanted, filters_of
from workbench.curation.quality.lengths import APPROXIMATION, approximate_tokens
from workbench.curation.quality.profile import Profile, profile
from workbench.curation.quality.views import View, views
from workbench.curation.quality.waterfall import Step, run_filters
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Manifest, Row
from workbench.errors import ConfigError, DataError, Problem
from workbench.jobs.firewall import embedding_model, guard
from workbench.jobs.identities import resolved
from workbench.jobs.quality_kept import keep_profile, kept_profile
from workbench.labelling.snapshot import latest_snapshot
from workbench.models import LocalSpec
from workbench.reading.stored import StoredDataset
from workbench.reading.storing import Origin, store_rows
from workbench.records import Record

if TYPE_CHECKING:
    from workbench.curation.leaks import Vectors
    from workbench.curation.quality.label_errors import Probabilities

MODEL = "all-MiniLM-L6-v2"
"""The embedding model where none is named; it comes as a package."""


class Asked(NamedTuple):
    """What is looked at, and with what."""

    name: str
    """A stored dataset, or a pulled dataset of records."""
    wanted: Wanted
    records: bool = False
    """Whether it is a snapshot of records."""
    embedding: str = MODEL
    """Embedding model for meanings and label errors."""
    tokenizer: str = ""
    """Model of workbench.yaml whose tokenizer counts; empty: the candidate's, where it lies here."""


@dataclass(frozen=True)
class Subject:
    """Rows under a name."""

    label: str
    """`<name>-<use>@<fingerprint>` of a dataset, `<name>@<fingerprint>` of a snapshot."""
    rows: list[View]
    manifest: Manifest | None
    """`None` of a snapshot."""

    def fingerprint(self) -> str:
        """Return what names the rows: their content hash; of records their name with its beginning."""
        return self.label if self.manifest is None else self.manifest.fingerprint


@dataclass(frozen=True)
class Filtered:
    """What filters did to a dataset."""

    subject: Subject
    steps: list[Step]
    rows: list[View]
    """What is left."""
    stored: StoredDataset | None
    """The new version; `None`: nothing was stored."""


def describe(bench: Workbench, asked: Asked) -> tuple[Subject, Profile]:
    """Return what a dataset is like, and what the filters that are wanted would take. Raises `DataError`."""
    subject = open_subject(bench, asked.name, records=asked.records)
    found = profile(subject.rows, checked(asked.wanted), tools_of(bench, asked))
    keep_profile(bench, subject.fingerprint(), settings_of(asked), found)
    return subject, found


def known_profile(bench: Workbench, asked: Asked, rows: str) -> Profile | None:
    """Return what `describe` found of the rows with this fingerprint, asked the same; `None`: it was not asked."""
    return kept_profile(bench, rows, settings_of(asked))


def settings_of(asked: Asked) -> str:
    """Return all but the rows that a profile depends on."""
    return f"{asked.wanted.model_dump_json()} {asked.embedding} {asked.tokenizer}"


def put_through(bench: Workbench, asked: Asked, new_name: str | None, now: datetime | None) -> Filtered:
    """Put a dataset through filters and store what is left as a new version, whose parent is the old one.

    Without `now` nothing is stored, nor where nothing changed. What is learnt from is held against the gate sets first,
    as it was before anything was masked. Raises `DataError`, and `LeakageError` where a gate set knows a row.
    """
    subject = open_subject(bench, asked.name, records=asked.records)
    left, steps = run_filters(subject.rows, filters_of(checked(asked.wanted), tools_of(bench, asked)))
    changed = len(left) != len(subject.rows) or any(step.n_changed for step in steps)
    if now is None or not (changed or new_name):
        return Filtered(subject, steps, left, None)
    if subject.manifest is None:
        what = "a snapshot of records is what a server held, and has no other versions"
        raise DataError(Problem("SNAPSHOT_FIXED", what, got=asked.name, fix="look only, with --dry-run"))
    if not left:
        what, fix = "no row is left", "see with --dry-run which filter takes them, and ask for less"
        raise DataError(Problem("NOTHING_LEFT", what, got=subject.label, fix=fix))
    # Rows that were masked are judged as they were: a placeholder would hide what a gate set knows.
    rule = told(asked.wanted, steps) | _guarded(bench, subject, left)
    manifest = subject.manifest
    origin = Origin(
        name=new_name or manifest.name, kind=manifest.kind, use=manifest.use, rule=rule,
        parents=(manifest.fingerprint,), n_duplicates=sum(s.n_in - s.n_out for s in steps if s.name == "exact"),
    )  # fmt: skip
    return Filtered(subject, steps, left, store_rows(_rows(left), origin, bench.home.root, now))


def open_subject(bench: Workbench, name: str, *, records: bool = False) -> Subject:
    """Read the rows of a stored dataset, or of the records that were pulled last. Raises `DataError`."""
    if records:
        snapshot = latest_snapshot(bench.home.root / "records" / name)
        labelled = {(label.record_id, label.annotator) for label in snapshot.labels()}
        counts: dict[str, int] = {}
        for record, _ in labelled:
            counts[record] = counts.get(record, 0) + 1
        return Subject(f"{name}@{snapshot.manifest.fingerprint[:8]}", views(snapshot.tasks(), counts), None)
    stored = find_dataset(bench.home.root, name)
    label = f"{stored.manifest.name}-{stored.manifest.use}@{stored.manifest.fingerprint[:8]}"
    return Subject(label, views(stored.iter_values()), stored.manifest)


def tools_of(bench: Workbench, asked: Asked) -> Tools:
    """Return what the filters call. The models behind are loaded when they are called."""

    def embed(texts: Sequence[str]) -> Vectors:
        return embedding_model(asked.embedding, asked.wanted.cosine).embed(texts)

    def classify(
        texts: Sequence[str], labels: Sequence[str], families: Sequence[str]
    ) -> tuple[tuple[str, ...], Probabilities]:
        from workbench.adapters.scikit_learn import out_of_sample

        return out_of_sample(embed(texts), labels, families, asked.wanted.seed)

    name = asked.tokenizer or bench.candidate()
    spec = bench.model(name)
    base = resolved(bench, spec).base if isinstance(spec, LocalSpec) else ""
    folder = bench.path(base) if base else None
    if folder is not None and (folder / tokenizer_file.FILE).is_file():
        return Tools(py3langid.identify, tokenizer_file.counter(folder), f"the tokenizer of {name}", embed, classify)
    if asked.tokenizer:
        what, fix = "this model's tokenizer does not lie here", "name a model whose folder has a tokenizer.json"
        raise ConfigError(Problem("TOKENIZER", what, str(bench.file), got=name, fix=fix))
    return Tools(py3langid.identify, approximate_tokens, APPROXIMATION, embed, classify)


def checked(wanted: Wanted) -> Wanted:
    """Return what is wanted, where it makes sense. Raises `ConfigError`."""
    if "label-errors" in wanted.drop and not wanted.label:
        fix = "name it with --label, or `--label good` for thumbs"
        raise ConfigError(Problem("USAGE", "label errors are looked for in one tag", field="--label", fix=fix))
    if wanted.at_most and not wanted.balance:
        fix = "name the tag with --balance"
        raise ConfigError(Problem("USAGE", "no tag is to be evened", field="--at-most", fix=fix))
    return wanted


def told(wanted: Wanted, steps: Sequence[Step]) -> dict[str, str]:
    """Return the rule of a new version: each filter's words and counts, in order."""
    rule = {f"{place} {step.name}": _step(step) for place, step in enumerate(steps, 1)}
    return {"command": "data filter", **rule, "settings": wanted.model_dump_json(exclude_defaults=True)}


def _step(step: Step) -> str:
    changed = f", {step.n_changed} changed" if step.n_changed else ""
    return f"{step.rule}: {step.n_in} → {step.n_out}{changed}"


def _guarded(bench: Workbench, subject: Subject, left: Sequence[View]) -> dict[str, str]:
    if subject.manifest is None or subject.manifest.use != "train":
        return {}
    names = {row.id for row in left}
    before = (row for row in _rows(row for row in subject.rows if row.id in names))
    return guard(before, bench, what=subject.label).rule()


def _rows(rows: Iterable[View]) -> Iterable[Row]:
    return (row.row for row in rows if not isinstance(row.row, Record))
