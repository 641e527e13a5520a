"""All runs of an arm are judged together; a second look costs half the level, a third is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.evaluation.made import made, numbered
from workbench.evaluation.arms import Finished
from workbench.gate import looking as counting
from workbench.gate.looking import Looking, Sides, table_hashes
from workbench.gate.records import Look, Start
from workbench.gate.series import Book

MODEL = {"rows": "r", "model": "m", "scorer:right": "1"}
OLD = {**MODEL, "model": "old"}
OTHER = {**MODEL, "model": "other"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Finished]:
    return [made(tmp_path_factory.mktemp("run"), numbered([1.0, 0.0])) for _ in range(3)]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> list[Finished]:
    return [made(tmp_path_factory.mktemp("run"), numbered([1.0, 0.0]), model="old") for _ in range(2)]


def sides(
    runs: Sequence[Finished],
    baseline: Sequence[Finished] = (),
    inputs: Mapping[str, str] = MODEL,
    base_inputs: Mapping[str, str] = OLD,
) -> Sides:
    if not baseline:
        return Sides(inputs, runs)
    return Sides(inputs, runs, base_inputs, baseline, baseline[0].run.id)


def looking(asked: Sides, looks: Sequence[Look], starts: Sequence[Start] = ()) -> Looking:
    return counting.looking(asked, Book(starts, looks))


def begun(run: str, evalset: str = "set") -> Start:
    return Start(evalset=evalset, run=run, rows="r", series="s", at="2026-01-01T00:00:00+00:00")


def look(asked: Sides, looks: Sequence[Look] = (), outcome: str = "fail") -> Look:
    """Return what a gate notes when it has judged."""
    seen = looking(asked, looks)
    there = {f.run.id: f for f in (*asked.runs, *asked.baseline)}
    return Look.model_validate(
        {
            "evalset": "set",
            "inputs": dict(asked.inputs),
            "runs": seen.runs,
            "baseline": dict(asked.baseline_inputs),
            "baseline_runs": seen.baseline_runs,
            "tables": table_hashes([there[name] for name in (*seen.runs, *seen.baseline_runs)]),
            "outcome": outcome,
            "policy": "p",
            "alpha": 0.05,
            "at": "2026-01-01T00:00:00+00:00",
        }
    )


def ids(runs: Sequence[Finished]) -> list[str]:
    return [f.run.id for f in runs]


def numbers(seen: Looking) -> tuple[int, bool, str]:
    return seen.number, seen.new, seen.blocked


def test_the_same_runs_are_the_same_look(runs: list[Finished]) -> None:
    asked = sides(runs[:1])
    assert numbers(looking(asked, [])) == (1, True, "")
    again = looking(asked, [look(asked)])
    assert numbers(again) == (1, False, "") and not again.earlier


def test_another_run_is_pooled_and_is_the_second_look_and_a_third_look_is_refused(runs: list[Finished]) -> None:
    first = look(sides(runs[:1]))
    second = looking(sides(runs[:2]), [first])
    assert numbers(second) == (2, True, "") and len(second.pool) == 2
    third = looking(sides(runs), [first, look(sides(runs[:2]), [first])])
    assert third.number == 3 and "this would be look 3" in third.blocked and "fail on 2026-01-01" in third.blocked


def test_more_runs_than_looks_are_refused_whatever_the_baseline(runs: list[Finished], old: list[Finished]) -> None:
    for asked in (sides(runs), sides(runs, old), sides(runs, runs[:1], base_inputs=MODEL)):
        seen = looking(asked, [])
        assert seen.number == 3 and "3 runs were begun" in seen.blocked


def test_all_runs_of_the_baseline_are_pooled_so_that_nobody_promotes_its_worst(
    runs: list[Finished], old: list[Finished]
) -> None:
    seen = looking(sides(runs[:1], old), [])
    assert ids(seen.baseline) == ids(old) and seen.number == 1


def test_another_run_of_the_baseline_is_another_look(runs: list[Finished], old: list[Finished]) -> None:
    first = look(sides(runs[:1], old[:1]))
    second = looking(sides(runs[:1], old), [first])
    assert numbers(second) == (2, True, "")
    third = looking(sides(runs[:2], old), [first, look(sides(runs[:1], old), [first])])
    assert "this would be look 3" in third.blocked


def test_a_look_without_a_baseline_and_the_first_with_it_are_one(runs: list[Finished], old: list[Finished]) -> None:
    first = look(sides(runs[:1]))
    with_baseline = sides(runs[:1], old[:1])
    assert looking(with_baseline, [first]).number == 1
    later = looking(sides(runs[:1], old), [first, look(with_baseline, [first])])
    assert later.number == 2, "the look without a baseline stands for one baseline, not for any"


def test_two_runs_at_the_first_look_are_judged_as_the_second(runs: list[Finished]) -> None:
    seen = looking(sides(runs[:2]), [])
    assert (seen.number, len(seen.pool)) == (2, 2), "whoever made two runs has seen the first"


def test_another_baseline_is_another_look_and_is_told(
    runs: list[Finished], old: list[Finished], tmp_path: Path
) -> None:
    other = made(tmp_path, numbered([1.0, 0.0]), model="other")
    first = look(sides(runs[:1], old))
    seen = looking(sides(runs[:1], [other], base_inputs=OTHER), [first])
    assert (seen.number, seen.new) == (2, True)
    assert seen.notes == ("fail on 2026-01-01T00:00:00+00:00, before the baseline changed; that look counts",)


def test_a_rule_more_or_another_unruled_scorer_buys_no_fresh_look(runs: list[Finished]) -> None:
    first = look(sides(runs[:1]))
    more = sides(runs[:2], inputs={**MODEL, "scorer:second": "1"})
    assert looking(more, [first]).number == 2
    less = sides(runs[:2], inputs={"rows": "r", "model": "m"})
    assert looking(less, [first]).number == 2


def test_a_ruled_scorer_or_judge_that_changed_is_another_look_and_is_told(runs: list[Finished]) -> None:
    first = look(sides(runs[:1], inputs={**MODEL, "judge:j": "1"}))
    seen = looking(sides(runs[1:2], inputs={**MODEL, "scorer:right": "2", "judge:j": "2"}), [first])
    assert seen.number == 2
    assert seen.notes == ("fail on 2026-01-01T00:00:00+00:00, before judge:j, scorer:right changed; that look counts",)


def test_other_rows_are_another_look_for_they_may_be_the_same_and_a_few_more(runs: list[Finished]) -> None:
    first = look(sides(runs[:1]))
    seen = looking(sides(runs[1:2], inputs={**MODEL, "rows": "s"}), [first])
    assert seen.number == 2
    assert seen.notes == ("fail on 2026-01-01T00:00:00+00:00, before rows changed; that look counts",)


def test_a_baseline_of_the_same_model_is_its_promoted_run_and_the_others_are_the_candidate(
    runs: list[Finished],
) -> None:
    alone = sides(runs[:1], runs[:1], base_inputs=MODEL)
    assert ids(looking(alone, []).pool) == ids(looking(alone, []).baseline) == ids(runs[:1])
    later = looking(Sides(MODEL, runs[:2], MODEL, runs[:2], runs[0].run.id), [look(alone)])
    assert (ids(later.pool), ids(later.baseline)) == (ids(runs[1:2]), ids(runs[:1]))
    assert (later.number, later.blocked) == (1, "")


def test_a_run_that_was_judged_and_is_gone_blocks_on_either_side(runs: list[Finished], old: list[Finished]) -> None:
    first = look(sides(runs[:1], old))
    for asked, gone in ((sides(runs[1:2], old), runs[0]), (sides(runs[:1], old[:1]), old[1])):
        assert f"run {gone.run.id} was judged before and is gone" in looking(asked, [first]).blocked


def test_tables_that_are_not_those_that_were_judged_block(runs: list[Finished]) -> None:
    first = look(sides(runs[:1]))
    moved = first.model_copy(update={"tables": {runs[0].run.id: "0" * 32}})
    assert f"the tables of run {runs[0].run.id} are not those" in looking(sides(runs[:1]), [moved]).blocked


def test_a_rescored_run_stands_in_for_its_parent_and_counts_as_a_look(runs: list[Finished], tmp_path: Path) -> None:
    child = made(tmp_path, numbered([1.0, 1.0]), parent=runs[0].run.id)
    seen = looking(sides([runs[0], child]), [])
    assert ids(seen.pool) == [child.run.id] and seen.number == 2
