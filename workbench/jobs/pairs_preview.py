"""What a build would store, before it is stored: waterfall, lint, balance, leaks, and what changes in the set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from workbench.config.workbench_yaml import Workbench
from workbench.curation.firewall import find_leaks
from workbench.curation.pairs.balancing import balanced
from workbench.curation.pairs.columns import Columns, columns_of
from workbench.curation.pairs.composition import Composition, composition
from workbench.curation.pairs.findings import ScoreCard
from workbench.curation.quality.waterfall import Step
from workbench.curation.stored_datasets import Listed, versions_in
from workbench.curation.versions import Diff, diff
from workbench.datasets import Conversation, Manifest, PreferencePair
from workbench.jobs.firewall import gates_of, meaning_of
from workbench.jobs.pairs import Building, Rows, draw, origin_of, refuse_nothing, without_leaks
from workbench.jobs.pairs_linting import LintWish, card_of
from workbench.reading.stored import open_dataset
from workbench.reading.storing import store_rows

SHOWN = 20
"""Rows of a preview that are shown."""


@dataclass(frozen=True)
class Preview:
    """What a build would store."""

    manifest: Manifest
    """As it would be stored."""
    steps: tuple[Step, ...]
    """The waterfall."""
    card: ScoreCard
    """What lint says of the rows."""
    made_of: Composition
    """Lengths, sources, tags."""
    leaks: dict[str, str]
    """Rows that a gate set knows, and how: with them it is not stored, unless the policy drops them."""
    n_gates: int
    """Gate sets that were held against it."""
    set_aside: tuple[tuple[str, PreferencePair], ...]
    """Pairs that contradict each other, with the reason; some of them."""
    shown: tuple[PreferencePair | Conversation, ...]
    """Some of its rows."""
    before: Listed | None
    """The newest version of this name and use, if there is one."""
    changes: Diff | None
    """What is different from it."""
    n_balanced: int | None
    """Pairs that a length-matched part would keep; `None` for conversations."""

    @property
    def known(self) -> bool:
        """Whether the newest version has these very rows."""
        return self.before is not None and self.before.manifest.fingerprint == self.manifest.fingerprint


def preview(bench: Workbench, wanted: Building, wish: LintWish, now: datetime) -> Preview:
    """Return what `build` would store, without storing it. Raises `DataError` where nothing is left."""
    drawn = draw(bench, wanted)
    gates = gates_of(bench)
    leaks = {h.leak.learnt.id: h.told() for h in find_leaks(drawn.rows, gates, bench.home, meaning_of(bench))}
    rows, steps, told, checked = drawn.rows, drawn.steps, drawn.told, dict[str, str]()
    if wanted.policy.leaks == "drop":
        rows, steps, told, checked = without_leaks(drawn, leaks, len(gates))
    refuse_nothing(rows, steps, wanted)
    before = latest(bench, wanted)
    columns = columns_of(rows, wanted.kind)
    there = {row.id for row in rows}
    with TemporaryDirectory() as folder:
        stored = store_rows(rows, origin_of(wanted, drawn, told, checked), Path(folder), now)
        left = {name: how for name, how in leaks.items() if name in there}
        card = card_of(bench, stored, columns, left if gates else None, wish)
        changes = None if before is None else diff([open_dataset(before.path)], [stored])
    return Preview(
        manifest=stored.manifest, steps=steps, card=card, made_of=composition(rows), leaks=leaks, n_gates=len(gates),
        set_aside=drawn.set_aside[:SHOWN], shown=_some(rows), before=before, changes=changes,
        n_balanced=_n_balanced(columns),
    )  # fmt: skip


def latest(bench: Workbench, wanted: Building) -> Listed | None:
    """Return the newest version of what is to be built."""
    found = versions_in(bench.home.datasets / f"{wanted.name}-{wanted.use}")
    return found[-1] if found else None


def _n_balanced(columns: Columns) -> int | None:
    return len(balanced(columns)) if columns.kind == "pairs" else None


def _some(rows: Rows) -> tuple[PreferencePair | Conversation, ...]:
    found: Sequence[PreferencePair | Conversation] = rows
    return tuple(found[:SHOWN])
