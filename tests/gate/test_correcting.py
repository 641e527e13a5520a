"""A judged pass rate is held against its threshold as the judge's error leaves it; the level holds."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from tests.calibration.made import judged
from workbench.calibration.calibrated import Calibrated, Subject, calibrate
from workbench.gate.correcting import Holding, corrected_bounds, corrected_judge
from workbench.gate.policy import MetricRule, Policy
from workbench.runs import Interval
from workbench.statistics.noninferiority import Decision, Scale, decide_mean
from workbench.statistics.prevalence import Calibration

SUBJECT = Subject(metric="correct", judge="judge", inputs={}, labels="l", question="verdict", guideline="g/1")
ALPHA = 0.05


def held(seed: int, tpr: float, tnr: float, n: int = 1000) -> Calibrated:
    return calibrate(judged(n, tpr=tpr, tnr=tnr, seed=seed), SUBJECT, [], open_test=True, who="", at="")


def verdict(seed: int, theta: float, limit: float, tpr: float = 0.92, tnr: float = 0.88, n: int = 600) -> Decision:
    draw = np.random.default_rng(10_000 + seed)
    human = draw.random(n) < theta
    passes = [float(x) for x in np.where(human, draw.random(n) < tpr, draw.random(n) >= tnr)]
    groups = [f"s{i}" for i in range(n)]

    def raw(level: float) -> Decision:
        return decide_mean(passes, groups, Scale(low=0, high=1), limit=limit, allowed_missing=0.02, level=level)

    return corrected_judge(Holding(held(seed, tpr, tnr)), "correct", raw, limit, "higher")(ALPHA)


def test_a_model_at_the_limit_passes_and_fails_no_more_often_than_the_level_says() -> None:
    found = [verdict(seed, theta=0.7, limit=0.7).verdict for seed in range(200)]
    assert found.count("pass") <= 17 and found.count("fail") <= 17, found  # 200 at 5 %: 17 is 97.5 % of the binomial


def test_a_clearly_better_model_passes_and_a_clearly_worse_one_fails() -> None:
    better = [verdict(seed, theta=0.85, limit=0.7).verdict for seed in range(30)]
    worse = [verdict(seed, theta=0.5, limit=0.7).verdict for seed in range(30)]
    assert better.count("pass") >= 27 and worse.count("fail") >= 27


def test_a_lenient_judge_would_have_passed_what_its_correction_does_not() -> None:
    """Truth .6 against .7: the judge passes 4 in 10 of the bad, so that the raw rate is .74."""
    decision = verdict(1, theta=0.6, limit=0.7, tpr=0.97, tnr=0.6, n=1500)
    assert decision.verdict != "pass"
    assert decision.reason.startswith("judge says 0.7") and "corrected 0." in decision.reason
    assert decision.estimate.value is not None and decision.estimate.value < 0.7


def test_without_a_calibration_or_with_a_coin_for_a_judge_there_is_no_verdict() -> None:
    def raw(level: float) -> Decision:
        return decide_mean([1.0] * 99 + [0.0], None, Scale(low=0, high=1), limit=0.5, allowed_missing=0, level=level)

    void = Holding(None, "the calibration of 2026-11-23 is void: the rubric or prompt changed since")
    assert raw(0.9).verdict == "pass"
    for none in (None, void, Holding(held(0, 0.5, 0.5))):
        assert corrected_judge(none, "correct", raw, 0.5, "higher")(ALPHA).verdict == "inconclusive"
    assert "is void" in corrected_judge(void, "correct", raw, 0.5, "higher")(ALPHA).reason


def test_bounds_are_those_of_the_worst_judge_that_the_labels_allow() -> None:
    p = Interval(low=0.7, high=0.8, method="given")
    sure = Calibration(human_passes=1e6, judged_passes=9e5, human_fails=1e6, judged_fails=9e5)
    low, high = corrected_bounds(p, sure, 0.0125)
    assert low == pytest.approx((0.7 - 0.1) / 0.8, abs=0.01) and high == pytest.approx((0.8 - 0.1) / 0.8, abs=0.01)
    unsure = Calibration(human_passes=20, judged_passes=18, human_fails=20, judged_fails=18)
    assert corrected_bounds(p, unsure, 0.0125)[0] < low - 0.05
    coin = Calibration(human_passes=20, judged_passes=10, human_fails=20, judged_fails=10)
    assert corrected_bounds(p, coin, 0.0125)[1] == 1.0


def test_correcting_belongs_to_a_threshold_over_all_samples() -> None:
    with pytest.raises(ValidationError, match="corrected belongs to min or max"):
        MetricRule(margin=0.05, corrected=True)
    with pytest.raises(ValidationError, match="not in a slice: a=b: correct"):
        Policy.model_validate(
            {"metrics": {"correct": {"min": 0.5}}, "slices": {"a=b": {"correct": {"min": 0.5, "corrected": True}}}}
        )
