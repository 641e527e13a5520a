"""Spans of several annotators: overlap and majority, against a count character by character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.labelling.spans import Span, majority_spans, merged, soft_f1

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda s: (s[0], s[0] + s[1])), max_size=5)


def characters(marked: list[Span] | tuple[Span, ...]) -> set[int]:
    return {place for start, end in marked for place in range(start, end)}


@given(st.lists(spans, min_size=1, max_size=5))
def test_the_majority_marks_exactly_the_characters_that_more_than_half_marked(people: list[list[Span]]) -> None:
    marks = [characters(person) for person in people]
    expected = {place for place in range(50) if 2 * sum(place in mark for mark in marks) > len(people)}
    found = majority_spans(people)
    assert characters(found) == expected
    assert found == merged(found)


@given(spans, spans)
def test_soft_f1_is_symmetric_lies_in_its_range_and_is_one_for_equal_marks(a: list[Span], b: list[Span]) -> None:
    assert soft_f1(a, b) == pytest.approx(soft_f1(b, a))
    assert 0 <= soft_f1(a, b) <= 1
    assert soft_f1(a, a) == 1
    assert (soft_f1(a, b) == 0) == (not characters(a) & characters(b) and bool(a or b))


def test_a_miss_at_the_edge_costs_its_share_of_the_span() -> None:
    assert soft_f1([(0, 10)], [(0, 8)]) == pytest.approx(2 * 0.8 / 1.8)


def test_a_span_that_one_annotator_marked_alone_counts_in_full() -> None:
    assert soft_f1([(0, 10), (20, 30)], [(0, 10)]) == pytest.approx(2 * 0.5 / 1.5)


def test_two_annotators_who_marked_nothing_agree() -> None:
    assert soft_f1([], []) == 1
    assert soft_f1([], [(0, 1)]) == 0


@pytest.mark.parametrize("span", [(3, 3), (4, 2), (-1, 2)])
def test_an_impossible_span_is_refused(span: Span) -> None:
    with pytest.raises(ValueError, match="a span has a start of at least 0"):
        merged([span])
