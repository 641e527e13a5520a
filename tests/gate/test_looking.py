"""All runs of a candidate are judged together; a second look costs half the level, a third is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.made import made, numbered
from workbench.evaluation.arms import Finished
from workbench.gate.looking import Looking, identity_of, looking
from workbench.gate.records import Look


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Finished]:
    return [made(tmp_path_factory.mktemp("run"), numbered([1.0, 0.0])) for _ in range(3)]


def look(seen: Looking, candidate: str = "x") -> Look:
    at = "2026-01-01T00:00:00+00:00"
    return Look(evalset="set", candidate=candidate, baseline=seen.baseline, runs=seen.runs, outcome="fail", at=at)


def test_the_same_runs_are_the_same_look(runs: list[Finished]) -> None:
    first = looking(runs[:1], None, [])
    again = looking(runs[:1], None, [look(first)])
    assert (first.number, first.new, again.number, again.new) == (1, True, 1, False)
    assert not again.earlier and not again.blocked


def test_another_run_is_pooled_and_is_the_second_look_and_a_third_look_is_refused(runs: list[Finished]) -> None:
    first = looking(runs[:1], None, [])
    second = looking(runs[:2], None, [look(first)])
    assert (second.number, second.new, len(second.pool), second.blocked) == (2, True, 2, "")
    third = looking(runs, None, [look(first), look(second)])
    assert third.number == 3 and "this would be look 3" in third.blocked and "fail on 2026-01-01" in third.blocked


def test_more_runs_than_looks_are_refused_whatever_the_baseline(runs: list[Finished], tmp_path: Path) -> None:
    other = made(tmp_path, numbered([1.0, 0.0]), model="other")
    for baseline in (None, other, runs[0]):
        seen = looking(runs, baseline, [])
        assert seen.number == 3 and "it has 3 finished runs" in seen.blocked


def test_where_no_rule_compares_another_baseline_resets_no_look(runs: list[Finished], tmp_path: Path) -> None:
    old, other = (made(tmp_path, numbered([1.0, 0.0]), model=name) for name in ("old", "other"))
    first = looking(runs[:1], old, [])
    second = looking(runs[:2], other, [look(first)], compared=False)
    assert (second.number, second.baseline, len(second.earlier)) == (2, "none", 1)
    alone = looking(runs[:2], runs[0], [], compared=False)
    assert (alone.number, len(alone.pool)) == (2, 2), "the baseline's run is evidence like any other"


def test_a_look_without_a_baseline_still_counts_once_there_is_one(runs: list[Finished], tmp_path: Path) -> None:
    old = made(tmp_path, numbered([1.0, 0.0]), model="old")
    seen = looking(runs[:2], old, [look(looking(runs[:1], None, []))])
    assert (seen.number, len(seen.earlier)) == (2, 1)


def test_two_runs_at_the_first_look_are_judged_as_the_second(runs: list[Finished]) -> None:
    seen = looking(runs[:2], None, [])
    assert (seen.number, len(seen.pool)) == (2, 2), "whoever made two runs has seen the first"


def test_another_baseline_is_another_question(runs: list[Finished], tmp_path: Path) -> None:
    old = made(tmp_path, numbered([1.0, 0.0]), model="old")
    first = looking(runs[:1], None, [])
    seen = looking(runs[:1], old, [look(first)])
    assert seen.number == 1 and seen.baseline == identity_of(old.run.spec.fingerprints)


def test_a_baseline_is_never_pooled_into_its_candidate_unless_it_is_all_there_is(runs: list[Finished]) -> None:
    alone = looking(runs[:1], runs[0], [])
    assert [f.run.id for f in alone.pool] == [runs[0].run.id]
    later = looking(runs[:2], runs[0], [look(alone)])
    assert [f.run.id for f in later.pool] == [runs[1].run.id]
    assert (later.number, later.blocked) == (1, "")


def test_a_run_that_was_judged_and_is_gone_blocks(runs: list[Finished]) -> None:
    first = looking(runs[:1], None, [])
    seen = looking(runs[1:2], None, [look(first)])
    assert f"run {runs[0].run.id} was judged before and is gone" in seen.blocked


def test_a_rescored_run_stands_in_for_its_parent_and_counts_as_a_look(runs: list[Finished], tmp_path: Path) -> None:
    child = made(tmp_path, numbered([1.0, 1.0]), parent=runs[0].run.id)
    seen = looking([runs[0], child], None, [])
    assert [f.run.id for f in seen.pool] == [child.run.id]
    assert seen.number == 2
