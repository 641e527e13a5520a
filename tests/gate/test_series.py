"""Looks are counted over a series: one model on the same samples, whatever was added, copied, removed or redrawn."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.evaluation.made import made, numbered
from tests.gate.test_looking import MODEL, OLD, begun, ids, look, looking, sides
from workbench.evaluation.arms import Finished
from workbench.gate.looking import Sides
from workbench.gate.series import Book


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Finished]:
    return [made(tmp_path_factory.mktemp("run"), numbered([1.0, 0.0])) for _ in range(3)]


def never(evalset: str, runs: Sequence[str]) -> bool:
    return False


def always(evalset: str, runs: Sequence[str]) -> bool:
    return True


def test_a_run_that_was_begun_and_removed_before_it_was_judged_is_a_look(runs: list[Finished]) -> None:
    now = runs[0].run.id
    seen = looking(sides(runs[:1]), [], [begun("removed"), begun(now)])
    assert (seen.number, seen.blocked) == (2, "")
    assert seen.notes == (
        "run removed was begun on 2026-01-01T00:00:00+00:00 on these samples and counts as a look, though it is gone",
    )
    third = looking(sides(runs[:1]), [], [begun("removed"), begun("another"), begun(now)])
    assert "this would be look 3" in third.blocked and "3 runs were begun" in third.blocked


def test_a_run_that_was_begun_and_judged_is_one_look(runs: list[Finished]) -> None:
    asked, start = sides(runs[:1]), begun(runs[0].run.id)
    again = looking(asked, [look(asked)], [start])
    assert (again.number, again.new, again.notes) == (1, False, ())


def test_a_removed_run_of_the_baseline_is_a_look_for_it_may_have_been_its_best(runs: list[Finished]) -> None:
    asked = sides(runs[:1], runs[1:2], base_inputs=OLD)
    gone = Sides(MODEL, runs[:1], OLD, runs[1:2], runs[1].run.id, ids(runs), [begun("best"), begun(runs[1].run.id)])
    assert (looking(asked, []).number, looking(gone, []).number) == (1, 2)


def test_another_model_and_other_samples_are_another_series(runs: list[Finished]) -> None:
    first = look(sides(runs[:1]))
    book = Book([begun("a"), begun("b", "other")], [first])
    assert book.of("s", "m", always) == Book([begun("a"), begun("b", "other")], [first])
    assert book.of("n", "n", always) == book.of("s", "m", never) == Book([], [])


def test_a_look_belongs_to_the_series_of_its_runs_whatever_the_seed_made_of_the_model(runs: list[Finished]) -> None:
    first = look(sides(runs[:1], inputs={**MODEL, "model": "seed 1"}))
    start = begun(runs[0].run.id)
    assert Book([start], [first]).of("s", "seed 2", always).looks == [first]
    assert Book([], [first]).of("s", "seed 2", always).looks == []


def test_a_run_that_did_not_begin_here_or_whose_answers_did_not_is_not_known() -> None:
    book = Book([begun("a")])
    assert book.known("a", None) and not book.known("b", None) and not book.known("a", "b")
