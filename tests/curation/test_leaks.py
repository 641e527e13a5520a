"""What the firewall recognises: planted copies of every sort, and no two questions that are merely alike."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.real.conversions import ABSENT, data_folder
from workbench.curation.leaks import CONTAINED, LEAST_TRIPLES, Guarded, How, leaks
from workbench.curation.near_duplicates import THRESHOLD
from workbench.curation.shingles import normalised

QUESTION = "How do I reset the password of a team member who has left the company last year?"
VOCABULARY = [f"word{number}" for number in range(2000)]


def side(*texts: str, name: str = "row") -> list[Guarded]:
    return [Guarded(f"{name}{number}", f"{name}-family{number}", text) for number, text in enumerate(texts)]


def sentences(n: int, words: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(VOCABULARY, k=words)).capitalize() + "." for _ in range(n)]


def paraphrased(text: str) -> str:
    """Return other words around thirteen that stay in a row."""
    words = text.split()
    return " ".join(["Tell", "me", "please,", *words[4:17], "or", "so", "I", "was", "told", "by", "others"])


PLANTED: dict[str, Callable[[str], str]] = {
    "verbatim": lambda text: text,
    "re-cased": str.upper,
    "re-spaced": lambda text: "  \n".join(text.split()),
    "truncated": lambda text: " ".join(text.split()[: len(text.split()) * 6 // 10]),
    "set into more": lambda text: f"As was asked before: {text} Please answer in one short sentence and be kind.",
    "one word changed": lambda text: " ".join([*text.split()[:2], "changed", *text.split()[3:]]),
    "paraphrase": paraphrased,
}


@pytest.mark.parametrize("how", PLANTED)
def test_a_hundred_planted_copies_are_caught_and_nothing_else(how: str) -> None:
    gate = sentences(100, 20, seed=1)
    learnt = [*sentences(900, 20, seed=2), *(PLANTED[how](text) for text in gate)]
    found = leaks(side(*learnt), side(*gate, name="gate"))
    assert [(leak.learnt.id, leak.guarded.id) for leak in found] == [(f"row{900 + n}", f"gate{n}") for n in range(100)]


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (QUESTION, "words"),
        (QUESTION.upper().replace(" ", "\n "), "words"),
        ("Tell me: " + QUESTION[7:] + " And how do others do this in their own firms, if at all?", "run"),
        ("How do I reset the password of a team member", "triples"),
    ],
)
def test_the_strongest_sign_is_told(text: str, how: How) -> None:
    [found] = leaks(side(text), side(QUESTION, name="gate"))
    assert found.how == how


def test_one_family_is_kin_whatever_the_text() -> None:
    [found] = leaks([Guarded("a", "f1", "one text")], [Guarded("g", "f1", "another")])
    assert (found.how, found.likeness) == ("family", 1.0)


@pytest.mark.parametrize(
    ("learnt", "gate"),
    [
        ("How do I reset my password?", "How do I reset my API key?"),
        ("What is the capital of France?", "What is the capital of Norway?"),
        ("Yes", "No"),
        ("", "   "),
        ("", ""),
    ],
)
def test_questions_that_are_merely_alike_are_not_kin(learnt: str, gate: str) -> None:
    assert leaks(side(learnt), side(gate, name="gate")) == ()


def test_embeddings_see_what_words_do_not() -> None:
    ours = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    theirs = np.array([[0.98, 0.199]], dtype=np.float32)
    found = leaks(side("one thing", "other thing"), side("quite different", name="gate"), vectors=(ours, theirs))
    assert [(leak.learnt.id, leak.how) for leak in found] == [("row0", "meaning")]


words = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=12).map(" ".join)


@given(st.lists(words, max_size=8), st.lists(words, max_size=8))
def test_triples_are_shared_exactly_as_a_full_comparison_says(ours: list[str], theirs: list[str]) -> None:
    found = {leak.learnt.id for leak in leaks(side(*ours), side(*theirs, name="gate"))}
    assert found == {f"row{number}" for number, text in enumerate(ours) if any(kin(text, other) for other in theirs)}


def kin(one: str, other: str) -> bool:
    """Say the slow way whether two texts are kin."""
    first, second = normalised(one).split(), normalised(other).split()
    if first == second:
        return bool(first)
    a, b = ({tuple(w[i : i + 3]) for i in range(len(w) - 2)} for w in (first, second))
    if min(len(a), len(b)) < LEAST_TRIPLES:
        return False
    return len(a & b) >= CONTAINED * min(len(a), len(b)) - 1e-9 or len(a & b) / len(a | b) >= THRESHOLD - 1e-9


def test_none_of_a_thousand_pairs_of_distinct_published_questions_are_kin() -> None:
    folder = data_folder()
    if folder is None:
        pytest.skip(ABSENT)
    lines = Path(folder / "squad_v2_qa.jsonl").read_text(encoding="utf-8").splitlines()
    questions = list({normalised(row["question"]): row["question"] for row in map(json.loads, lines)}.values())
    draw = random.Random(3)
    pairs = [draw.sample(questions, 2) for _ in range(1000)]
    assert [pair for pair in pairs if leaks(side(pair[0]), side(pair[1], name="gate"))] == []
