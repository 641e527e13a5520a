"""`pairs lint | balance`: what is wrong with a stored set, and a part of it in which length tells nothing."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from workbench.config.workbench_yaml import Workbench
from workbench.curation.firewall import find_leaks
from workbench.curation.pairs.balancing import balanced
from workbench.curation.pairs.columns import Columns, columns_of, taken_into
from workbench.curation.pairs.findings import ScoreCard
from workbench.curation.pairs.flaw import Looking
from workbench.curation.pairs.linting import lint
from workbench.curation.quality.lengths import APPROXIMATION
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Conversation, PreferencePair
from workbench.errors import DataError, Problem
from workbench.jobs.firewall import gates_of, meaning_of
from workbench.models import LocalSpec
from workbench.reading.stored import StoredDataset
from workbench.reading.storing import Origin, store_rows


@dataclass(frozen=True)
class LintWish:
    """How a set is linted."""

    max_tokens: int = 4096
    tokenizer: Path | None = None
    """Folder that holds a `tokenizer.json`; `None`: the candidate's, where it is on this machine, else an estimate."""
    accepted: tuple[str, ...] = ()
    """Kinds of flaws that block nothing."""


def lint_dataset(bench: Workbench, name: str, wish: LintWish) -> ScoreCard:
    """Return the score card of a stored set. Raises `DataError` for a set of another kind."""
    stored = _learnt_from(bench, name)
    return card_of(bench, stored, *looked_through(bench, stored), wish)


def looked_through(bench: Workbench, stored: StoredDataset) -> tuple[Columns, dict[str, str] | None]:
    """Read a set once: its columns, and the rows that a gate set of the project knows, and how.

    The second is `None` where there is no gate set.
    """
    columns = Columns(stored.manifest.kind)
    rows = (row for row in stored.iter_values() if isinstance(row, PreferencePair | Conversation))
    reading = taken_into(columns, rows)
    if not (gates := gates_of(bench)):
        deque(reading, maxlen=0)
        return columns, None
    return columns, {h.leak.learnt.id: h.told() for h in find_leaks(reading, gates, bench.home, meaning_of(bench))}


@dataclass(frozen=True)
class Balanced:
    """A length-matched part of a set, and the score cards of before and after."""

    before: ScoreCard
    after: ScoreCard
    stored: StoredDataset


def balance(
    bench: Workbench, name: str, name_as: str | None, seed: int, wish: LintWish, now: datetime, by: str = ""
) -> Balanced:
    """Store a length-matched part of a set of pairs as one more version, or under another name; `by` signs it."""
    stored = _learnt_from(bench, name)
    columns, leaks = looked_through(bench, stored)
    if columns.kind != "pairs":
        what, fix = "conversations have no two sides to be balanced", "name a set of pairs"
        raise DataError(Problem("DATASET_KIND", what, str(stored.path), got=name, fix=fix))
    kept = set(balanced(columns, seed))
    if not kept:
        what = "no pair is left: the longer side was chosen in all of them, or in none"
        fix = "collect pairs in which the shorter answer is better"
        raise DataError(Problem("ZERO_PAIRS", what, str(stored.path), got=name, fix=fix))
    before = card_of(bench, stored, columns, leaks, wish)
    m = stored.manifest
    rule = {
        **m.rule,
        "made by": "pairs balance",
        "by": by,
        "balanced": f"{len(kept)} of {m.n} pairs, length-matched, seed {seed}",
    }
    origin = Origin(name=name_as or m.name, kind=m.kind, use=m.use, parents=(m.fingerprint,), rule=rule)
    rows = (row for at, row in enumerate(stored.iter_values()) if at in kept)
    new = store_rows(rows, origin, bench.home.root, now)
    kept_rows = (row for row in new.iter_values() if isinstance(row, PreferencePair))
    return Balanced(before, card_of(bench, new, columns_of(kept_rows, "pairs"), leaks, wish), new)


def _learnt_from(bench: Workbench, name: str) -> StoredDataset:
    stored = find_dataset(bench.home.root, name)
    if stored.manifest.kind == "samples":
        what, fix = "samples are not learnt from", "name a set of pairs or conversations; see workbench data ls"
        raise DataError(Problem("DATASET_KIND", what, str(stored.path), got=name, fix=fix))
    return stored


def card_of(
    bench: Workbench, stored: StoredDataset, columns: Columns, leaks: dict[str, str] | None, wish: LintWish
) -> ScoreCard:
    """Return the score card of rows that were looked through."""
    count, how = None, APPROXIMATION
    if (folder := wish.tokenizer or _own_tokenizer(bench)) is not None:
        from workbench.adapters.tokenizer_file import counter

        count, how = counter(folder), f"counted by {folder.name}'s tokenizer, without the chat template's own tokens"
    looking = Looking(wish.max_tokens, count, leaks, "the project has no gate set")
    name = f"{stored.path.parent.name}@{stored.manifest.fingerprint[:12]}"
    return lint(columns, looking, name, wish.accepted, how)


def _own_tokenizer(bench: Workbench) -> Path | None:
    """Return the candidate's folder where it is on this machine and holds a tokenizer."""
    spec = bench.model(bench.candidate())
    folder = bench.path(spec.base) if isinstance(spec, LocalSpec) else None
    return folder if folder is not None and (folder / "tokenizer.json").is_file() else None
