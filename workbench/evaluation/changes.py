"""Which samples got worse and which got better, with both answers: what to read after a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.evaluation.arms import Finished, SampleScores
from workbench.evaluation.comparison import Change
from workbench.runs import ScorerInfo
from workbench.tables import connection, rows

Pair = tuple[SampleScores, SampleScores]
"""Scores of the baseline and of the candidate."""
Kind = Literal["regression", "fix"]


@dataclass(frozen=True)
class Changes:
    """The largest changes of one metric, and how many there are."""

    n_regressions: int
    n_fixes: int
    shown: list[Change]


@dataclass(frozen=True)
class _Moved:
    sample_id: str
    kind: Kind
    family: str
    before: float
    after: float


def changes(
    baseline: Finished, candidate: Finished, info: ScorerInfo, pairs: Mapping[str, Pair], shown: int
) -> Changes:
    """Return the samples whose score changed: the largest changes of each kind with texts, and all counted."""
    moved = [_moved(name, *pair, info) for name, pair in pairs.items()]
    by_kind: dict[Kind, list[_Moved]] = {"regression": [], "fix": []}
    for change in moved:
        if change is not None:
            by_kind[change.kind].append(change)
    for found in by_kind.values():
        found.sort(key=lambda c: (-abs(c.after - c.before), c.sample_id))
    chosen = [change for found in by_kind.values() for change in found[:shown]]
    return Changes(len(by_kind["regression"]), len(by_kind["fix"]), _told(baseline, candidate, info, chosen))


def _moved(name: str, old: SampleScores, new: SampleScores, info: ScorerInfo) -> _Moved | None:
    before, after = old.mean, new.mean
    if before is None or after is None or abs(after - before) < 1e-12:
        return None
    better = after > before if info.better == "higher" else after < before
    return _Moved(name, "fix" if better else "regression", new.family, before, after)


def _told(baseline: Finished, candidate: Finished, info: ScorerInfo, chosen: Sequence[_Moved]) -> list[Change]:
    ids = [change.sample_id for change in chosen]
    if not ids:
        return []
    old, new = _answers(baseline, ids), _answers(candidate, ids)
    reasons_before, reasons = _reasons(baseline, ids, info.name), _reasons(candidate, ids, info.name)
    return [
        Change(
            scorer=info.name,
            kind=change.kind,
            sample_id=change.sample_id,
            family=change.family,
            before=change.before,
            after=change.after,
            question=new[change.sample_id][0],
            answer_before=old[change.sample_id][1],
            answer_after=new[change.sample_id][1],
            reason_before=reasons_before.get(change.sample_id) or "",
            reason=reasons.get(change.sample_id) or "",
        )
        for change in chosen
    ]


def _answers(finished: Finished, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return question and first answer by sample id."""
    query = "SELECT sample_id, question, output FROM samples WHERE repeat = 0 AND list_contains(?, sample_id)"
    with connection(samples=finished.folder.samples) as db:
        return {row["sample_id"]: (row["question"], row["output"] or "") for row in rows(db, query, [list(ids)])}


def _reasons(finished: Finished, ids: Sequence[str], scorer: str) -> dict[str, str | None]:
    """Return the reason of the first answer's score by sample id."""
    query = "SELECT sample_id, reason FROM scores WHERE scorer = ? AND repeat = 0 AND list_contains(?, sample_id)"
    with connection(scores=finished.folder.scores) as db:
        return {row["sample_id"]: row["reason"] for row in rows(db, query, [scorer, list(ids)])}
