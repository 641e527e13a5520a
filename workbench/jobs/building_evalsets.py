"""Build an evalset, or enlarge one: choose, hold against the firewall, merge, write, and tell it in CHANGES.md."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from workbench.config.evalset_yaml import FILE, load_evalset
from workbench.config.workbench_yaml import Workbench
from workbench.curation.evalsets.changes import (
    Signed,
    Version,
    entry,
    fingerprints_of,
    last_hash,
    number_of,
    with_entry,
)
from workbench.curation.evalsets.choosing import Candidate, Choice, Left, Wanted, choose
from workbench.curation.evalsets.merging import Merged, merge
from workbench.curation.firewall import learnt_before, learnt_sets
from workbench.curation.sides import overlaps
from workbench.curation.versions import Diff, diff
from workbench.datasets import Sample, Split, Use, split_of
from workbench.errors import ConfigError, Problem
from workbench.jobs.evalset_sources import named
from workbench.reading.stored import open_dataset
from workbench.store.files import write_atomic

CHANGES, README = "CHANGES.md", "README.md"
SHARES = {"train": 0.5, "dev": 0.2, "gate": 0.3}
"""Shares of a new evalset."""


@dataclass(frozen=True)
class Built:
    """What a build did, or would do."""

    folder: Path
    """The evalset's folder."""
    merged: Merged
    """The samples, with what was added, changed and kept."""
    choice: Choice
    """What was taken of which stratum, and what was left out."""
    entry: str
    """What CHANGES.md tells of it; empty where nothing changed."""


def build(
    bench: Workbench, name: str, candidates: Sequence[Candidate], wanted: Wanted, signed: Signed, now: datetime,
    *, left: Sequence[Left] = (), replace: bool = False, dry: bool = False,
) -> Built:  # fmt: skip
    """Put candidates into the evalset `name`, which is made if it is not there; with `dry` nothing is written.

    Rows that stand in its file stay as they are unless `replace`; a candidate that asks what another side asks, or that
    would guard what was learnt from already, is left out. Raises `ConfigError`, `DataError`.
    """
    folder = bench.evalsets / name
    split, use, file = _known(folder, name)
    choice = choose(candidates, wanted)
    merged = merge(file, [], replace=False)
    fit, unfit = _through(bench, [one.sample for one in choice.taken], merged, split, use)
    choice = choice._replace(left=[*left, *choice.left, *unfit])
    before = len(merged.samples)
    merged = merge(file, fit, replace=replace)
    if not merged.added and not merged.changed:
        return Built(folder, merged, choice, "")
    log = folder / CHANGES
    text = log.read_text("utf-8") if log.exists() else ""
    last = last_hash(text)
    edited = last is not None and file.exists() and last != hashlib.sha256(file.read_bytes()).hexdigest()
    by_hand = since(bench, folder, text) if edited else None
    sha256 = hashlib.sha256(merged.content()).hexdigest()
    version = Version(signed, now, merged, before, sha256, named(candidates), choice, edited, by_hand)
    if not dry:
        _write(folder, file, name, merged)
        evalset = load_evalset(folder)
        sides: dict[str, str] = {side: evalset.stored(side, bench.home).manifest.fingerprint for side in evalset.uses()}
        version = dataclasses.replace(version, fingerprints=sides)
    told = entry(number_of(text), version)
    if not dry:
        write_atomic(log, with_entry(text, name, told).encode())
    return Built(folder, merged, choice, told)


def since(bench: Workbench, folder: Path, changes: str, number: int | None = None) -> Diff | None:
    """Return what differs in an evalset now from an entry of its CHANGES.md, the newest unless another is named.

    `None` where this home no longer has that version.
    """
    evalset = load_evalset(folder)
    before = []
    for side, fingerprint in fingerprints_of(changes, number).items():
        path = bench.home.datasets / f"{evalset.name}-{side}" / fingerprint
        if not (path / "manifest.json").exists():
            return None
        before.append(open_dataset(path))
    return diff(before, [evalset.stored(side, bench.home) for side in evalset.uses()]) if before else None


def _known(folder: Path, name: str) -> tuple[Split | None, Use | None, Path]:
    """Return how an evalset is divided and where its samples are; a new one is divided by the usual shares."""
    if not (folder / FILE).exists():
        return Split(salt=name, **SHARES), None, folder / "samples.jsonl"
    evalset = load_evalset(folder)
    if evalset.samples.suffix != ".jsonl":
        fix = "export it to JSONL once: what stands in a table cannot be added to without writing it anew"
        raise ConfigError(
            Problem("FILE_KIND", "only a JSONL file of samples is added to", str(evalset.samples), fix=fix)
        )
    return evalset.spec.split, evalset.spec.use, evalset.samples


def _through(
    bench: Workbench, new: Sequence[Sample], old: Merged, split: Split | None, use: Use | None
) -> tuple[list[Sample], list[Left]]:
    """Return the samples that the firewall lets in, and why it does not let in the others."""

    def side(sample: Sample) -> Use:
        return use or "dev" if split is None else split_of(sample.family(), split)

    left: dict[str, str] = {}
    gate = [sample for sample in new if side(sample) == "gate"]
    for hit in learnt_before(gate, learnt_sets(bench.home)) if gate else ():
        left.setdefault(hit.leak.guarded.id, f"it would guard what was learnt from: {hit.gate}")
    sides: dict[str, list[tuple[str, str]]] = {}
    for sample in [*old.samples.values(), *(one for one in new if one.id not in old.samples)]:
        sides.setdefault(side(sample), []).append((sample.id, sample.question()))
    for one in overlaps(sides):
        late = next((p for p in (one.second, one.first) if p.id not in old.samples), None)
        if late is not None:
            left.setdefault(late.id, "it asks what a sample of another side asks; give both one `group`")
    return [one for one in new if one.id not in left], [Left(name, why) for name, why in left.items()]


def _write(folder: Path, file: Path, name: str, merged: Merged) -> None:
    """Write samples; evalset.yaml and README.md only where there are none."""
    shares = ", ".join(f"{side}: {share}" for side, share in SHARES.items())
    scorers = "scorers:\n  - kind: exact_match\n  - kind: token_f1\n"
    config = f'name: {name}\nversion: "1"\nsamples: samples.jsonl\nsplit: {{salt: {name}, {shares}}}\n{scorers}'
    about = (
        f"{len(merged.samples)} samples when it was made. Say here what it measures, what a sample is, and what not."
    )
    more = f"{CHANGES} tells every version, `workbench evalset audit {name}` what it lacks."
    first = {folder / FILE: config, folder / README: f"# {name}\n\n{about}\n\n{more}\n"}
    write_atomic(file, merged.content())
    for path, text in first.items():
        if not path.exists():
            write_atomic(path, text.encode())
