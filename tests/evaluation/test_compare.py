"""Comparisons are paired, clustered, symmetric, honest about what is missing, and refused where they would mislead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar

from tests.evaluation.made import FRACTION, NA, RIGHT, WORSE, in_memory, made, numbered
from workbench.errors import DataError
from workbench.evaluation.compare import compare, compare_all, difference
from workbench.evaluation.comparison import MetricDifference

cells = st.sampled_from([0.0, 1.0, 0.0, 1.0, None, NA])
arms = st.integers(2, 12).flatmap(
    lambda n: st.tuples(
        *[st.lists(cells, min_size=n, max_size=n)] * 2, st.lists(st.integers(0, 4), min_size=n, max_size=n)
    )
)
relaxed = settings(max_examples=100, deadline=None)


def whole(a, b) -> MetricDifference:
    return next(m for m in compare([a], [b]).metrics if not m.slice)


def differ(a, b, codes=None) -> MetricDifference:
    """Return the difference of two arms that were never written to disk."""
    families = None if codes is None else in_families(codes)
    one, two = in_memory(numbered(a), families), in_memory(numbered(b), families)
    return difference({name: (one[name], two[name]) for name in one}, RIGHT)


def in_families(codes) -> dict[str, str]:
    return {f"s{i:04d}": f"f{code}" for i, code in enumerate(codes)}


@relaxed
@given(arms)
def test_swapping_the_arms_negates_the_difference_and_nothing_else(drawn) -> None:
    a, b, codes = drawn
    there, back = differ(a, b, codes), differ(b, a, codes)
    assert (there.n, there.p, there.ties, there.undefined) == (back.n, back.p, back.ties, back.undefined)
    assert (there.wins, there.losses) == (back.losses, back.wins)
    assert (there.n_missing_baseline, there.n_missing_candidate) == (back.n_missing_candidate, back.n_missing_baseline)
    if there.delta is not None and back.delta is not None:
        assert there.delta == pytest.approx(-back.delta)
    for x, y in ((there.interval, back.interval), (there.worst_case, back.worst_case)):
        assert (x is None) == (y is None)
        if x and y:
            assert (x.low, x.high) == (pytest.approx(-y.high, abs=1e-9), pytest.approx(-y.low, abs=1e-9))
    assert [(bar.n) for bar in there.histogram] == [bar.n for bar in reversed(back.histogram)]


@relaxed
@given(arms)
def test_every_sample_is_a_pair_or_missing_or_not_applicable(drawn) -> None:
    a, b, _ = drawn
    found = differ(a, b)
    applies = [(x, y) for x, y in zip(a, b, strict=True) if not (x == NA and y == NA)]
    assert found.n == sum(isinstance(x, float) and isinstance(y, float) for x, y in applies)
    assert found.n_not_applicable == len(a) - len(applies)
    assert found.n_missing_baseline == sum(not isinstance(x, float) for x, _ in applies)
    assert found.wins + found.losses + found.ties == found.n == sum(bar.n for bar in found.histogram)


@pytest.mark.parametrize("seed", range(5))
def test_mcnemar_is_the_one_of_scipy_and_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.random((2, 60)) < [[0.6], [0.75]]).astype(float).tolist()
    found = differ(a, b)
    table = [[sum((x, y) == (i, j) for x, y in zip(a, b, strict=True)) for j in (1, 0)] for i in (1, 0)]
    assert found.p_method == "exact McNemar"
    assert found.p == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert found.p == pytest.approx(binomtest(found.wins, found.wins + found.losses).pvalue)


@pytest.mark.parametrize("seed", range(5))
def test_clustered_differences_have_the_standard_error_of_statsmodels(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(12), 4)
    a, b = (np.clip(rng.random(48) + 0.3 * rng.random(12)[codes], 0, 1) for _ in range(2))
    one, two = (made(tmp_path, numbered(v.tolist()), info=FRACTION, families=in_families(codes)) for v in (a, b))
    found = whole(one, two)
    # statsmodels' factor is C/(C-1) · (n-1)/(n-k), which for a mean (k = 1) is C/(C-1), as ours.
    se = OLS(b - a, np.ones(48)).fit(cov_type="cluster", cov_kwds={"groups": codes}).bse[0]
    assert found.detectable == pytest.approx(2.8016 * se, rel=1e-4)
    assert found.interval is not None and found.interval.method == "bonett-price, clustered by group"


def test_repeats_are_averaged_within_a_sample_and_flips_are_told(tmp_path: Path) -> None:
    one = made(tmp_path, {"a": [1, 1], "b": [0, 1], "c": [0, 0]})
    two = made(tmp_path, {"a": [1, 1], "b": [1, 1], "c": [0, 1]})
    found = whole(one, two)
    assert (found.baseline, found.candidate, found.delta) == (0.5, pytest.approx(5 / 6), pytest.approx(1 / 3))
    assert (found.n, found.wins, found.ties) == (3, 2, 1)
    assert (found.flips_baseline, found.flips_candidate) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_a_sample_that_lacks_one_repeat_is_missing_for_the_others_may_be_the_lucky_ones(tmp_path: Path) -> None:
    found = whole(made(tmp_path, {"a": [0, 1], "b": [1, 1]}), made(tmp_path, {"a": [1, None], "b": [1, 1]}))
    assert (found.n, found.n_missing_baseline, found.n_missing_candidate) == (1, 0, 1)
    assert found.worst_case is not None
    assert (found.worst_case.low, found.worst_case.high) == (-0.25, 0.25)


def test_two_runs_of_one_arm_are_pooled_as_repeats(tmp_path: Path) -> None:
    old = made(tmp_path, {"a": [0], "b": [0]})
    pool = [made(tmp_path, {"a": [1], "b": [0]}), made(tmp_path, {"a": [1], "b": [1]})]
    found = compare([old], pool)
    assert found.candidate.repeats == 2 and len(found.candidate.runs) == 2
    assert found.metrics[0].candidate == 0.75


def test_slices_are_exploratory_and_adjusted_together(tmp_path: Path) -> None:
    tags = {f"s{i:04d}": {"lang": "de" if i % 2 else "en", "id": str(i)} for i in range(60)}
    one = made(tmp_path, numbered([0.0] * 60), tags=tags)
    two = made(tmp_path, numbered([float(i % 2) for i in range(60)]), tags=tags)
    found = {m.slice: m for m in compare([one], [two]).metrics}
    assert set(found) == {"", "lang=de", "lang=en"}, "a tag with a value a sample is a name"
    assert found["lang=de"].delta == 1 and found["lang=en"].delta == 0
    assert found[""].adjustment == "" and found[""].p_adjusted is None
    assert found["lang=de"].adjustment == "benjamini-hochberg"
    assert found["lang=de"].p is not None and found["lang=de"].p_adjusted == pytest.approx(2 * found["lang=de"].p)


def test_several_runs_stand_against_the_first_with_holm(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    runs = [made(tmp_path, numbered((rng.random(50) < p).astype(float).tolist())) for p in (0.4, 0.5, 0.8)]
    found = [c.metrics[0] for c in compare_all(runs).against]
    raw = sorted(m.p for m in found if m.p is not None)
    assert sorted(m.p_adjusted for m in found if m.p_adjusted is not None) == pytest.approx(
        [min(1, 2 * raw[0]), max(min(1, 2 * raw[0]), raw[1])]
    )
    assert {m.adjustment for m in found} == {"holm"}


def test_regressions_and_fixes_are_counted_and_the_largest_are_told_with_both_answers(tmp_path: Path) -> None:
    one = made(tmp_path, {"a": [1.0], "b": [0.2], "c": [0.9], "d": [0.5]}, info=FRACTION, model="old")
    two = made(tmp_path, {"a": [0.0], "b": [1.0], "c": [0.8], "d": [0.5]}, info=FRACTION, model="new")
    found = compare([one], [two], shown=1)
    assert (found.n_regressions, found.n_fixes) == ({"fraction": 2}, {"fraction": 1})
    worse, better = found.changes
    assert (worse.kind, worse.sample_id, worse.before, worse.after) == ("regression", "a", 1.0, 0.0)
    assert (worse.question, worse.answer_before, worse.answer_after) == ("question a", "old on a", "new on a")
    assert (better.kind, better.sample_id, better.reason) == ("fix", "b", "scored 1.0")


def test_where_lower_is_better_less_is_a_win(tmp_path: Path) -> None:
    found = compare(
        [made(tmp_path, {"a": [0.9], "b": [0.5]}, info=WORSE)], [made(tmp_path, {"a": [0.1], "b": [0.6]}, info=WORSE)]
    )
    assert (found.metrics[0].wins, found.metrics[0].losses) == (1, 1)
    assert found.metrics[0].delta == pytest.approx(-0.35)
    assert [c.kind for c in found.changes] == ["regression", "fix"]


def test_latency_and_price_are_compared_where_both_are_known(tmp_path: Path) -> None:
    one = made(tmp_path, numbered([1.0] * 3), usage={"latency": 1.0, "cost": 0.5})
    two = made(tmp_path, numbered([1.0] * 3), usage={"latency": 3.0, "cost": 0.25})
    cached = made(tmp_path, numbered([1.0] * 3), usage={"cached": True, "attempts": 0, "cost": 0.0})
    found = compare([one], [two])
    assert (found.latency_p50, found.latency_p95, found.cost_per_answer) == (2.0, 2.0, -0.25)
    unknown = compare([one], [cached])
    assert (unknown.latency_p50, unknown.cost_per_answer) == (None, None)


def test_no_pair_is_undefined_and_never_zero(tmp_path: Path) -> None:
    found = whole(made(tmp_path, numbered([None, 1.0])), made(tmp_path, numbered([1.0, None])))
    assert (found.n, found.delta, found.p, found.interval) == (0, None, None, None)
    assert "no sample has a score in both runs" in found.undefined


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"rows": "q" * 32}, "different rows"),
        ({"scores": numbered([1.0] * 3)}, "1 only in .* \\(s0003\\)"),
    ],
)
def test_runs_on_other_samples_are_refused_and_the_difference_is_named(tmp_path: Path, changed, told) -> None:
    scores = changed.pop("scores", numbered([1.0] * 4))
    with pytest.raises(DataError, match=told):
        compare_all([made(tmp_path, numbered([1.0] * 4)), made(tmp_path, scores, **changed)])


def test_a_metric_whose_rule_changed_is_refused_and_the_others_stand(tmp_path: Path) -> None:
    newer = RIGHT.model_copy(update={"version": "2"})
    values = numbered([1.0, 0.0])
    one = made(tmp_path, values, {FRACTION: values})
    two = made(tmp_path, values, {FRACTION: values}, info=newer)
    found = compare([one], [two])
    assert [m.scorer for m in found.metrics] == ["fraction"]
    assert [r.scorer for r in found.refused] == ["right"]
    assert "version was 1 for the baseline and is 2 now" in found.refused[0].reason
    assert f"workbench eval rescore {one.run.id}" in found.refused[0].reason


def test_a_metric_that_only_one_run_has_is_refused(tmp_path: Path) -> None:
    values = numbered([1.0, 0.0])
    found = compare([made(tmp_path, values, {FRACTION: values})], [made(tmp_path, values)])
    assert [(r.scorer, r.reason.split()[0]) for r in found.refused] == [("fraction", "only")]


def test_other_settings_of_a_scorer_are_refused(tmp_path: Path) -> None:
    values = numbered([1.0, 0.0])
    found = compare([made(tmp_path, values)], [made(tmp_path, values, fingerprints={"scorer:right": "other"})])
    assert not found.metrics and "settings differ" in found.refused[0].reason
