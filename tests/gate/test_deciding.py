"""A decision: reconciled first, judged on bounds, fails held together, waivers visible, nothing missing is good."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evaluation.made import FRACTION, NA, RIGHT, WORSE, Scores, in_memory, made, numbered
from workbench.evaluation.arms import Finished, SampleScores
from workbench.gate.claims import Evidence, claims
from workbench.gate.deciding import Case, decide
from workbench.gate.decision import GateDecision, joint
from workbench.gate.judging import judged
from workbench.gate.policy import Policy
from workbench.gate.records import Waiver

AT = "2026-01-02T00:00:00+00:00"
cells = st.sampled_from([0.0, 1.0, 1.0, None, NA])
relaxed = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def policy(**fields: Any) -> Policy:
    return Policy.model_validate({"metrics": {"right": {"min": 0.5}}, **fields})


def decided(rules: Policy, candidate: Finished, baseline: Finished | None = None, **fields: Any) -> GateDecision:
    missing = "" if baseline else "no run was promoted as baseline"
    return decide(Case("set", rules, AT, [candidate], [baseline] if baseline else [], no_baseline=missing, **fields))


def share(good: int, of: int) -> dict[str, list[Any]]:
    return numbered([float(i < good) for i in range(of)])


@pytest.mark.parametrize(("good", "verdict"), [(90, "pass"), (10, "fail"), (52, "inconclusive")])
def test_a_threshold_is_held_against_the_bound_and_not_the_point(tmp_path: Path, good: int, verdict: str) -> None:
    found = decided(policy(), made(tmp_path, share(good, 100)))
    row = found.rows[0]
    assert (found.decision, row.verdict, row.estimate, row.limit) == (verdict, verdict, good / 100, 0.5)
    assert row.interval is not None and row.interval.low < good / 100 < row.interval.high
    assert row.bound == (row.interval.high if verdict == "fail" else row.interval.low)
    assert found.reason


@pytest.mark.parametrize(("good", "verdict"), [(10, "pass"), (90, "fail"), (50, "inconclusive")])
def test_a_ceiling_is_the_mirror_of_a_floor(tmp_path: Path, good: int, verdict: str) -> None:
    found = decided(policy(metrics={"right": {"max": 0.5}}), made(tmp_path, share(good, 100)))
    assert (found.decision, found.rows[0].kind, found.rows[0].passes) == (verdict, "max", "below")


@pytest.mark.parametrize(("good", "verdict"), [(80, "pass"), (40, "fail"), (72, "inconclusive")])
def test_a_margin_says_how_much_worse_is_good_enough(tmp_path: Path, good: int, verdict: str) -> None:
    rules = policy(metrics={"right": {"margin": 0.1}})
    found = decided(rules, made(tmp_path, share(good, 100)), made(tmp_path, share(80, 100), model="old"))
    row = found.rows[0]
    assert (found.decision, row.limit, row.margin, row.what) == (verdict, -0.1, 0.1, "candidate - baseline")
    assert row.estimate == pytest.approx((good - 80) / 100)
    assert found.comparison is not None and found.baseline is not None


def test_where_lower_is_better_a_margin_lies_above(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    low, high = (numbered((x + 0.1 * rng.random(60)).tolist()) for x in (0.1, 0.5))
    rules = policy(metrics={"errors": {"margin": 0.1}})
    good = decided(rules, made(tmp_path, low, info=WORSE), made(tmp_path, high, info=WORSE))
    bad = decided(rules, made(tmp_path, high, info=WORSE), made(tmp_path, low, info=WORSE))
    assert (good.decision, bad.decision, good.rows[0].limit) == ("pass", "fail", 0.1)


def test_a_slice_that_must_hold_can_fail_alone(tmp_path: Path) -> None:
    tags = {f"s{i:04d}": {"lang": "de" if i < 40 else "en"} for i in range(200)}
    scores = numbered([float(i >= 40) for i in range(200)])
    rules = policy(slices={"lang=de": {"right": {"min": 0.5}}, "lang=fr": {"right": {"min": 0.5}}})
    found = decided(rules, made(tmp_path, scores, tags=tags))
    assert [(r.rule, r.verdict) for r in found.rows] == [
        ("set:right.min", "pass"),
        ("set:right[lang=de].min", "fail"),
        ("set:right[lang=fr].min", "inconclusive"),
    ]
    assert "applies to no sample with lang=fr" in found.rows[2].reason
    assert found.decision == "fail"


@pytest.mark.parametrize(("lost", "verdict"), [(0, "pass"), (40, "fail"), (10, "inconclusive")])
def test_regressions_are_capped_among_the_samples_that_passed_before(tmp_path: Path, lost: int, verdict: str) -> None:
    old = made(tmp_path, share(100, 200))
    new = made(tmp_path, numbered([float(lost <= i < 100 or i >= 150) for i in range(200)]))
    found = decided(policy(metrics={"right": {"min": 0.1}}, max_regressions=0.1), new, old)
    row = found.rows[1]
    assert (row.rule, row.verdict, row.n, row.estimate) == ("set:right.max_regressions", verdict, 100, lost / 100)


def test_where_lower_is_better_a_sample_regresses_upwards(tmp_path: Path) -> None:
    flagged = RIGHT.model_copy(update={"better": "lower"})
    clean, dirty = (made(tmp_path, numbered([x] * 100), info=flagged) for x in (0.0, 1.0))
    rules = policy(metrics={"right": {"max": 0.9}}, max_regressions=0.1)
    assert decided(rules, dirty, clean).rows[1].verdict == "fail"
    assert decided(rules, made(tmp_path, numbered([0.0] * 100), info=flagged), clean).rows[1].verdict == "pass"
    assert "no sample passed" in decided(rules, clean, dirty).rows[1].reason


def test_latency_is_held_by_the_share_of_slow_answers(tmp_path: Path) -> None:
    rules = policy(p95_latency=2.0)
    quick = decided(rules, made(tmp_path, share(100, 100), usage={"latency": 1.0})).rows[1]
    slow = decided(rules, made(tmp_path, share(100, 100), usage={"latency": 3.0})).rows[1]
    few = decided(rules, made(tmp_path, share(20, 20), usage={"latency": 1.0})).rows[1]
    cached = decided(rules, made(tmp_path, share(100, 100), usage={"cached": True})).rows[1]
    assert [r.verdict for r in (quick, slow, few, cached)] == ["pass", "fail", "inconclusive", "inconclusive"]
    assert quick.what == "share of answers over 2 s" and "no answer was timed" in cached.reason


def test_answers_without_a_time_count_as_missing(tmp_path: Path) -> None:
    timed = made(tmp_path, share(100, 100), usage={"latency": 1.0})
    some = made(tmp_path, share(100, 100), usage={"latency": 1.0})
    untimed(some, 5)
    rows = [decided(policy(p95_latency=2.0, max_missing=x), some).rows[1] for x in (0.02, 0.1)]
    assert [row.verdict for row in rows] == ["inconclusive", "inconclusive"] and rows[0].n_failed == 5
    assert "5 of 100 answers were not timed (0 failed, 5 recorded or from the cache)" in rows[0].reason
    untimed(timed, 1)
    assert decided(policy(p95_latency=2.0), timed).rows[1].verdict == "pass"


@pytest.mark.parametrize("kind", ["latency", "cost"])
def test_answers_from_the_cache_are_missing_to_rules_on_what_an_answer_took(tmp_path: Path, kind: str) -> None:
    info = RIGHT.model_copy(update={"kind": kind})
    some = numbered([NA] * 60 + [1.0] * 60)
    asked_before = decided(policy(), made(tmp_path, some, info=info)).rows[0]
    assert asked_before.verdict == "inconclusive" and "60 of 120 scores are missing" in asked_before.reason
    assert decided(policy(), made(tmp_path, some)).rows[0].verdict == "pass", "what has no reference is asked nothing"


def untimed(finished: Finished, n: int) -> None:
    """Take the first answers of a run for cached ones."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(finished.folder.samples)
    times = pa.array([None] * n + table.column("latency").to_pylist()[n:], pa.float64())
    pq.write_table(table.set_column(table.column_names.index("latency"), "latency", times), finished.folder.samples)


