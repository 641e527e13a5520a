"""Never rerun until green: all runs of a candidate are judged together, a second look at half the level, no third."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.evaluation.arms import Finished
from workbench.gate.records import Look
from workbench.nouns import fingerprint

MOST = 2
"""Looks at one candidate and baseline."""
NO_BASELINE = "none"


@dataclass(frozen=True)
class Looking:
    """Which runs are judged, and the how manieth look that is."""

    pool: tuple[Finished, ...]
    """The runs to judge, oldest first."""
    runs: tuple[str, ...]
    """Ids of all runs of the candidate that count, those superseded included."""
    baseline: str
    """Hash of the baseline's fingerprints, or `none`."""
    number: int
    new: bool
    """Whether these very runs have not been looked at before."""
    earlier: tuple[Look, ...]
    """Looks before this one."""
    blocked: str
    """Why there must be no verdict; empty otherwise."""


def identity_of(fingerprints: Mapping[str, str]) -> str:
    """Return one hash of a run's inputs: rows, model, scorers and judges."""
    return fingerprint(dict(fingerprints))


def looking(
    runs: Sequence[Finished], baseline: Finished | None, looks: Sequence[Look], compared: bool = True
) -> Looking:
    """Return how the finished runs of one candidate are to be judged; `looks` are all the looks at it so far.

    The baseline's own run is left out where the candidate has others: nobody is compared with himself. A run that was
    rescored counts, but its successor is judged in its place. Where no rule compares (`compared` off), the baseline has
    no part in the question, so that naming another one resets nothing. More runs than looks are refused whatever the
    baseline.
    """
    if not compared:
        baseline = None
    others = [f for f in runs if baseline is None or f.run.id != baseline.run.id]
    counted = others or list(runs)
    parents = {f.run.spec.parent for f in counted}
    key = NO_BASELINE if baseline is None else identity_of(baseline.run.spec.fingerprints)
    ids = tuple(f.run.id for f in counted)
    itself = () if baseline is None else (baseline.run.id,)
    same = [look for look in looks if not compared or look.baseline in (key, NO_BASELINE)]
    before = _distinct([look for look in same if look.runs != itself])
    at = next((i for i, look in enumerate(before) if look.runs == ids), len(before))
    number = max(at + 1, len(ids), len(runs) if len(runs) > MOST else 1)
    return Looking(
        pool=tuple(f for f in counted if f.run.id not in parents),
        runs=ids,
        baseline=key,
        number=number,
        new=at == len(before),
        earlier=tuple(before[:at]),
        blocked=_why_blocked(number, before[:at], [f.run.id for f in runs]),
    )


def _distinct(looks: Sequence[Look]) -> list[Look]:
    """Return the first look at each set of runs."""
    first: dict[tuple[str, ...], Look] = {}
    for look in looks:
        first.setdefault(tuple(look.runs), look)
    return list(first.values())


def _why_blocked(number: int, before: Sequence[Look], ids: Sequence[str]) -> str:
    gone = sorted({run for look in before for run in look.runs} - set(ids))
    if gone and ids:
        return (
            f"run {gone[0]} was judged before and is gone; put it back, for all runs of a candidate are judged together"
        )
    if number <= MOST:
        return ""
    said = ", ".join(f"{look.outcome} on {look.at}" for look in before) or f"it has {len(ids)} finished runs"
    return (
        f"this would be look {number} at the same candidate ({said}); rerunning until it is green proves nothing: "
        "change the candidate, or enlarge the evalset"
    )
