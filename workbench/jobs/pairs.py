"""`pairs build`: from what was said to a stored set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson

from workbench.config.workbench_yaml import Workbench
from workbench.curation.firewall import find_leaks
from workbench.curation.pairs.building import build_pairs
from workbench.curation.pairs.conversations import build_conversations
from workbench.curation.pairs.from_labels import guidelines, judged
from workbench.curation.pairs.from_opinions import compared
from workbench.curation.pairs.judgements import Judgement, Opinion, Unused
from workbench.curation.pairs.policy import PairPolicy
from workbench.curation.quality.waterfall import Example, Step, excerpt
from workbench.datasets import Conversation, PreferencePair, Use
from workbench.errors import DataError, Problem
from workbench.jobs.firewall import gates_of, guard, meaning_of
from workbench.jobs.pairs_sources import (
    Heard,
    feedback_of,
    heard_by_hand,
    heard_in_dataset,
    heard_in_runs,
    labels_of,
    pulled,
)
from workbench.reading.stored import StoredDataset
from workbench.reading.storing import Origin, store_rows

Made = Literal["pairs", "conversations"]
Rows = Sequence[PreferencePair] | Sequence[Conversation]


@dataclass(frozen=True)
class Sources:
    """What a set is built from."""

    labels: tuple[str, ...] = ()
    """Labelling datasets whose labels were pulled."""
    feedback: tuple[str, ...] = ()
    """Labelling datasets whose suggestions by models count."""
    datasets: tuple[str, ...] = ()
    """Stored sets of pairs, or of conversations with thumbs."""
    runs: tuple[str, ...] = ()
    """Finished runs."""
    scorer: str | None = None
    """Scorer of the runs that decides; `None`: the only one of 0 and 1."""
    said: tuple[Heard, ...] = ()
    """What was heard elsewhere, such as in error analysis."""
    said_in: tuple[str, ...] = ()
    """What that was said of: runs."""
    picks: bool = False
    """Whether what people picked by hand, side by side in the dashboards, counts."""


@dataclass(frozen=True)
class Building:
    """What a build is asked for."""

    name: str
    use: Use
    kind: Made
    sources: Sources
    policy: PairPolicy
    by: str = ""
    """Who asks for it, for the manifest; empty: nobody said."""


@dataclass(frozen=True)
class Outcome:
    """What a build made."""

    stored: StoredDataset
    steps: tuple[Step, ...]
    told: str


@dataclass(frozen=True)
class Drawn:
    """The rows of a set before the firewall has looked at them."""

    rows: Rows
    steps: tuple[Step, ...]
    told: str
    """The waterfall as one line."""
    n_duplicates: int
    set_aside: tuple[tuple[str, PreferencePair], ...]
    """Pairs that contradict each other, with the reason."""
    parents: tuple[str, ...]
    """Fingerprints of what it was made from."""

    def quarantine(self) -> list[bytes]:
        """Return what was set aside as JSON lines."""
        return [orjson.dumps({"reason": why, "row": row.model_dump(mode="json")}) for why, row in self.set_aside]


def build(bench: Workbench, wanted: Building, now: datetime) -> Outcome:
    """Build a set and store it as one more version. Raises `DataError` where nothing is left, and `LeakageError`."""
    drawn = draw(bench, wanted)
    rows, steps, told, checked = _guarded(bench, drawn, wanted)
    refuse_nothing(rows, steps, wanted)
    stored = store_rows(
        rows, origin_of(wanted, drawn, told, checked), bench.home.root, now, quarantine=drawn.quarantine()
    )
    return Outcome(stored, steps, told)


def draw(bench: Workbench, wanted: Building) -> Drawn:
    """Return the rows that the sources come to under the policy. Raises `DataError`."""
    heard, parents = _heard(bench, wanted.sources, wanted.policy)
    opinions = [one for one in heard if isinstance(one, Opinion)]
    unused = [one for one in heard if isinstance(one, Unused)]
    if wanted.kind == "conversations":
        made = build_conversations(opinions, unused, wanted.policy)
        return Drawn(made.conversations, made.steps, made.told, made.n_duplicates, (), parents)
    met = list(compared(opinions, wanted.policy))
    judgements = [one for one in (*heard, *met) if isinstance(one, Judgement)]
    built = build_pairs(judgements, [*unused, *(one for one in met if isinstance(one, Unused))], wanted.policy)
    return Drawn(built.pairs, built.steps, built.told, built.n_duplicates, built.quarantined, parents)


def origin_of(wanted: Building, drawn: Drawn, told: str, checked: Mapping[str, str]) -> Origin:
    """Return what a set of these rows is called, and how it was made."""
    return Origin(
        name=wanted.name, kind=wanted.kind, use=wanted.use, parents=drawn.parents, n_duplicates=drawn.n_duplicates,
        n_quarantined=len(drawn.set_aside), rule={**_rule(wanted, told), **checked},
    )  # fmt: skip


# ---------------------------------------------------------------- building


def _heard(bench: Workbench, sources: Sources, policy: PairPolicy) -> tuple[list[Heard], tuple[str, ...]]:
    """Return all that was said, and the fingerprints of where."""
    if not any((sources.labels, sources.feedback, sources.datasets, sources.runs, sources.said, sources.picks)):
        fix = "name a source: --labels, --feedback, --from, --run or --picks"
        raise DataError(Problem("NO_JUDGEMENTS", "there is nothing to build from", fix=fix))
    heard: list[Heard] = [*sources.said]
    parents: list[str] = [*sources.said_in]
    labelled = []
    for name, by_model in [*((n, False) for n in sources.labels), *((n, True) for n in sources.feedback)]:
        snapshot = pulled(bench, name)
        parents.append(snapshot.manifest.fingerprint)
        found, left = (feedback_of(snapshot), []) if by_model else labels_of(snapshot)
        labelled.append(found)
        heard += left
    _refuse_mixed(guidelines(labelled), policy)
    heard += [one for found in labelled for one in judged(found, policy)]
    for name in sources.datasets:
        found_in, fingerprint = heard_in_dataset(bench, name)
        heard += found_in
        parents.append(fingerprint)
    if sources.picks:
        found_by_hand, runs = heard_by_hand(bench.home)
        heard += found_by_hand
        parents += runs
    if sources.runs:
        heard += heard_in_runs(bench, sources.runs, sources.scorer, policy)
        parents += [bench.home.run(run_id).id for run_id in sources.runs]
    return heard, tuple(parents)


def _refuse_mixed(versions: Sequence[str], policy: PairPolicy) -> None:
    """Raise `DataError` where labels of two versions of one template would be pooled, or the named one is missing."""
    by_template: dict[str, list[str]] = {}
    for version in versions:
        by_template.setdefault(version.split("/", 1)[0], []).append(version)
    mixed = [v for found in by_template.values() if len(found) > 1 for v in found]
    if policy.guideline:
        if versions and policy.guideline not in versions:
            what, fix = "no label was given under this guideline", f"there are: {', '.join(versions)}"
            raise DataError(Problem("OTHER_GUIDELINE", what, field="guideline", got=policy.guideline, fix=fix))
    elif mixed:
        what = "labels of several guideline versions are not pooled"
        fix = "say which one counts: --guideline VERSION"
        raise DataError(Problem("OTHER_GUIDELINE", what, field="guideline", got=", ".join(mixed), fix=fix))


def _guarded(bench: Workbench, drawn: Drawn, wanted: Building) -> tuple[Rows, tuple[Step, ...], str, dict[str, str]]:
    """Refuse rows that a gate set knows, or drop them where the policy says so."""
    if wanted.policy.leaks == "refuse":
        return drawn.rows, drawn.steps, drawn.told, guard(drawn.rows, bench, what=wanted.name).rule()
    gates = gates_of(bench)
    found = find_leaks(drawn.rows, gates, bench.home, meaning_of(bench))
    return without_leaks(drawn, {hit.leak.learnt.id: hit.told() for hit in found}, len(gates))


def without_leaks(
    drawn: Drawn, hits: Mapping[str, str], n_gates: int
) -> tuple[Rows, tuple[Step, ...], str, dict[str, str]]:
    """Return the rows that no gate set knows, the waterfall with one step more, and what the manifest says of it."""
    rows = drawn.rows
    kept = [row for row in rows if row.id not in hits]
    examples = tuple(Example(id=name, why="leak", text=excerpt(why)) for name, why in sorted(hits.items())[:5])
    step = Step(
        name="unknown to gate sets", rule="no gate set knows the prompt or an answer", n_in=len(rows),
        n_out=len(kept), reasons={"leak": len(hits)} if hits else {}, examples=examples,
    )  # fmt: skip
    rule = {"firewall": f"{len(hits)} of {len(rows)} rows dropped, known to {n_gates} gate sets"}
    return kept, (*drawn.steps, step), f"{drawn.told} → {len(kept):,} {step.name}", rule  # type: ignore[return-value]


def refuse_nothing(rows: Rows, steps: Sequence[Step], wanted: Building) -> None:
    """Raise `DataError`, with what was left out and why, where there is nothing to store."""
    if rows:
        return
    lost = {reason: n for step in steps for reason, n in step.reasons.items()}
    got = ", ".join(f"{reason} {n}" for reason, n in sorted(lost.items(), key=lambda item: -item[1])) or "nothing said"
    fix = "label more, or loosen the policy that dropped most"
    raise DataError(Problem("ZERO_PAIRS", f"not one of the {wanted.kind} is left to store", got=got, fix=fix))


def _rule(wanted: Building, told: str) -> dict[str, str]:
    s = wanted.sources
    named = {"labels": s.labels, "feedback": s.feedback, "datasets": s.datasets, "runs": (*s.runs, *s.said_in)}
    sources = {what: ", ".join(names) for what, names in named.items() if names}
    sources |= {"picks": "by hand"} if s.picks else {}
    made_by = "failures send" if s.said else "pairs build"
    return {
        "made by": made_by,
        "by": wanted.by,
        **sources,
        "scorer": s.scorer or "",
        **wanted.policy.told(),
        "waterfall": told,
    }