def test_answers_that_failed_may_have_been_slow(tmp_path: Path) -> None:
    run = made(tmp_path, share(100, 100), usage={"latency": 1.0, "failure": "timeout"})
    assert decided(policy(p95_latency=2.0), run).rows[1].verdict == "inconclusive"


@pytest.mark.parametrize(
    ("usage", "verdicts"),
    [
        ({"cost": 0.01}, ["pass", "pass"]),
        ({"cost": 0.0}, ["pass", "pass"]),
        ({"cost": 0.03}, ["fail", "fail"]),
        ({"cost": None}, ["inconclusive", "inconclusive"]),
        ({"cost": 0.0, "cached": True, "attempts": 0}, ["inconclusive", "inconclusive"]),
    ],
)
def test_cost_is_limited_by_answer_and_in_all(tmp_path: Path, usage, verdicts) -> None:
    rules = policy(max_cost={"per_sample": 0.02, "at_most": 0.05, "total": 2.0})
    found = decided(rules, made(tmp_path, share(100, 100), usage=usage))
    assert [r.verdict for r in found.rows[1:]] == verdicts


def test_a_mean_price_passes_only_below_a_declared_end_for_dear_answers_may_be_too_rare_to_be_seen(
    tmp_path: Path,
) -> None:
    cheap = made(tmp_path, share(100, 100), usage={"cost": 0.01})
    open_ended = decided(policy(max_cost={"per_sample": 0.02}), cheap).rows[1]
    assert open_ended.verdict == "inconclusive" and "max_cost.at_most" in open_ended.reason
    far = decided(policy(max_cost={"per_sample": 0.02, "at_most": 1.0}), cheap).rows[1]
    assert far.verdict == "inconclusive", "3/n of the range is more than what is left"
    broken = decided(policy(max_cost={"per_sample": 0.002, "at_most": 0.005}), cheap).rows[1]
    assert broken.verdict == "inconclusive" and "more than the at_most 0.005" in broken.reason
    dear = decided(policy(max_cost={"per_sample": 0.002}), cheap).rows[1]
    assert dear.verdict == "fail", "that a price is at least 0 is known"


