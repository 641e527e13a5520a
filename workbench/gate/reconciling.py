"""Before anything is judged: attempted = scored + failed + not applicable, for each arm, run and metric."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from workbench.evaluation.arms import Finished, Pool
from workbench.gate.decision import Reconciliation
from workbench.statistics.noninferiority import shortfall
from workbench.tables import connection, rows


def reconciled(arm: Literal["candidate", "baseline"], pool: Pool, metrics: Collection[str]) -> list[Reconciliation]:
    """Return one row a run and metric; what was attempted follows from dataset and spec, not from the tables."""
    return [_row(arm, finished, metric, _counts(finished)) for finished in pool for metric in metrics]


def _row(
    arm: Literal["candidate", "baseline"], finished: Finished, metric: str, counts: dict[str, tuple[int, int, int, int]]
) -> Reconciliation:
    attempted = expected(finished)
    scored, failed, apart, odd = counts.get(metric, (0, 0, 0, 0))
    why = shortfall(attempted, scored, failed, apart)
    if not why and odd:
        why = f"{odd} answers are scored twice, or not at all"
    return Reconciliation(
        arm=arm,
        run=finished.run.id,
        metric=metric,
        attempted=attempted,
        scored=scored,
        failed=failed,
        not_applicable=apart,
        asked_again=len(finished.run.asked_again),
        shortfall=why,
    )


def expected(finished: Finished) -> int:
    """Return the answers that the dataset and the run's spec call for: samples × repeats."""
    spec, n = finished.run.spec, finished.run.dataset.n
    return min(n, spec.limit or n) * spec.repeats


def _counts(finished: Finished) -> dict[str, tuple[int, int, int, int]]:
    """Return by metric: scored, failed, not applicable, and answers that have not exactly one row of scores."""
    with connection(samples=finished.folder.samples, scores=finished.folder.scores) as db:
        n_answers = db.execute("SELECT count(*) FROM (SELECT DISTINCT sample_id, repeat FROM samples)").fetchall()[0][0]
        found = rows(
            db,
            """SELECT scorer, count(value) AS scored,
                      count(*) FILTER (value IS NULL AND failure IS NOT NULL AND failure <> 'not_applicable') AS failed,
                      count(*) FILTER (value IS NULL AND failure = 'not_applicable') AS apart,
                      count(DISTINCT (sample_id, repeat)) FILTER ((sample_id, repeat) IN
                          (SELECT (sample_id, repeat) FROM samples)) AS answers, count(*) AS n
               FROM scores GROUP BY scorer""",
        )
    return {
        row["scorer"]: (
            row["scored"],
            row["failed"],
            row["apart"],
            row["n"] - row["answers"] + n_answers - row["answers"],
        )
        for row in found
    }
