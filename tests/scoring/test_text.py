from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.runs import ScoreFailure
from workbench.scoring.normalise import casefold, normalise, squad
from workbench.scoring.text import gold_answers, token_f1

WORDS = st.lists(st.sampled_from(["the", "a", "Norman", "10th", "été", "don't", "!", "١٢", " "]), max_size=6).map(
    " ".join
)
ANSWERS = st.one_of(st.text(max_size=30), WORDS)


def official_normalise(s: str) -> str:
    """SQuAD's evaluate-v2.0, `normalize_answer`, step by step."""
    s = "".join(ch for ch in s.lower() if ch not in set(string.punctuation))
    return " ".join(re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", s).split())


def official_f1(gold: str, pred: str) -> float:
    """SQuAD's evaluate-v2.0, `compute_f1`."""
    gold_toks = official_normalise(gold).split() if gold else []
    pred_toks = official_normalise(pred).split() if pred else []
    num_same = sum((Counter(gold_toks) & Counter(pred_toks)).values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return int(gold_toks == pred_toks)
    if num_same == 0:
        return 0
    precision, recall = num_same / len(pred_toks), num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)


@pytest.mark.parametrize(
    ("answer", "references", "f1", "exact"),
    [
        ("the Normans", ("Normans",), 1.0, 1.0),
        ("in the 10th and 11th centuries", ("10th and 11th centuries",), 8 / 9, 0.0),
        ("France.", ("Spain", "france"), 1.0, 1.0),
        ("France", ("Spain",), 0.0, 0.0),
        # No answer: only an answer without words is right, and the other way round.
        ("", ("",), 1.0, 1.0),
        ("France", ("",), 0.0, 0.0),
        ("", ("France",), 0.0, 0.0),
        # Articles and punctuation leave no word.
        ("The", ("",), 1.0, 1.0),
        ("a", ("The",), 1.0, 1.0),
        ("...", ("France",), 0.0, 0.0),
        ("an", ("the", "France"), 0.0, 0.0),  # a reference without words is dropped beside one with words
        # Unicode: only ASCII punctuation and English articles go; accents and other scripts stay.
        ("café", ("cafe",), 0.0, 0.0),
        ("CAFÉ", ("café",), 1.0, 1.0),
        ("«Rollo»", ("Rollo",), 0.0, 0.0),
        ("李白", ("李白",), 1.0, 1.0),
        # Punctuation is removed, not replaced by a space.
        ("New-York", ("newyork",), 1.0, 1.0),
        ("New-York", ("new york",), 0.0, 0.0),
        ("U.S.A.", ("usa",), 1.0, 1.0),
        # Repeated words count as often as both have them.
        ("yes yes", ("yes",), 2 / 3, 0.0),
        ("b a b", ("b b",), 1.0, 1.0),
    ],
)
def test_squad_rules_hold_on_hand_made_edge_cases(spec, score, answer, references, f1, exact) -> None:
    assert score(spec("token_f1"), answer, *references).value == pytest.approx(f1, abs=1e-12)
    assert score(spec("exact_match"), answer, *references).value == exact
    golds = [r for r in references if official_normalise(r)] or [""]
    assert max(official_f1(g, answer) for g in golds) == pytest.approx(f1, abs=1e-12)
    assert max(official_normalise(g) == official_normalise(answer) for g in golds) == bool(exact)


@given(ANSWERS, ANSWERS)
def test_token_f1_is_the_official_one_symmetric_and_between_0_and_1(ours: str, theirs: str) -> None:
    assert token_f1(ours, theirs) == pytest.approx(official_f1(theirs, ours), abs=1e-12)
    assert token_f1(ours, theirs) == token_f1(theirs, ours)
    assert 0 <= token_f1(ours, theirs) <= 1


@given(ANSWERS, st.lists(ANSWERS, min_size=1, max_size=4))
def test_an_exact_match_has_token_f1_of_1(spec, score, answer: str, references: list[str]) -> None:
    if score(spec("exact_match"), answer, *references).value == 1:
        assert score(spec("token_f1"), answer, *references).value == 1


@given(st.text(max_size=60), st.sampled_from(["squad", "casefold", "none"]))
def test_normalising_twice_changes_nothing(text: str, how) -> None:
    assert normalise(normalise(text, how), how) == normalise(text, how)


@given(st.text(max_size=60))
def test_squad_normalisation_is_the_official_one(text: str) -> None:
    assert squad(text) == official_normalise(text)


@pytest.mark.parametrize(
    ("how", "answer", "value"),
    [("none", "Paris ", 0.0), ("none", "Paris", 1.0), ("casefold", " PARIS\n", 1.0), ("casefold", "paris.", 0.0),
     ("squad", "The paris.", 1.0)],
)  # fmt: skip
def test_exact_match_ignores_only_what_its_normalisation_says(spec, score, how, answer, value) -> None:
    assert score(spec("exact_match", normalise=how), answer, "Paris").value == value


def test_casefold_reads_full_width_and_ligatures_as_plain_letters() -> None:
    assert casefold("Ｐａｒｉｓ ﬁn STRASSE") == casefold("paris fin straße")


@pytest.mark.parametrize("kind", ["exact_match", "token_f1", "contains"])
def test_without_references_a_comparison_does_not_apply(spec, score, kind) -> None:
    got = score(spec(kind), "x")
    assert isinstance(got, ScoreFailure)
    assert got.kind == "not_applicable"


def test_gold_answers_without_words_stand_for_no_answer_only_when_alone() -> None:
    assert gold_answers(("the", "")) == ("",)
    assert gold_answers(("the", "France")) == ("France",)


def test_contains_needs_any_or_all_of_the_strings_and_names_the_missing(spec, score) -> None:
    both = {"strings": ["Pro plan", "30 days"]}
    assert score(spec("contains", **both), "The PRO\nplan.").value == 1
    got = score(spec("contains", need="all", **both), "The PRO plan.")
    assert (got.value, got.label, got.reason) == (0, "fail", "missing: '30 days'")
    assert score(spec("contains", need="all", ignore_case=False, strings=["Pro"]), "pro").value == 0


def test_contains_falls_back_on_the_references_but_never_on_an_empty_one(spec, score) -> None:
    assert score(spec("contains"), "It is Paris.", "paris").value == 1
    assert score(spec("contains"), "anything", "").kind == "not_applicable"
    with pytest.raises(ValidationError, match="at least 1 character"):
        spec("contains", strings=[""])


def test_regex_expects_a_match_or_none_anywhere_or_in_the_whole_answer(spec, score) -> None:
    assert score(spec("regex", pattern=r"\[\d\]"), "as said [2]").value == 1
    assert score(spec("regex", pattern=r"\[\d\]", where="fullmatch"), "as said [2]").value == 0
    assert score(spec("regex", pattern="as an ai", expect="no_match", ignore_case=True), "As an AI I").value == 0
    assert score(spec("regex", pattern="x", expect="no_match"), "y").value == 1


@pytest.mark.parametrize("pattern", ["(a", "(?=a)", r"(a)\1", "", "\ud800"])
def test_a_pattern_that_re2_refuses_is_refused_when_it_is_loaded(spec, pattern) -> None:
    with pytest.raises(ValidationError, match=r"RE2 refuses|at least 1|surrogate|string_unicode"):
        spec("regex", pattern=pattern)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*x", "(a*)*b", r"^(\w+\s?)*$", "((a{1,20}){1,20})$"])
def test_a_pattern_that_blows_up_in_other_engines_answers_here(spec, score, pattern) -> None:
    assert score(spec("regex", pattern=pattern), "a" * 50_000 + "!").value == 0


def test_a_lone_surrogate_in_the_answer_does_not_stop_a_regex(spec, score) -> None:
    assert score(spec("regex", pattern="b"), "a\ud800b").value == 1


def test_length_counts_characters_or_words_with_both_limits_included(spec, score) -> None:
    assert score(spec("length", max=3), "abc").value == 1
    assert score(spec("length", max=3), "abcd").value == 0
    assert score(spec("length", unit="words", min=2, max=2), "two  words\n").value == 1
    assert score(spec("length", unit="words", min=2), "one").reason == "1 words"


@pytest.mark.parametrize("fields", [{}, {"min": 3, "max": 2}, {"max": -1}, {"max": True}, {"max": "3"}])
def test_length_refuses_limits_that_say_nothing_or_contradict(spec, fields) -> None:
    with pytest.raises(ValidationError):
        spec("length", **fields)