def test_regressions_mean_the_same_for_one_repeat_and_for_two(tmp_path: Path) -> None:
    old = made(tmp_path, share(200, 200))
    once = made(tmp_path, numbered([float(i % 4 > 0) for i in range(200)]))
    twice = made(tmp_path, {name: [1.0, float(i % 2)] for i, name in enumerate(share(200, 200))})
    rules = policy(metrics={"right": {"min": 0.1}}, max_regressions=0.9)
    assert [decided(rules, new, old).rows[1].estimate for new in (once, twice)] == [0.25, 0.25]


def test_what_was_not_paid_for_is_no_proof_of_a_low_total(tmp_path: Path) -> None:
    rules = policy(max_cost={"total": 2.0})
    for cost, verdict in ((0.0, "inconclusive"), (0.03, "fail")):
        found = decided(rules, made(tmp_path, share(100, 100), usage={"cost": cost}, parent="first")).rows[1]
        assert found.verdict == verdict
        assert verdict == "fail" or "took its answers from run first" in found.reason
    cached = decided(rules, made(tmp_path, share(100, 100), usage={"cost": 0.0, "cached": True})).rows[1]
    assert "100 of 100 answers came from the cache" in cached.reason


def test_fails_are_held_together_so_that_many_rules_do_not_fail_a_good_model_by_chance(tmp_path: Path) -> None:
    more = {FRACTION.model_copy(update={"name": f"m{i}"}): share(50, 100) for i in range(9)}
    weak = made(tmp_path, share(41, 100), more)
    alone = decided(policy(), weak)
    together = decided(policy(metrics={"right": {"min": 0.5}} | {i.name: {"min": 0.4} for i in more}), weak)
    assert (alone.decision, together.rows[0].verdict) == ("fail", "inconclusive")
    assert "but not when all 10 rules are held to 0.05 together" in together.rows[0].reason
    hopeless = decided(
        policy(metrics={"right": {"min": 0.5}} | {i.name: {"min": 0.4} for i in more}),
        made(tmp_path, share(5, 100), more),
    )
    assert hopeless.rows[0].verdict == "fail"


