"""Shingles: what counts as a word, and hashes that stay the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.curation.shingles import TEXTS_AT_ONCE, normalised, shingle_sets


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", "hello world"),
        ("snake_case and kebab-case", "snake case and kebab case"),
        ("don't", "don t"),
        ("“Straße” …", "strasse"),
        ("ﬁne Ａ１", "fine a1"),
        ("Ünïcödé", "ünïcödé"),
        ("e\u0301te\u0301", "été"),
        ("你好 world", "你 好 world"),
        ("x\u2028y\u0085z\x00w", "x y z w"),
        ("\ud800 lone", "lone"),
    ],
)
def test_words_are_folded_and_punctuation_parts_them(text: str, words: str) -> None:
    assert normalised(text).decode("utf-8", "surrogatepass").split() == words.split()


@given(st.text())
def test_upper_case_and_spacing_change_nothing(text: str) -> None:
    again = shingle_sets(["  " + text.replace(" ", " \n\t") + " "])
    assert again.hashes.tolist() == shingle_sets([text]).hashes.tolist()
    if text.isascii():
        assert shingle_sets([text.upper()]).hashes.tolist() == again.hashes.tolist()


@given(st.lists(st.sampled_from(["a", "bb", "longer-than-eight-letters", "x" * 40]), max_size=30), st.integers(1, 13))
def test_a_text_has_as_many_shingles_as_distinct_runs_of_words(tokens: list[str], n: int) -> None:
    words = normalised(" ".join(tokens)).decode().split()
    runs = {tuple(words[i : i + n]) for i in range(len(words) - n + 1)} or {tuple(words)} - {()}
    assert shingle_sets([" ".join(tokens)], n).sizes().tolist() == [len(runs)]


def test_the_hashes_are_the_same_on_every_machine_and_in_every_process() -> None:
    assert shingle_sets(["the quick brown fox", "jumps"]).hashes.tolist() == PINNED


def test_a_texts_shingles_do_not_depend_on_its_neighbours() -> None:
    texts = [f"text number {number} has seven words" for number in range(TEXTS_AT_ONCE + 10)]
    together = shingle_sets(texts)
    for number in (0, 5, TEXTS_AT_ONCE - 1, TEXTS_AT_ONCE, TEXTS_AT_ONCE + 9):
        alone = shingle_sets([texts[number]]).hashes
        assert together.hashes[together.starts[number] : together.starts[number + 1]].tolist() == alone.tolist()


def test_a_shingle_needs_a_word() -> None:
    with pytest.raises(ValueError, match="at least one word, not 0"):
        shingle_sets(["a"], 0)


PINNED = [218889206436284, 1401715839504194, 4164257599752556]
