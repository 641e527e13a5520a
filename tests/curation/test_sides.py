"""No prompt lies on two sides of an evalset: every pair is found, and nothing else."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.curation.shingles import normalised
from workbench.curation.sides import THRESHOLD, TRIPLES, Overlap, overlaps

LONG = "how do I send an invoice to a customer abroad who pays in another currency than the one of my own account"
texts = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=0, max_size=9).map(" ".join)
sides = st.dictionaries(st.sampled_from(["train", "dev", "gate"]), st.lists(texts, max_size=6), max_size=3)


def told(found: list[Overlap]) -> list[tuple[str, str, float]]:
    return [(o.first.id, o.second.id, round(o.likeness, 2)) for o in found]


def test_the_same_words_in_another_spelling_are_the_same_prompt() -> None:
    rows = {"train": [("a", LONG), ("b", "no")], "gate": [("c", LONG.upper() + "?!"), ("d", "yes")]}
    assert told(overlaps(rows)) == [("a", "c", 1.0)]


def test_a_changed_word_in_a_long_prompt_is_a_near_duplicate_and_several_are_not() -> None:
    near = {"train": [("a", LONG)], "gate": [("c", LONG.replace("account", "shop"))]}
    assert told(overlaps(near)) == [("a", "c", 0.9)]
    far = LONG.replace("invoice", "offer").replace("pays", "buys").replace("own", "new")
    assert overlaps({"train": [("a", LONG)], "gate": [("c", far)]}) == []


def test_one_side_may_repeat_itself() -> None:
    assert overlaps({"gate": [("a", LONG), ("b", LONG)]}) == []
    assert told(overlaps({"train": [("a", LONG), ("b", LONG)], "gate": [("c", LONG)], "dev": []})) == [("a", "c", 1.0)]


def test_a_near_duplicate_is_found_behind_one_that_is_on_its_own_side() -> None:
    other = LONG.replace("account", "shop")
    rows = {"train": [("a", LONG)], "gate": [("b", other)], "dev": [("c", other)]}
    assert {pair[:2] for pair in told(overlaps(rows))} == {("b", "c"), ("a", "b")}


def test_prompts_without_words_are_the_same_by_their_characters() -> None:
    assert told(overlaps({"train": [("a", "???"), ("b", "!")], "gate": [("c", "???")]})) == [("a", "c", 1.0)]


def triples(text: str) -> set[tuple[bytes, ...]]:
    words = normalised(text).split()
    return {tuple(words[i : i + TRIPLES]) for i in range(max(1, len(words) - TRIPLES + 1))} if words else set()


@settings(max_examples=150, deadline=None)
@given(sides)
def test_the_split_is_clean_exactly_when_no_pair_of_texts_is_alike(rows: dict[str, list[str]]) -> None:
    named = {side: [(f"{side}{i}", text) for i, text in enumerate(found)] for side, found in rows.items()}
    alike = any(
        len(triples(x) & triples(y)) >= THRESHOLD * len(triples(x) | triples(y))
        for a, b in product(rows, rows)
        if a < b
        for x, y in product(rows[a], rows[b])
    )
    assert bool(overlaps(named)) == alike
