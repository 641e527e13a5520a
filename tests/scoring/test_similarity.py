from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.models import Output
from workbench.records import Passage
from workbench.runs import ScoreFailure
from workbench.scoring.similarity import cosine

VECTORS = {"answer": [1.0, 0.0], "near": [0.8, 0.6], "far": [-1.0, 0.0], "across": [0.0, 1.0], "none": [0.0, 0.0]}


@pytest.fixture
def tools(told):
    return told(vectors=VECTORS)


def test_the_nearest_reference_counts(spec, score, tools) -> None:
    assert score(spec("embedding_similarity"), "answer", "far", "near", tools=tools).value == pytest.approx(0.8)
    assert score(spec("embedding_similarity"), "answer", "far", tools=tools).value == -1


def test_passages_are_the_retrieved_else_the_given_and_gold_ones_are_named(spec, score, sample, tools) -> None:
    given_passages = (Passage(id="a", text="near"), Passage(id="b", text="far"))
    on = sample(contexts=given_passages, gold_contexts=("b",))
    found = Output(text="answer", contexts=(Passage(id="c", text="across"),))
    by = {against: spec("embedding_similarity", against=against) for against in ("contexts", "gold_contexts")}
    assert score(by["contexts"], "answer", on=on, tools=tools).value == pytest.approx(0.8)
    assert score(by["contexts"], found, on=on, tools=tools).value == 0
    assert score(by["gold_contexts"], "answer", on=on, tools=tools).value == -1
    assert score(by["gold_contexts"], found, on=on, tools=tools).value == -1


@pytest.mark.parametrize("against", ["references", "contexts", "gold_contexts"])
def test_without_a_target_it_does_not_apply(spec, score, tools, against) -> None:
    got = score(spec("embedding_similarity", against=against), "answer", tools=tools)
    assert isinstance(got, ScoreFailure)
    assert (got.kind, against.replace("_", " ") in got.message) == ("not_applicable", True)


def test_an_empty_answer_resembles_nothing_and_is_not_embedded(spec, score, told) -> None:
    got = score(spec("embedding_similarity"), " \n", "near", tools=told())
    assert (got.value, got.reason) == (0, "empty answer")


@pytest.mark.parametrize("vector", [[0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0], [1.0]])
def test_an_unusable_embedding_is_a_scorer_error(spec, score, told, vector) -> None:
    got = score(spec("embedding_similarity"), "answer", "x", tools=told(vectors={**VECTORS, "x": vector}))
    assert isinstance(got, ScoreFailure)
    assert got.kind == "scorer_error"


def test_the_embedding_model_is_part_of_the_version(spec) -> None:
    info = spec("embedding_similarity").info()
    assert (info.low, info.high, info.version) == (-1, 1, "1+all-MiniLM-L6-v2")


NUMBERS = st.lists(st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-3), min_size=1, max_size=4)


@given(NUMBERS, NUMBERS)
def test_a_cosine_lies_within_its_range_or_is_not_a_number(a, b) -> None:
    got = cosine(a, b)
    assert math.isnan(got) or -1 <= got <= 1
    assert math.isnan(got) == (len(a) != len(b) or not any(a) or not any(b))
