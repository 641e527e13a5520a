"""Never rerun until green: all runs of an arm are judged together, a second look at half the level, no third.

Runs are pooled where rows, model, and the scorers and judges that have rules are the same. Looks are counted over all
that were taken at the model on the same samples, or some of them: other rows, another scorer, another baseline, or a
run that was removed before it was judged buys no first look.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.evaluation.arms import Finished
from workbench.gate.records import Look, Start
from workbench.gate.series import Book
from workbench.nouns import fingerprint

MOST = 2
"""Looks at one model on the same samples."""
Inputs = Mapping[str, str]


def level_of(look: int, alpha: float) -> float:
    """Return the one-sided level of a look, from 1: half the policy's from the second on."""
    return alpha if look == 1 else alpha / 2


@dataclass(frozen=True)
class Sides:
    """What there is to judge, before it is known how."""

    inputs: Inputs
    """Fingerprints that make the candidate."""
    runs: Sequence[Finished]
    """All its finished runs, oldest first."""
    baseline_inputs: Inputs = field(default_factory=dict)
    baseline: Sequence[Finished] = ()
    """All finished runs of the baseline; empty when there is none, and where no rule compares."""
    promoted: str = ""
    """Id of the baseline's run that was promoted or named."""
    others: Collection[str] = ()
    """Ids of all runs of the home: a judged run that lacks a metric which has a rule now is there, if not here."""
    baseline_starts: Sequence[Start] = ()
    """Runs of the baseline's model on these rows that were begun."""


@dataclass(frozen=True)
class Looking:
    """Which runs are judged, and the how manieth look that is."""

    pool: tuple[Finished, ...]
    """The candidate's runs to judge, oldest first."""
    baseline: tuple[Finished, ...]
    """The baseline's, likewise."""
    runs: tuple[str, ...]
    """Ids of all runs of the candidate that count, those superseded included."""
    baseline_runs: tuple[str, ...]
    """The same of the baseline."""
    number: int
    new: bool
    """Whether these very runs have not been looked at before."""
    earlier: tuple[Look, ...]
    """Looks before this one."""
    blocked: str
    """Why there must be no verdict; empty otherwise."""
    notes: tuple[str, ...]
    """Looks that were taken at other rows, scorers or baselines, and runs that are gone or not finished."""


def inputs_of(fingerprints: Inputs, keys: Collection[str]) -> dict[str, str]:
    """Return the fingerprints that make a candidate; `keys` are those that rules rest on."""
    return {key: value for key, value in fingerprints.items() if key in keys}


def table_hashes(runs: Sequence[Finished]) -> dict[str, str]:
    """Return one hash of each run's tables by its id, from the hashes in its summary."""
    return {finished.run.id: fingerprint(dict(finished.run.tables)) for finished in runs}


def looking(sides: Sides, series: Book) -> Looking:
    """Return how the runs of both arms are to be judged; `series` are all runs and looks of the candidate's so far.

    Where both arms are of one model, the promoted run is the baseline and the others are the candidate: nobody is
    compared with himself. A rescored run counts, but its successor is judged in its place. More runs than looks are
    refused whatever the baseline.
    """
    apart = not _same(sides.inputs, sides.baseline_inputs)
    baseline = [f for f in sides.baseline if apart or f.run.id == sides.promoted]
    base_ids = tuple(f.run.id for f in baseline)
    counted = [f for f in sides.runs if f.run.id not in base_ids] or list(sides.runs)
    ids = tuple(f.run.id for f in counted)
    asked = [look for look in series.looks if not set(look.runs) <= set(base_ids)]
    before = _distinct(asked)
    begun = {*ids, *(start.run for start in series.starts if start.run not in base_ids)}
    lost = [start for start in sides.baseline_starts if start.run not in sides.others]
    at = next((i for i, look in enumerate(before) if _same_runs(look, ids, base_ids)), len(before))
    number = max(at + 1, len(begun) + len(lost), len(sides.runs) if len(sides.runs) > MOST else 1)
    there = [*sides.runs, *sides.baseline]
    return Looking(
        pool=_heirs(counted),
        baseline=_heirs(baseline),
        runs=ids,
        baseline_runs=base_ids,
        number=number,
        new=at == len(before),
        earlier=tuple(before[:at]),
        blocked=_gone(before, there, sides.others) or _changed(asked, there) or _too_many(number, before[:at]),
        notes=(*_moved(before[:at], sides), *_unseen(sides, ids, asked, [*series.starts, *lost])),
    )


