"""Duplicates: which rows are one, which is kept, and that nothing is dropped without a kept row that is like it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.curation.quality.conftest import chat, pair, sample, seen
from workbench.curation.quality.duplicates import Keep, exact, near, semantic
from workbench.curation.quality.views import View

LONG = "When may a customer of the northern branch return a lamp that was bought in the summer sale of the old shop"
ANSWER = "Within thirty days and with the receipt, at the counter of any branch that sells lamps of the same maker"


def dropped(rows: list[View], keep: Keep = "first", **more: object) -> set[str]:
    return {rows[twin.dropped].id for twin in near(rows, keep, **more)}  # type: ignore[arg-type]


def test_of_equal_rows_one_stays_and_each_rule_says_which() -> None:
    rows = seen(
        chat("a", LONG, ANSWER),
        chat("b", LONG + "!", ANSWER + " on Sundays"),
        chat("c", LONG, ANSWER, annotators=2),
        chat("d", LONG, ANSWER, annotators=1),
    )
    assert dropped(rows, "first") == {"b", "c", "d"}
    assert dropped(rows, "longest") == {"a", "c", "d"}
    assert dropped(rows, "labels") == {"a", "b", "d"}
    assert {rows[twin.dropped].id for twin in exact(rows, "labels")} == {"a", "d"}


def test_one_prompt_with_two_answers_is_no_duplicate_unless_prompts_alone_are_compared() -> None:
    rows = seen(chat("a", LONG, "yes"), chat("b", LONG, "no"))
    assert dropped(rows) == set()
    assert dropped(rows, by="prompt") == {"b"}


def test_one_answer_to_two_prompts_is_no_duplicate() -> None:
    assert dropped(seen(chat("a", LONG, ANSWER), chat("b", "What about a refund for a broken chair?", ANSWER))) == set()


def test_chosen_and_rejected_exchanged_is_a_contradiction_and_no_duplicate() -> None:
    other = "Never, for lamps from a sale are sold as they are and no branch takes any of them back from anybody"
    rows = seen(pair("a", LONG, ANSWER, other), pair("b", LONG, other, ANSWER), pair("c", LONG + " ?", ANSWER, other))
    assert dropped(rows) == {"c"}


def test_the_same_text_with_another_thumb_is_no_duplicate() -> None:
    rows = seen(chat("a", LONG, ANSWER, good=True), chat("b", LONG, ANSWER, good=False))
    assert dropped(rows) == set()
    assert exact(rows, "first") == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("It costs 12 francs", "It costs 13 francs"), ("What is 3 + 4?", "What is 3 - 4?"), ("x > 2", "x < 2")],
)
def test_rows_that_differ_in_a_number_or_a_sign_are_no_duplicates_unless_that_is_wanted(one: str, other: str) -> None:
    rows = seen(chat("a", f"{LONG} {one}", ANSWER), chat("b", f"{LONG} {other}", ANSWER))
    assert dropped(rows) == set()
    assert dropped(rows, numbers=False) == {"b"}


def test_a_text_is_not_dropped_by_way_of_a_third() -> None:
    words = [f"w{k}" for k in range(60)]
    chain = [" ".join(words[k * 4 : k * 4 + 40]) for k in range(5)]
    rows = seen(*(sample(f"s{k}", one) for k, one in enumerate(chain)))
    twins = near(rows, "first", threshold=0.7, numbers=False)
    assert {(t.dropped, t.kept) for t in twins} == {(1, 0), (3, 2)}


def test_rows_without_any_word_are_one_only_when_their_characters_are() -> None:
    rows = seen(chat("a", "???", "!!!"), chat("b", "???", "…"), chat("c", "???  ", "!!!"))
    assert dropped(rows) == {"c"}


def test_scripts_without_spaces_are_compared_too() -> None:
    text = (
        "顾客在夏季促销期间购买的台灯如果出现质量问题可以在三十天之内凭收据到任何一家分店办理退货手续并且不收取任何费用"
    )
    rows = seen(chat("a", text, text), chat("b", text.replace("任何一家", "任意一家"), text))
    assert dropped(rows) == {"b"}


def test_no_rows_and_only_equal_rows_are_no_special_cases() -> None:
    assert near([], "labels") == [] == exact([], "labels")
    rows = seen(*(chat(f"r{k}", LONG, ANSWER) for k in range(300)))
    assert len(near(rows, "first")) == 299 == len(exact(rows, "first"))
    assert {twin.kept for twin in near(rows, "first")} == {0}


words = st.lists(st.sampled_from(["red", "green", "7", "8", "a", "of"]), max_size=9).map(" ".join)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(words, words), max_size=14), st.randoms(use_true_random=False), st.sampled_from([0.3, 0.7, 1.0])
)
def test_every_dropped_row_has_a_kept_one_and_no_two_kept_rows_are_alike(
    texts: list[tuple[str, str]], draw: random.Random, threshold: float
) -> None:
    rows = seen(*(chat(f"r{k}", f"q {one}", two, annotators=draw.randint(0, 2)) for k, (one, two) in enumerate(texts)))
    twins = near(rows, "labels", threshold=threshold)
    gone = {twin.dropped for twin in twins}
    assert not gone & {twin.kept for twin in twins}
    assert near([row for place, row in enumerate(rows) if place not in gone], "labels", threshold=threshold) == []
    backwards = near(rows[::-1], "labels", threshold=threshold)
    assert len(backwards) == len(twins) or threshold < 1


def by_topic(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed by the first letter: what begins alike means the same."""
    vectors = np.zeros((len(texts), 26), np.float32)
    for row, one in enumerate(texts):
        vectors[row, ord(one[0].lower()) % 26] = 1.0
    return vectors


def test_what_means_the_same_is_found_by_vectors_and_part_by_part() -> None:
    rows = seen(chat("a", "alpha", "beta"), chat("b", "apple", "bear"), chat("c", "apple", "cat"), chat("d", "dog", ""))
    twins = semantic(rows, by_topic, "first")
    assert [(rows[t.dropped].id, rows[t.kept].id) for t in twins] == [("b", "a")]
    assert semantic([], by_topic, "first") == []  # type: ignore[arg-type]


def test_vectors_of_many_rows_are_compared_across_blocks() -> None:
    rows = seen(*(sample(f"s{k}", f"{chr(97 + k % 20)} {'x' * (k // 20)}") for k in range(1200)))
    twins = semantic(rows, by_topic, "first")
    assert {twin.kept for twin in twins} == set(range(20))
    assert len(twins) == 1180
