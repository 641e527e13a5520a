"""Near-duplicates, against comparing every text with every other."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.curation import near_duplicates as module
from workbench.curation.near_duplicates import near_duplicates
from workbench.curation.shingles import normalised, shingle_sets

words = st.lists(st.sampled_from(["red", "green", "blue", "a", "of", "extraordinarily"]), max_size=14).map(" ".join)


def word_sets(texts: list[str], n: int) -> list[set[tuple[str, ...]]]:
    """Return shingle sets the slow way."""
    sets = []
    for text in texts:
        tokens = normalised(text).decode().split()
        whole = {tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}
        sets.append(whole or ({tuple(tokens)} if tokens else set()))
    return sets


def all_pairs(texts: list[str], n: int, threshold: float) -> dict[tuple[int, int], float]:
    sets = word_sets(texts, n)
    likeness = {
        (a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b])
        for b in range(len(sets))
        for a in range(b)
        if sets[a] and sets[b]
    }
    return {pair: value for pair, value in likeness.items() if value >= threshold}


def edited_texts(n: int, seed: int) -> list[str]:
    """Return texts of 8 to 60 words, a third of them edited copies of others."""
    draw = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(400)]
    texts = [" ".join(draw.choices(vocabulary, k=draw.randint(8, 60))) for _ in range(n * 2 // 3)]
    while len(texts) < n:
        copied = draw.choice(texts).split()
        for _ in range(draw.randint(0, 4)):
            copied[draw.randrange(len(copied))] = draw.choice(vocabulary)
        texts.append(" ".join(copied))
    draw.shuffle(texts)
    return texts


@settings(max_examples=200)
@given(st.lists(words, max_size=25), st.sampled_from([0.3, 0.5, 0.7, 0.8, 1.0]), st.integers(1, 4))
def test_exactly_the_pairs_of_a_full_comparison_are_found(texts: list[str], threshold: float, n: int) -> None:
    found = near_duplicates(shingle_sets(texts, n), threshold)
    expected = all_pairs(texts, n, threshold)
    pairs = dict(zip(zip(found.first.tolist(), found.second.tolist(), strict=True), found.jaccard, strict=True))
    distinct = {pair: value for pair, value in expected.items() if all(found.same[text] == text for text in pair)}
    assert pairs == pytest.approx(distinct)
    assert all((found.same[b] == found.same[a]) == (value == 1) for (a, b), value in expected.items())


@pytest.mark.parametrize("seed", range(3))
def test_edited_copies_among_six_hundred_texts_are_found_exactly(seed: int) -> None:
    texts = edited_texts(600, seed)
    found = near_duplicates(shingle_sets(texts))
    expected = {pair for pair in all_pairs(texts, 3, 0.7) if all(found.same[text] == text for text in pair)}
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected
    assert len(expected) > 50


def test_pairs_are_found_across_blocks_of_texts() -> None:
    texts = [f"filler number {number} of many that are not alike at all {number * 7919}" for number in range(4_500)]
    texts[3] = texts[4_400] = "one two three four five six seven eight nine ten"
    texts[2_100] = texts[3] + " eleven"
    found = near_duplicates(shingle_sets(texts))
    assert (found.first.tolist(), found.second.tolist()) == ([3], [2_100])
    assert found.same[4_400] == 3


def test_a_cluster_is_all_that_pairs_and_sameness_connect() -> None:
    base = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"]
    texts = ["something else entirely different", " ".join(base), " ".join([*base, "q"]), " ".join([*base, "q", "r"])]
    texts += [texts[2], "no words in common here at all"]
    found = near_duplicates(shingle_sets(texts), 0.9)
    assert (1, 3) not in set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert found.clusters().tolist() == [0, 1, 1, 1, 1, 5]


def test_of_a_very_long_run_each_text_is_compared_with_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_RUN", 5)
    texts = [f"dear customer thank you for your order we will send it soon yours {n}" for n in range(40)]
    found = near_duplicates(shingle_sets(texts))
    assert len(found.first) < 40 * 39 / 2
    assert set(found.clusters().tolist()) == {0}


def test_what_is_held_at_once_does_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    shingles = shingle_sets(edited_texts(300, 5))
    whole = near_duplicates(shingles)
    monkeypatch.setattr(module, "MEETINGS_AT_ONCE", 3)
    for one, other in zip(whole, near_duplicates(shingles), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("texts", [[], ["", "  ", "..."], ["", "one"]])
def test_texts_without_words_are_like_nothing(texts: list[str]) -> None:
    found = near_duplicates(shingle_sets(texts))
    assert len(found.first) == 0
    assert found.clusters().tolist() == list(range(len(texts)))


@pytest.mark.parametrize("threshold", [0, -0.1, 1.01])
def test_an_impossible_threshold_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="a threshold of similarity lies above 0"):
        near_duplicates(shingle_sets(["a"]), threshold)
