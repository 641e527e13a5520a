"""Balanced accuracy and its interval."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.calibration.judged import Judged
from workbench.calibration.measuring import measure


def drawn(draw: np.random.Generator, families: int, each: int, tpr: float, tnr: float) -> list[Judged]:
    """Return families whose answers are all judged rightly or all wrongly, a third of the families passing."""
    rows = []
    for family in range(families):
        human = family % 3 == 0
        right = draw.random() < (tpr if human else tnr)
        rows += [Judged(id=f"{family}/{i}", group=f"g{family}", human=human, judge=human == right) for i in range(each)]
    return rows


@pytest.mark.parametrize("each", [1, 3])
def test_the_interval_of_the_balanced_accuracy_covers_the_truth_with_and_without_families(each: int) -> None:
    draw = np.random.default_rng(7)
    hits = 0
    for _ in range(400):
        at = measure(drawn(draw, 150, each, 0.8, 0.7)).balanced_interval
        assert at is not None
        hits += at.low <= 0.75 <= at.high
    assert 365 <= hits <= 395, "95 % of 400, by three standard errors"


def test_without_one_class_or_without_any_error_there_is_no_such_interval() -> None:
    rows = drawn(np.random.default_rng(0), 30, 1, 1.0, 1.0)
    assert measure(rows).balanced == 1.0 and measure(rows).balanced_interval is None
    assert measure([row for row in rows if row.human]).balanced_interval is None
    assert measure([]).balanced_interval is None
