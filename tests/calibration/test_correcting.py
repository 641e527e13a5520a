"""Corrected pass rates cover the truth, with families of samples and of labels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.calibration.made import judged
from workbench.calibration.calibrated import Subject, calibrate
from workbench.calibration.correcting import corrected, effective_n
from workbench.calibration.judged import Judged

SUBJECT = Subject(metric="correct", judge="judge", inputs={}, labels="l", question="verdict", guideline="g/1")


def test_the_sentence_names_the_raw_rate_the_corrected_one_its_interval_and_the_labels() -> None:
    found = calibrate(judged(1000), SUBJECT, [], open_test=True, who="", at="")
    told = corrected("correct", [1.0] * 160 + [0.0] * 40, [f"s{i}" for i in range(200)], found)
    assert found.test is not None and told.n_labels == found.test.n
    assert told.sentence().startswith("judge says 80%, corrected ")
    assert told.sentence().endswith(f" {found.test.n} labels")
    assert told.raw_interval is not None and told.estimate.interval is not None
    width = told.raw_interval.high - told.raw_interval.low
    assert told.estimate.interval.high - told.estimate.interval.low > width


def test_a_coin_corrects_nothing_and_says_why() -> None:
    found = calibrate(judged(600, tpr=0.5, tnr=0.5), SUBJECT, [], open_test=True, who="", at="")
    told = corrected("correct", [1.0, 0.0] * 50, [f"s{i}" for i in range(100)], found)
    assert told.estimate.value is None
    assert "not corrected: the judge may not tell good from bad" in told.sentence()


def test_families_count_for_as_many_samples_as_they_tell() -> None:
    assert effective_n(0.5, 0.05, 1000) == pytest.approx(100)
    assert effective_n(0.5, 0.001, 1000) == 1000
    assert effective_n(1.0, 0.0, 50) == 50 == effective_n(0.3, None, 50)


@pytest.mark.parametrize("draws", [100, pytest.param(300, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("tpr", "tnr", "share"), [(0.92, 0.88, 0.8), pytest.param(0.8, 0.95, 0.3, marks=pytest.mark.long)]
)
def test_the_interval_covers_the_truth_where_families_of_five_agree(
    tpr: float, tnr: float, share: float, draws: int
) -> None:
    """Draws of 240 families of labels and 120 of samples, each of one truth; the share covered is near 95 %."""
    hits = sum(_covers(tpr, tnr, share, seed) for seed in range(draws))
    assert 0.91 <= hits / draws <= 0.99, hits / draws


def _covers(tpr: float, tnr: float, share: float, seed: int) -> bool:
    draw = np.random.default_rng(seed)
    labels = _families(draw, 240, tpr, tnr, 0.5)
    found = calibrate(labels, SUBJECT, [], open_test=True, who="", at="")
    samples = _families(draw, 120, tpr, tnr, share)
    told = corrected("correct", [float(bool(s.judge)) for s in samples], [s.group for s in samples], found)
    interval = told.estimate.interval
    return interval is not None and interval.low <= share <= interval.high


def _families(draw: np.random.Generator, n: int, tpr: float, tnr: float, share: float) -> list[Judged]:
    """Draw n families of 5: human verdicts agree within one with correlation .5, the judge errs by itself."""
    rows = []
    for family in range(n):
        own = draw.random() < share
        for _ in range(5):
            human = bool(own if draw.random() < 0.7 else draw.random() < share)
            right = draw.random() < (tpr if human else tnr)
            name = f"{draw.integers(1 << 60)}"
            rows.append(Judged(id=name, group=f"f{family}", human=human, judge=human == right))
    return rows
