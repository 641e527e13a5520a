"""Failures are found by what found fault, by people, by errors; a page of them is what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.made import FRACTION, NA, RIGHT, WORSE, made
from workbench.errors import ConfigError
from workbench.evaluation.arms import Finished
from workbench.failures.failing import facets, find, find_keys, read_failures
from workbench.failures.failure import Marks, Wanted
from workbench.runs import ScorerInfo

JUDGE = ScorerInfo(name="judge", kind="rubric_judge", version="1", low=0.0, high=1.0, binary=True)
SCORES = {"a": [1.0], "b": [0.0], "c": [None], "d": [NA], "e": [0.0], "f": [1.0]}
GRADES = {"a": [0.9], "b": [0.8], "c": [0.2], "d": [0.4], "e": [0.1], "f": [0.45]}
TAGS = {"b": {"topic": "billing"}, "e": {"topic": 'it\'s "odd"=1'}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    more = {FRACTION: GRADES, JUDGE: {name: [1.0] for name in SCORES}}
    return made(tmp_path_factory.mktemp("runs"), SCORES, more, tags=TAGS)


def names(finished: Finished, marks: Marks | None = None, **wanted: object) -> list[str]:
    found = find_keys(finished.run, finished.folder, Wanted(**wanted), marks or Marks())  # type: ignore[arg-type]
    return [name for name, _ in found]


def test_without_a_filter_pass_fail_scorers_and_errors_decide(finished: Finished) -> None:
    assert names(finished) == ["b", "c", "e"], (
        "a score that could not be made is looked at, one that does not apply not"
    )


def test_a_graded_metric_fails_below_half_its_scale_or_where_it_is_said(finished: Finished) -> None:
    assert names(finished, metric="fraction") == ["c", "d", "e", "f"]
    assert names(finished, metric="fraction", below=0.15) == ["e"]


def test_of_a_metric_where_lower_is_better_the_high_values_fail(tmp_path: Path) -> None:
    one = made(tmp_path, {"a": [0.1], "b": [0.9]}, info=WORSE)
    assert names(one) == ["b"]


def test_filters_meet(finished: Finished) -> None:
    assert names(finished, slice="topic=billing") == ["b"]
    assert names(finished, slice='topic=it\'s "odd"=1') == ["e"], "what stands behind the first = is the value"
    assert names(finished, error="judge_failed") == ["c"]
    assert names(finished, text="QUESTION B") == ["b"]
    assert names(finished, text="%") == names(finished, text="' OR 1=1 --") == []
    assert names(finished, slice="topic=billing", text="question e") == []


def test_people_and_judges_who_differ_are_found_among_all_answers(finished: Finished) -> None:
    marks = Marks(human={("a", 0): False, ("b", 0): True, ("f", 0): True})
    assert names(finished, marks, human="fail") == ["a"]
    assert names(finished, marks, human="pass") == ["b", "f"]
    assert names(finished, marks, human="conflict") == ["a"], "the judge passed it; other scorers are no judge"
    assert names(finished, marks, human="conflict", metric="right") == ["a", "b"]
    with pytest.raises(ConfigError, match="NOT_BINARY"):
        names(finished, marks, human="conflict", metric="fraction")


def test_notes_divide_the_failures(finished: Finished) -> None:
    marks = Marks(coded={("b", 0)})
    assert names(finished, marks, coded=True) == ["b"]
    assert names(finished, marks, coded=False) == ["c", "e"]
    assert names(finished, coded=True) == []


def test_a_page_tells_how_many_there_are_and_what_was_wrong(finished: Finished) -> None:
    page = find(finished.run, finished.folder, Wanted(), Marks(human={("c", 0): False}), 1, 1)
    (one,) = page.failures
    assert (page.n, page.n_answers, one.of.sample, one.human) == (3, 6, "c", False)
    assert [(f.scorer, f.failure, f.value) for f in one.faults] == [
        ("right", "judge_failed", None),
        ("fraction", None, 0.2),
    ]
    assert one.question == "question c" and one.output == "candidate on c"


def test_answers_are_read_by_their_keys_whether_they_fail_or_not(finished: Finished) -> None:
    found = read_failures(finished.run, finished.folder, [("f", 0), ("b", 0), ("nobody", 0)], Marks())
    assert [one.of.sample for one in found] == ["b", "f"]


def test_facets_count_what_can_be_filtered_by(finished: Finished) -> None:
    found = facets(finished.run, finished.folder)
    assert found.metrics == {"right": 2, "fraction": 4, "judge": 0}
    assert found.errors == {"judge_failed": 1}
    assert found.slices == {"topic=billing": 1, 'topic=it\'s "odd"=1': 1}


def test_an_unknown_metric_is_refused_with_the_nearest(finished: Finished) -> None:
    with pytest.raises(ConfigError, match="did you mean 'right'"):
        names(finished, metric="rigt")


def test_repeats_are_answers_of_their_own(tmp_path: Path) -> None:
    one = made(tmp_path, {"a": [1.0, 0.0], "b": [0.0, 0.0]}, info=RIGHT)
    assert find_keys(one.run, one.folder, Wanted(), Marks()) == [("a", 1), ("b", 0), ("b", 1)]
