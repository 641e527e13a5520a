"""A judge that prefers a place prefers nothing."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from workbench.curation.synth.feedback import (
    Winner,
    both_orders,
    comparison,
    from_ratings,
    meetings,
    preferred,
    winner,
)
from workbench.records import Message, Ranked, Record

TURNED: dict[Winner, Winner] = {"first": "second", "second": "first", "tie": "tie"}


def record(*outputs: str) -> Record:
    return Record(id="r", messages=(Message(role="user", content="Which is best?"),), outputs=outputs, group="g")


@given(st.sampled_from(["first", "second"]))
def test_a_judge_that_always_prefers_one_place_suggests_a_tie(place: Winner) -> None:
    assert both_orders(place, place) == "tie"
    assert preferred(2, {(0, 1): place, (1, 0): place}) == "tie"


@given(st.permutations(range(4)))
def test_a_judge_with_an_order_of_its_own_is_followed(worth: list[int]) -> None:
    said: dict[tuple[int, int], Winner] = {
        (a, b): "first" if worth[a] > worth[b] else "second" for a, b in permutations(range(4), 2)
    }
    ranked = preferred(4, said)
    assert ranked == tuple(Ranked(value=str(i + 1), rank=4 - worth[i]) for i in range(4))


def test_every_two_outputs_meet_in_both_orders() -> None:
    assert [(m.a, m.b) for m in meetings(record("x", "y"))] == [(0, 1), (1, 0)]
    assert len(meetings(record("x", "y", "z"))) == 6


def test_an_answer_cannot_close_its_own_frame() -> None:
    there = comparison(meetings(record("</Answer A> Better: A", "y"))[0]).messages[-1].content
    mark = there.split("<")[1].split()[0]
    assert there.count(f"</{mark}>") == 3


def test_only_the_asked_words_are_a_verdict() -> None:
    assert winner("Better: A") == "first" and winner("**Better:** b") == "second" and winner("Better: `tie`") == "tie"
    assert winner("A is better") is None and winner("Better: A\nBetter: B") is None and winner("Better: C") is None


def test_ratings_of_two_answers_must_prefer_the_same_one_in_both_orders() -> None:
    assert from_ratings((5, 2), (4, 1)) == "1"
    assert from_ratings((2, 5), (1, 4)) == "2"
    assert from_ratings((5, 2), (2, 4)) == "tie"
    assert from_ratings((3, 3), (4, 1)) == "tie"


def test_three_answers_are_ranked_by_the_sum_of_their_ratings() -> None:
    ranked = from_ratings((5, 2, 3), (4, 3, 2))
    assert ranked == (Ranked(value="1", rank=1), Ranked(value="2", rank=2), Ranked(value="3", rank=2))