def test_a_waived_rule_that_fails_only_by_itself_is_waived_and_the_others_are_held_without_it(tmp_path: Path) -> None:
    more = {FRACTION.model_copy(update={"name": f"m{i}"}): share(60, 100) for i in range(9)}
    rules = policy(metrics={"right": {"min": 0.5}} | {i.name: {"min": 0.4} for i in more})
    weak = made(tmp_path, share(41, 100), more)
    assert decided(rules, weak).rows[0].verdict == "inconclusive", "it fails by itself, and not with nine others"
    found = decided(rules, weak, waivers=[waiver()])
    row = found.rows[0]
    assert (found.decision, row.verdict, row.before_waiver) == ("pass", "waived", "fail")
    assert "is below the limit" in row.reason and row.waiver is not None and row.waiver.why == "known"
    two = policy(metrics={"right": {"min": 0.5}, "m0": {"min": 0.5}})
    second = {FRACTION.model_copy(update={"name": "m0"}): share(41, 100)}
    both = made(tmp_path, share(41, 100), second)
    assert decided(two, both, waivers=[waiver()]).rows[1].verdict == "fail", "one rule is left to be held alone"


@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_an_answer_that_came_only_when_asked_again_is_missing(tmp_path: Path, side: str) -> None:
    rules = policy(metrics={"right": {"margin": 0.1}})
    again = {"asked_again": ["s0000", "s0001", "s0002"]}
    new = made(tmp_path, share(95, 100), **(again if side == "candidate" else {}))
    old = made(tmp_path, share(80, 100), model="old", **(again if side == "baseline" else {}))
    found = decided(rules, new, old)
    assert found.rows[0].n_failed == 3 and "3 of 100 scores are missing" in found.rows[0].reason
    assert {r.arm: r.asked_again for r in found.reconciliation}[side] == 3
    allowed = decided(policy(metrics={"right": {"margin": 0.1}}, max_missing=0.05), new, old)
    assert allowed.decision == "pass"


def test_runs_that_two_models_answered_under_one_name_are_not_pooled(tmp_path: Path) -> None:
    one, two = (made(tmp_path, share(95, 100), usage={"served_model": name}) for name in ("m-0801", "m-0901"))
    mixed = decide(Case("set", policy(), AT, [one, two]))
    assert mixed.decision == "inconclusive"
    assert "answered by m-0801 and run" in mixed.reason and "two models under one name" in mixed.reason
    rules = policy(metrics={"right": {"margin": 0.1}})
    assert decide(Case("set", rules, AT, [one], [one, two])).decision == "inconclusive"
    across = decided(rules, one, two)
    assert across.decision == "pass", "another model on the other side is what one tests"
    assert across.candidate is not None and across.candidate.served_models == ("m-0801",)


