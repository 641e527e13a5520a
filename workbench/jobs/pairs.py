"""`pairs build | lint | balance`: from what was said to a stored set, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import orjson

from workbench.config.workbench_yaml import Workbench
from workbench.curation.firewall import find_leaks
from workbench.curation.pairs.balancing import balanced
from workbench.curation.pairs.building import build_pairs
from workbench.curation.pairs.columns import Columns, columns_of
from workbench.curation.pairs.conversations import build_conversations
from workbench.curation.pairs.findings import ScoreCard
from workbench.curation.pairs.flaw import Looking
from workbench.curation.pairs.from_labels import guidelines, judged
from workbench.curation.pairs.from_opinions import compared
from workbench.curation.pairs.judgements import Judgement, Opinion, Unused
from workbench.curation.pairs.linting import lint
from workbench.curation.pairs.policy import PairPolicy
from workbench.curation.quality.lengths import APPROXIMATION
from workbench.curation.quality.waterfall import Example, Step, excerpt
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Conversation, PreferencePair, Use
from workbench.errors import DataError, Problem
from workbench.jobs.firewall import gates_of, guard, meaning_of
from workbench.jobs.pairs_sources import Heard, feedback_of, heard_in_dataset, heard_in_runs, labels_of, pulled
from workbench.models import LocalSpec
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


@dataclass(frozen=True)
class Building:
    """What a build is asked for."""

    name: str
    use: Use
    kind: Made
    sources: Sources
    policy: PairPolicy


@dataclass(frozen=True)
class Outcome:
    """What a build made."""

    stored: StoredDataset
    steps: tuple[Step, ...]
    told: str


def build(bench: Workbench, wanted: Building, now: datetime) -> Outcome:
    """Build a set and store it as one more version. Raises `DataError` where nothing is left, and `LeakageError`."""
    heard, parents = _heard(bench, wanted.sources, wanted.policy)
    opinions = [one for one in heard if isinstance(one, Opinion)]
    unused = [one for one in heard if isinstance(one, Unused)]
    set_aside: list[bytes] = []
    rows: Rows
    if wanted.kind == "pairs":
        met = list(compared(opinions, wanted.policy))
        judgements = [one for one in (*heard, *met) if isinstance(one, Judgement)]
        built = build_pairs(judgements, [*unused, *(one for one in met if isinstance(one, Unused))], wanted.policy)
        rows, steps, told, twice = built.pairs, built.steps, built.told, built.n_duplicates
        set_aside = [orjson.dumps({"reason": r, "row": p.model_dump(mode="json")}) for r, p in built.quarantined]
    else:
        made = build_conversations(opinions, unused, wanted.policy)
        rows, steps, told, twice = made.conversations, made.steps, made.told, made.n_duplicates
    rows, steps, told, checked = _guarded(bench, rows, steps, told, wanted)
    _refuse_nothing(rows, steps, wanted)
    origin = Origin(
        name=wanted.name, kind=wanted.kind, use=wanted.use, parents=parents, n_duplicates=twice,
        n_quarantined=len(set_aside), rule={**_rule(wanted, told), **checked},
    )  # fmt: skip
    return Outcome(store_rows(rows, origin, bench.home.root, now, set_aside), steps, told)


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
    return _card(bench, stored, _columns(stored), wish, _known(bench, stored))


@dataclass(frozen=True)
class Balanced:
    """A length-matched part of a set, and the score cards of before and after."""

    before: ScoreCard
    after: ScoreCard
    stored: StoredDataset


def balance(bench: Workbench, name: str, name_as: str | None, seed: int, wish: LintWish, now: datetime) -> Balanced:
    """Store a length-matched part of a set of pairs as one more version, or under another name."""
    stored = _learnt_from(bench, name)
    columns = _columns(stored)
    if columns.kind != "pairs":
        what, fix = "conversations have no two sides to be balanced", "name a set of pairs"
        raise DataError(Problem("DATASET_KIND", what, str(stored.path), got=name, fix=fix))
    kept = set(balanced(columns, seed))
    if not kept:
        what = "no pair is left: the longer side was chosen in all of them, or in none"
        fix = "collect pairs in which the shorter answer is better"
        raise DataError(Problem("ZERO_PAIRS", what, str(stored.path), got=name, fix=fix))
    leaks = _known(bench, stored)
    before = _card(bench, stored, columns, wish, leaks)
    m = stored.manifest
    rule = {
        **m.rule,
        "made by": "pairs balance",
        "balanced": f"{len(kept)} of {m.n} pairs, length-matched, seed {seed}",
    }
    origin = Origin(name=name_as or m.name, kind=m.kind, use=m.use, parents=(m.fingerprint,), rule=rule)
    rows = (row for at, row in enumerate(stored.iter_values()) if at in kept)
    new = store_rows(rows, origin, bench.home.root, now)
    return Balanced(before, _card(bench, new, _columns(new), wish, leaks), new)


# ---------------------------------------------------------------- building


def _heard(bench: Workbench, sources: Sources, policy: PairPolicy) -> tuple[list[Heard], tuple[str, ...]]:
    """Return all that was said, and the fingerprints of where."""
    if not any((sources.labels, sources.feedback, sources.datasets, sources.runs)):
        fix = "name a source: --labels, --feedback, --from or --run"
        raise DataError(Problem("NO_JUDGEMENTS", "there is nothing to build from", fix=fix))
    heard: list[Heard] = []
    parents: list[str] = []
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


def _guarded(
    bench: Workbench, rows: Rows, steps: tuple[Step, ...], told: str, wanted: Building
) -> tuple[Rows, tuple[Step, ...], str, dict[str, str]]:
    """Refuse rows that a gate set knows, or drop them where the policy says so."""
    if wanted.policy.leaks == "refuse":
        return rows, steps, told, guard(rows, bench, what=wanted.name).rule()
    gates = gates_of(bench)
    hits = {hit.leak.learnt.id: hit.told() for hit in find_leaks(rows, gates, bench.home, meaning_of(bench))}
    kept = [row for row in rows if row.id not in hits]
    examples = tuple(Example(id=name, why="leak", text=excerpt(why)) for name, why in sorted(hits.items())[:5])
    step = Step(
        name="unknown to gate sets", rule="no gate set knows the prompt or an answer", n_in=len(rows),
        n_out=len(kept), reasons={"leak": len(hits)} if hits else {}, examples=examples,
    )  # fmt: skip
    rule = {"firewall": f"{len(hits)} of {len(rows)} rows dropped, known to {len(gates)} gate sets"}
    return kept, (*steps, step), f"{told} → {len(kept):,} {step.name}", rule  # type: ignore[return-value]


def _refuse_nothing(rows: Rows, steps: Sequence[Step], wanted: Building) -> None:
    if rows:
        return
    lost = {reason: n for step in steps for reason, n in step.reasons.items()}
    got = ", ".join(f"{reason} {n}" for reason, n in sorted(lost.items(), key=lambda item: -item[1])) or "nothing said"
    fix = "label more, or loosen the policy that dropped most"
    raise DataError(Problem("ZERO_PAIRS", f"not one of the {wanted.kind} is left to store", got=got, fix=fix))


def _rule(wanted: Building, told: str) -> dict[str, str]:
    s = wanted.sources
    named = {"labels": s.labels, "feedback": s.feedback, "datasets": s.datasets, "runs": s.runs}
    sources = {what: ", ".join(names) for what, names in named.items() if names}
    return {"made by": "pairs build", **sources, "scorer": s.scorer or "", **wanted.policy.told(), "waterfall": told}


# ---------------------------------------------------------------- linting


def _learnt_from(bench: Workbench, name: str) -> StoredDataset:
    stored = find_dataset(bench.home.root, name)
    if stored.manifest.kind == "samples":
        what, fix = "samples are not learnt from", "name a set of pairs or conversations; see workbench data ls"
        raise DataError(Problem("DATASET_KIND", what, str(stored.path), got=name, fix=fix))
    return stored


def _columns(stored: StoredDataset) -> Columns:
    rows = (row for row in stored.iter_values() if isinstance(row, PreferencePair | Conversation))
    return columns_of(rows, stored.manifest.kind)


def _known(bench: Workbench, stored: StoredDataset) -> dict[str, str] | None:
    """Return the rows that a gate set of the project knows, and how; `None` where there is no gate set."""
    gates = gates_of(bench)
    if not gates:
        return None
    rows = (row for row in stored.iter_values() if isinstance(row, PreferencePair | Conversation))
    return {h.leak.learnt.id: h.told() for h in find_leaks(rows, gates, bench.home, meaning_of(bench))}


def _card(
    bench: Workbench, stored: StoredDataset, columns: Columns, wish: LintWish, leaks: dict[str, str] | None
) -> ScoreCard:
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
