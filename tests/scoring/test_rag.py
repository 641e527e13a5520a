"""Retrieval and generation scored apart: ranks against scikit-learn, grounding, citations, abstention, causes."""

from __future__ import annotations

import random

import pytest

from workbench.models import Output
from workbench.records import Passage
from workbench.runs import Score, ScoreFailure

FACTS = (
    Passage(id="plans#1", text="The Team plan costs 12 euros a month. It has 30 seats."),
    Passage(id="plans#2", text="The Business plan costs 24 euros a month."),
    Passage(id="rooms#1", text="To book a room, open Rooms and choose a time."),
)


def passages(*ids: str) -> tuple[Passage, ...]:
    return tuple(Passage(id=id, text=f"text of {id}") for id in ids)


@pytest.mark.parametrize(
    ("measure", "k", "value"),
    [("recall", 5, 1.0), ("recall", 2, 0.5), ("precision", 4, 0.5), ("precision", 1, 0.0), ("hit", 1, 0.0),
     ("hit", 2, 1.0), ("mrr", 5, 0.5), ("mrr", 1, 0.0)],
)  # fmt: skip
def test_gold_passages_count_by_rank(spec, score, sample, measure: str, k: int, value: float) -> None:
    on = sample(contexts=passages("x", "a", "y", "b"), gold_contexts=("a", "b"))
    assert score(spec("retrieval", measure=measure, k=k), "answer", on=on).value == pytest.approx(value)


def test_ndcg_equals_scikit_learns_on_random_rankings(spec, score, sample) -> None:
    from sklearn.metrics import ndcg_score

    draw = random.Random(4)
    for _ in range(50):
        ids = [f"p{n}" for n in range(10)]
        gold = tuple(draw.sample(ids, draw.randint(1, 5)))
        draw.shuffle(ids)
        on = sample(contexts=passages(*ids), gold_contexts=gold)
        relevance = [[float(id in gold) for id in ids]]
        ranking = [[float(-n) for n in range(10)]]
        assert score(spec("retrieval", measure="ndcg", k=10), "a", on=on).value == pytest.approx(
            ndcg_score(relevance, ranking)
        )


def test_a_passage_that_comes_twice_counts_once_and_documents_may_count_for_passages(spec, score, sample) -> None:
    on = sample(contexts=passages("d#1", "d#1", "d#2", "e#1"), gold_contexts=("d#2",))
    assert score(spec("retrieval", measure="recall"), "a", on=on).value == 1
    assert score(spec("retrieval", measure="mrr"), "a", on=on).value == pytest.approx(1 / 3)
    by_document = spec("retrieval", measure="precision", match="document", k=4)
    assert score(by_document, "a", on=on).value == pytest.approx(1 / 4)


def test_nothing_retrieved_is_0_and_a_sample_without_gold_is_not_applicable(spec, score, sample) -> None:
    nothing = score(spec("retrieval"), "answer", on=sample(gold_contexts=("a",)))
    assert (nothing.value, nothing.reason) == (0, "nothing was retrieved")
    none = score(spec("retrieval"), "answer", on=sample(contexts=FACTS))
    assert isinstance(none, ScoreFailure) and none.kind == "not_applicable"


def test_the_pipelines_passages_count_before_the_samples(spec, score, sample) -> None:
    on = sample(contexts=passages("a"), gold_contexts=("a",))
    assert score(spec("retrieval"), Output(text="x", contexts=passages("b")), on=on).value == 0


def test_metrics_are_called_by_measure_and_k_unless_named(spec) -> None:
    assert spec("retrieval", measure="ndcg", k=3).info().name == "ndcg_at_3"
    assert spec("retrieval", name="r").info().name == "r"
    assert spec("retrieval", measure="hit").info().binary and not spec("retrieval").info().binary


def test_passages_that_repeat_earlier_ones_are_redundant(spec, score, sample) -> None:
    twice = (FACTS[0], FACTS[2], Passage(id="z", text="the TEAM plan costs 12 euros"))
    found = score(spec("redundancy"), "a", on=sample(contexts=twice))
    assert found.value == pytest.approx(1 / 3) and found.reason == "passages 3 repeat earlier ones"
    assert score(spec("redundancy"), "a", on=sample(contexts=FACTS)).value == 0
    assert isinstance(score(spec("redundancy"), "a", on=sample(contexts=FACTS[:1])), ScoreFailure)