def test_too_few_samples_are_inconclusive_and_the_needed_number_is_told(tmp_path: Path) -> None:
    few = decided(policy(metrics={"right": {"min": 0.5}}), made(tmp_path, share(12, 20))).rows[0]
    assert few.verdict == "inconclusive" and few.n_needed is not None and 20 < few.n_needed < 400
    assert f"about {few.n_needed:,} samples like these would settle it, and there are 20" in few.reason
    rate = few.n_needed * 12 // 20
    enough = made(tmp_path, share(rate + few.n_needed // 20, few.n_needed))
    assert decided(policy(metrics={"right": {"min": 0.5}}), enough).rows[0].verdict == "pass"
    settled = decided(policy(metrics={"right": {"min": 0.5}}), made(tmp_path, share(95, 100))).rows[0]
    assert settled.n_needed is None


def test_a_margin_tells_the_number_with_which_an_equal_model_would_pass(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    old, new = (numbered((rng.random(40) < 0.7).astype(float).tolist()) for _ in range(2))
    row = decided(policy(metrics={"right": {"margin": 0.05}}), made(tmp_path, new), made(tmp_path, old)).rows[0]
    assert row.verdict == "inconclusive" and row.n_needed is not None and row.n_needed > 400
    assert "if the two are equally good, about" in row.reason


def test_a_second_look_is_judged_at_half_the_level(tmp_path: Path) -> None:
    run = made(tmp_path, share(59, 100))
    first, second = (decided(policy(), run, look=look) for look in (1, 2))
    assert (first.decision, second.decision) == ("pass", "inconclusive")
    assert (first.alpha, second.alpha) == (0.05, 0.025)


def test_counts_that_do_not_add_up_forbid_a_verdict(tmp_path: Path) -> None:
    found = decided(policy(), made(tmp_path, share(90, 100), n_dataset=120))
    assert found.decision == "inconclusive"
    assert "120 attempted, but 100 scored + 0 failed = 100: 20 unaccounted for" in found.reason
    assert [(r.attempted, r.scored) for r in found.reconciliation] == [(120, 100)]
    assert all(row.verdict == "inconclusive" for row in found.rows)


def test_a_waiver_cannot_cover_counts_that_do_not_add_up(tmp_path: Path) -> None:
    found = decided(policy(), made(tmp_path, share(90, 100), n_dataset=120), waivers=[waiver()])
    assert found.decision == "inconclusive"


def test_a_waiver_lets_one_rule_not_hold_and_stays_visible(tmp_path: Path) -> None:
    rules = policy(metrics={"right": {"min": 0.5, "max": 0.9}})
    found = decided(rules, made(tmp_path, share(10, 100)), waivers=[waiver()])
    row = found.rows[0]
    assert (found.decision, row.verdict, row.before_waiver) == ("pass", "waived", "fail")
    assert row.waiver == found.waivers[0] and found.reason == "1 rules hold, 1 are waived"


def test_where_every_rule_is_waived_nothing_was_shown(tmp_path: Path) -> None:
    found = decided(policy(), made(tmp_path, share(10, 100)), waivers=[waiver()])
    assert (found.decision, found.rows[0].verdict) == ("inconclusive", "waived")
    assert found.reason == "every rule is waived, so that nothing was shown to hold"


@pytest.mark.parametrize("scores", [numbered([None] * 100), share(52, 100)])
def test_a_waiver_does_not_stand_in_for_evidence(tmp_path: Path, scores: Scores) -> None:
    rules = policy(metrics={"right": {"min": 0.5}}, p95_latency=2.0)
    found = decided(rules, made(tmp_path, scores, usage={"latency": 1.0}), waivers=[waiver()])
    assert [row.verdict for row in found.rows] == ["inconclusive", "pass"] and found.decision == "inconclusive"


def waiver() -> Waiver:
    return Waiver(rule="set:right.min", until="2030-01-01", who="somebody", at=AT, why="known")


def test_without_a_baseline_thresholds_decide_and_margins_are_inconclusive(tmp_path: Path) -> None:
    found = decided(policy(metrics={"right": {"min": 0.5, "margin": 0.1}}), made(tmp_path, share(95, 100)))
    assert [row.verdict for row in found.rows] == ["pass", "inconclusive"]
    assert "no run was promoted" in found.rows[1].reason and found.decision == "inconclusive"


def test_a_baseline_of_other_rows_does_not_fit(tmp_path: Path) -> None:
    rules = policy(metrics={"right": {"margin": 0.1}})
    found = decided(rules, made(tmp_path, share(90, 100)), made(tmp_path, share(90, 100), rows="q" * 32))
    assert found.decision == "inconclusive" and found.baseline is None
    assert "the baseline does not fit: they ran on different rows" in found.rows[0].reason


def test_a_baseline_judged_by_another_rule_does_not_fit(tmp_path: Path) -> None:
    rules = policy(metrics={"right": {"margin": 0.1}}, max_regressions=0.5)
    old = made(tmp_path, share(90, 100), info=RIGHT.model_copy(update={"version": "0"}))
    found = decided(rules, made(tmp_path, share(90, 100)), old)
    assert [row.verdict for row in found.rows] == ["inconclusive"] * 2
    assert all("version was 0" in row.reason for row in found.rows)


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        (numbered([None] * 5), "5 of 5 scores are missing"),
        (numbered([NA] * 5), "applies to no sample"),
        (numbered([1.0]), "one sample has no spread"),
    ],
)
def test_nothing_scored_and_an_undefined_error_are_inconclusive(tmp_path: Path, scores: Scores, told: str) -> None:
    found = decided(
        policy(metrics={"right": {"min": 0.5, "margin": 0.5}}), made(tmp_path, scores), made(tmp_path, scores)
    )
    assert found.decision == "inconclusive"
    assert told in found.rows[0].reason
    assert {row.verdict for row in found.rows} == {"inconclusive"}


def test_a_metric_that_the_run_lacks_is_inconclusive(tmp_path: Path) -> None:
    found = decided(policy(metrics={"fraction": {"min": 0.5}}), made(tmp_path, share(90, 100)))
    assert found.decision == "inconclusive"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run whose scores the tests below replace."""
    return made(tmp_path_factory.mktemp("run"), share(1, 2))


def verdicts(rules: Policy, run: Finished, new: dict[str, SampleScores], old: dict[str, SampleScores]) -> list[str]:
    """Return the verdicts on scores that were never written to disk."""
    evidence = Evidence("set", [run], [run], "", read={(False, "right"): new, (True, "right"): old})
    return [row.verdict for row in judged(claims(rules, evidence), rules.alpha, {})]


@relaxed
@given(
    st.lists(cells, min_size=1, max_size=30), st.lists(st.integers(0, 5), min_size=30, max_size=30), st.floats(0, 0.9)
)
def test_a_run_against_itself_never_fails(run: Finished, scores, codes, margin) -> None:
    same = in_memory(numbered(scores), {f"s{i:04d}": str(code) for i, code in enumerate(codes)})
    rules = policy(metrics={"right": {"margin": margin}}, max_regressions=0.1, max_missing=0.9)
    assert "fail" not in verdicts(rules, run, same, same)


def test_a_candidate_that_is_its_own_baseline_passes_no_margin(tmp_path: Path) -> None:
    rules = policy(metrics={"right": {"min": 0.5, "margin": 0.5}}, max_regressions=0.5)
    alone = made(tmp_path, share(95, 100))
    rescored = made(tmp_path, share(95, 100), parent=alone.run.id)
    for candidate, baseline in ((alone, alone), (rescored, alone), (alone, rescored)):
        found = decided(rules, candidate, baseline)
        assert [row.verdict for row in found.rows] == ["pass", "inconclusive", "inconclusive"]
        assert "the candidate is its own baseline" in found.rows[1].reason and found.decision == "inconclusive"
    again = decided(rules, made(tmp_path, share(95, 100)), alone)
    assert again.decision == "pass", "other answers of the same model are a comparison"


@relaxed
@given(st.lists(cells, min_size=2, max_size=60), st.data())
def test_losing_scores_never_turns_a_fail_into_a_pass(run: Finished, scores, data) -> None:
    lost = data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    fewer = [None if gone and value != NA else value for value, gone in zip(scores, lost, strict=True)]
    old = in_memory(numbered(scores[::-1]))
    rules = policy(metrics={"right": {"min": 0.6, "margin": 0.1}}, max_regressions=0.2, max_missing=0.99)
    whole, less = (verdicts(rules, run, in_memory(numbered(values)), old) for values in (scores, fewer))
    assert not any(a == "fail" and b == "pass" for a, b in zip(whole, less, strict=True))


def test_an_outcome_is_as_bad_as_its_worst_part() -> None:
    assert joint([]) == "inconclusive"
    assert joint(["pass", "waived"]) == "pass"
    assert joint(["waived", "waived"]) == "inconclusive"
    assert joint(["pass", "inconclusive"]) == "inconclusive"
    assert joint(["inconclusive", "fail", "pass"]) == "fail"


def missing_trial(run: Finished, seed: int, trial: int, trials: int) -> str:
    """Gate a model 25 points below the baseline, 0 … 100 % of its scores gone, at random or worst first."""
    rng = np.random.default_rng([seed, trial])
    n = 120
    hard = 0.3 + 0.55 * rng.beta(2, 1, n // 2).repeat(2)
    new, old = (rng.random(n) < hard - 0.25).astype(float), (rng.random(n) < hard).astype(float)
    order = rng.permutation(n) if trial % 2 else np.lexsort((rng.random(n), new))
    gone = set(order[: round(n * trial / max(1, trials - 1))].tolist())
    families = {f"s{i:04d}": str(i // 2) for i in range(n)}
    seen = in_memory(numbered([None if i in gone else v for i, v in enumerate(new.tolist())]), families)
    rule = {"min": 0.62} if trial % 4 < 2 else {"margin": 0.1}
    rules = policy(metrics={"right": rule}, max_missing=(0.02, 0.2, 0.99)[trial % 3])
    return joint(verdicts(rules, run, seen, in_memory(numbered(old.tolist()), families)))


def test_missing_scores_never_make_a_bad_model_green(run: Finished) -> None:
    found = Counter(missing_trial(run, 20261122, trial, 300) for trial in range(300))
    assert found["pass"] == 0
    assert found["fail"] > 0 and found["inconclusive"] > 0, "the trials must be able to end in different ways"
