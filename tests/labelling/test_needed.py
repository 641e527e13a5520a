"""How many labels an interval needs, against the interval that so many labels then give."""

from __future__ import annotations

import pytest

from workbench.labelling.needed import labels_needed
from workbench.statistics.prevalence import Calibration, corrected_rate


def calibration(m: int) -> Calibration:
    return Calibration(
        human_passes=round(0.6 * m),
        judged_passes=round(0.6 * m * 0.9),
        human_fails=round(0.4 * m),
        judged_fails=round(0.4 * m * 0.85),
    )


@pytest.mark.parametrize("half_width", [0.07, 0.05, 0.04])
def test_with_the_labels_it_asks_for_the_interval_is_as_narrow_as_asked(half_width: float) -> None:
    needed = labels_needed(1400, 2000, calibration(100), half_width)
    assert needed.labels is not None and needed.labels > 0
    interval = corrected_rate(1400, 2000, calibration(100 + needed.labels), seed=1).interval
    assert interval is not None
    assert (interval.high - interval.low) / 2 == pytest.approx(half_width, rel=0.1)


def test_an_interval_that_is_narrow_already_needs_none() -> None:
    assert labels_needed(1400, 2000, calibration(4000), 0.05).labels == 0


def test_too_few_answers_cannot_be_made_up_by_labels() -> None:
    needed = labels_needed(35, 50, calibration(100), 0.05)
    assert needed.labels is None
    assert needed.why.endswith("however many are labelled; judge more answers")


def test_a_judge_that_tells_nothing_apart_needs_mending_first() -> None:
    blind = Calibration(human_passes=50, judged_passes=25, human_fails=50, judged_fails=25)
    assert labels_needed(35, 50, blind, 0.05).why.startswith("the judge does not tell good from bad")