def _same(a: Inputs, b: Inputs) -> bool:
    """Return whether two arms are one as far as rules rest on them: a rule more or less makes no other candidate."""
    alike = all(a[key] == b[key] for key in a.keys() & b.keys())
    return alike and {"rows", "model"} <= a.keys() & b.keys()


def _same_runs(look: Look, ids: tuple[str, ...], base_ids: tuple[str, ...]) -> bool:
    return look.runs == ids and (not look.baseline_runs or not base_ids or look.baseline_runs == base_ids)


def _distinct(looks: Sequence[Look]) -> list[Look]:
    """Return the first look at each set of runs; one without a baseline and the first with it are one."""
    kept: list[Look] = []
    for look in looks:
        at = next((i for i, k in enumerate(kept) if _same_runs(k, look.runs, look.baseline_runs)), None)
        if at is None:
            kept.append(look)
        elif not kept[at].baseline_runs:
            kept[at] = kept[at].model_copy(update={"baseline_runs": look.baseline_runs, "baseline": look.baseline})
    return kept


def _heirs(runs: Sequence[Finished]) -> tuple[Finished, ...]:
    """Return the runs that no other of them was rescored from."""
    parents = {f.run.spec.parent for f in runs}
    return tuple(f for f in runs if f.run.id not in parents)


def _gone(before: Sequence[Look], there: Sequence[Finished], others: Collection[str]) -> str:
    """Return which judged run is not there any more; without any run there is nothing to block."""
    judged = {run for look in before for run in (*look.runs, *look.baseline_runs)}
    gone = sorted(judged - {f.run.id for f in there} - set(others))
    if not gone or not there:
        return ""
    return f"run {gone[0]} was judged before and is gone; put it back, for all runs of an arm are judged together"


def _changed(looks: Sequence[Look], there: Sequence[Finished]) -> str:
    now = table_hashes(there)
    for look in looks:
        for run, hashed in look.tables.items():
            if now.get(run, hashed) != hashed:
                return f"the tables of run {run} are not those that were judged on {look.at}; put its folder back"
    return ""


def _too_many(number: int, before: Sequence[Look]) -> str:
    if number <= MOST:
        return ""
    said = ", ".join(f"{look.outcome} on {look.at}" for look in before) or f"{number} runs were begun"
    return (
        f"this would be look {number} at the same model on these samples ({said}); rerunning until it is green proves "
        "nothing: change the candidate, or write an evalset of new samples under a name of its own"
    )


def _moved(before: Sequence[Look], sides: Sides) -> Iterator[str]:
    """Yield earlier looks of which something is no longer as it was, though they count."""
    for look in before:
        moved = sorted(k for k in look.inputs.keys() & sides.inputs.keys() if look.inputs[k] != sides.inputs[k])
        if not _same(look.baseline, sides.baseline_inputs) and look.baseline and sides.baseline_inputs:
            moved.append("the baseline")
        if moved:
            yield f"{look.outcome} on {look.at}, before {', '.join(moved)} changed; that look counts"


def _unseen(sides: Sides, ids: Collection[str], asked: Sequence[Look], starts: Sequence[Start]) -> Iterator[str]:
    """Yield the runs that count as looks though no gate was decided on them."""
    seen = {*ids, *(run for look in asked for run in (*look.runs, *look.baseline_runs))}
    for start in starts:
        if start.run not in seen and start.run not in {f.run.id for f in sides.baseline}:
            now = "it was not judged" if start.run in sides.others else "it is gone"
            yield f"run {start.run} was begun on {start.at} on these samples and counts as a look, though {now}"