def test_the_question_is_compared_with_each_passage_without_those_in_its_prompt(spec, score, sample, told) -> None:
    vectors = {"What does it cost?": [1.0, 0.0], FACTS[0].text: [1.0, 0.0], FACTS[1].text: [0.0, 1.0]}
    on = sample(question="[1] passage\n\nQuestion: What does it cost?", contexts=FACTS[:2])
    assert score(spec("context_relevance"), "a", on=on, tools=told(vectors=vectors)).value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("answer", "value", "lacking"),
    [
        ("The Team plan costs 12 euros.", 1.0, ""),
        ("The Team plan costs 13 euros.", 0.0, "The Team plan costs 13 euros."),
        ("The Team plan costs 12 euros. It was founded by three sisters.", 0.5, "It was founded by three sisters."),
    ],
)
def test_sentences_that_no_passage_holds_are_named(spec, score, sample, answer, value, lacking) -> None:
    found = score(spec("overlap_groundedness"), answer, on=sample(contexts=FACTS))
    assert found.value == pytest.approx(value) and found.evidence == lacking


@pytest.mark.parametrize("answer", ["Not in the documents.", "", "…"])
def test_an_answer_that_claims_nothing_is_neither_grounded_nor_not(spec, score, sample, answer) -> None:
    for kind in ("overlap_groundedness", "citations"):
        assert isinstance(score(spec(kind), answer, on=sample(contexts=FACTS)), ScoreFailure)


@pytest.mark.parametrize(
    ("answer", "value", "why"),
    [
        ("The Team plan costs 12 euros [1]. The Business plan costs 24 euros. [2]", 1.0, ""),
        ("The Team plan costs 12 euros [2].", 0.0, "[2] does not hold it"),
        ("The Team plan costs 12 euros [7].", 0.0, "[7] is no passage"),
        ("The Team plan costs 12 euros.", 0.0, "no citation"),
        ("The Team plan has 30 seats, and the Business plan costs 24 euros [1, 2].", 1.0, ""),
    ],
)
def test_citations_count_when_the_cited_passage_holds_the_sentence(spec, score, sample, answer, value, why) -> None:
    found = score(spec("citations"), answer, on=sample(contexts=FACTS))
    assert found.value == pytest.approx(value) and why in found.reason


@pytest.mark.parametrize(
    ("answer", "answerable", "value", "label"),
    [
        ("12 euros", "yes", 1, "answered"),
        ("Not in the documents.", "no", 1, "abstained"),
        ("12 euros", "no", 0, "missed"),
        ("I don't know.", "yes", 0, "wrong"),
        ("", "no", 1, "abstained"),
        ("It is not in the documents of 2020, but " + "the plan says much. " * 20, "no", 0, "missed"),
    ],
)
def test_abstention_tells_its_four_cases_apart(spec, score, sample, answer, answerable, value, label) -> None:
    found = score(spec("abstention"), answer, on=sample(tags={"answerable": answerable}))
    assert (found.value, found.label) == (value, label)
    assert isinstance(score(spec("abstention"), answer, on=sample()), ScoreFailure)


@pytest.mark.parametrize(
    ("answer", "retrieved", "answerable", "label"),
    [
        ("12 euros", FACTS, "yes", "right"),
        ("12 euros", FACTS, "no", "should_abstain"),
        ("Not in the documents.", FACTS, "no", "right"),
        ("24 euros", FACTS[1:], "yes", "retrieval_missed"),
        ("Not in the documents.", FACTS[1:], "yes", "retrieval_missed"),
        ("Not in the documents.", FACTS, "yes", "wrongly_abstained"),
        ("The price of the plan for teams is always 12 euros, as all of you know.", FACTS, "yes", "wrong_format"),
        ("the Business plan costs 24", FACTS, "yes", "context_ignored"),
        ("about seventy dollars", FACTS, "yes", "invented"),
    ],
)
def test_every_failure_has_one_cause(spec, score, sample, answer, retrieved, answerable, label) -> None:
    on = sample("12 euros", contexts=retrieved, gold_contexts=("plans#1",), tags={"answerable": answerable})
    found = score(spec("rag_cause"), answer, on=on)
    assert isinstance(found, Score) and found.label == label
    assert found.value == (label == "right")
