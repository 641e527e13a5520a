"""Published annotations: PandaLM's three raters of pairs, RAGChecker's two rater slots on three criteria.

The extracts are samples of the published files, so the figures over the whole files must lie within their intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from workbench.statistics.agreement import Scale, cohen_kappa, fleiss_kappa, krippendorff_alpha

Rows = Callable[[str], list[dict[str, Any]]]
WHOLE_PANDALM = {"alpha": 0.864, (0, 1): 0.852, (0, 2): 0.862, (1, 2): 0.879}
WHOLE_RAGCHECKER = {"correctness": 0.634, "completeness": 0.719, "overall": 0.699}


def test_pandalms_three_raters_agree_as_published(rows: Rows, figure: Callable[[str], None]) -> None:
    found = rows("pandalm")
    table, groups = [row["annotators"] for row in found], [row["group_id"] for row in found]
    alpha = krippendorff_alpha(table, "nominal", groups, seed=1)
    expected = krippendorff.alpha(reliability_data=np.array(table).T, level_of_measurement="nominal")
    assert alpha.value == pytest.approx(expected, abs=1e-12)
    assert alpha.interval is not None and alpha.interval.low <= WHOLE_PANDALM["alpha"] <= alpha.interval.high
    assert fleiss_kappa(table, groups, seed=1).value == pytest.approx(expected, abs=1e-3)
    figure(f"PandaLM: alpha {expected:.3f} [{alpha.interval.low:.3f}, {alpha.interval.high:.3f}] on {alpha.n}")
    for a, b in combinations(range(3), 2):
        first, second = [row[a] for row in table], [row[b] for row in table]
        kappa = cohen_kappa(first, second, groups, seed=1)
        assert kappa.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
        assert kappa.interval is not None and kappa.interval.low <= WHOLE_PANDALM[a, b] <= kappa.interval.high


@pytest.mark.parametrize("criterion", list(WHOLE_RAGCHECKER))
def test_ragcheckers_two_slots_agree_as_published(criterion: str, rows: Rows, figure: Callable[[str], None]) -> None:
    found = rows("ragchecker_pairs")
    table = [[slot[criterion] for slot in row["human"]] for row in found]
    groups = [row["group_id"] for row in found]
    numbers = np.array(table, dtype=float).T
    scales: tuple[Scale, ...] = ("nominal", "ordinal", "interval")
    for scale in scales:
        expected = krippendorff.alpha(reliability_data=numbers, level_of_measurement=scale)
        assert krippendorff_alpha(table, scale, groups, seed=1).value == pytest.approx(expected, abs=1e-12)
    alpha = krippendorff_alpha(table, "interval", groups, seed=1)
    assert alpha.interval is not None and alpha.interval.low <= WHOLE_RAGCHECKER[criterion] <= alpha.interval.high
    figure(
        f"RAGChecker {criterion}: interval alpha {alpha.value:.3f} "
        f"[{alpha.interval.low:.3f}, {alpha.interval.high:.3f}] on {alpha.n}"
    )
    first, second = [row[0] for row in table], [row[1] for row in table]
    steps = (-2, -1, 0, 1, 2)
    kappa = cohen_kappa(first, second, groups, seed=1, scale="ordinal", order=steps)
    assert kappa.value == pytest.approx(
        cohen_kappa_score(first, second, weights="linear", labels=list(steps)), abs=1e-12
    )
