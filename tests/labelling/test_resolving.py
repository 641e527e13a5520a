"""Conflicts are resolved by the first policy that decides, and what none decides is said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.labelling.resolving import Decision, Resolution, disagree, resolve
from workbench.records import Label, Ranked, Span

AT = datetime(2026, 1, 1, tzinfo=UTC)


def label(annotator: str, value: object, record: str = "r1", question: str = "verdict") -> Label:
    return Label.model_validate(
        {
            "record_id": record,
            "question": question,
            "value": value,
            "annotator": annotator,
            "guideline": "g/1",
            "at": AT,
        }
    )


def only(labels: list[Label], *policies: str, weights: dict[str, float] | None = None, decided: object = None) -> tuple:
    how = Resolution.model_validate({"policies": policies, "weights": weights or {}})
    decisions = [] if decided is None else [Decision(label=label("judge", decided), reason="because")]
    (found,) = resolve(labels, decisions, how)
    return found.value, found.by


PASS2 = [label("a", "pass"), label("b", "pass"), label("c", "fail")]
TIE = [label("a", "pass"), label("b", "fail")]


def test_the_first_policy_that_decides_counts() -> None:
    assert only(PASS2, "majority") == ("pass", "majority")
    assert only(PASS2, "unanimous") == (None, None)
    assert only(PASS2, "unanimous", "majority") == ("pass", "majority")
    assert only(PASS2, "adjudicated", "majority", decided="fail") == ("fail", "adjudicated")
    assert only(PASS2, "majority", "adjudicated", decided="fail") == ("pass", "majority")
    assert only(PASS2, "adjudicated", "majority") == ("pass", "majority")


def test_half_is_no_majority_and_weights_break_the_tie() -> None:
    assert only(TIE, "majority") == (None, None)
    assert only(TIE, "weighted", weights={"b": 1.5}) == ("fail", "weighted")
    assert only(PASS2, "weighted", weights={"c": 5.0}) == ("fail", "weighted")


def test_a_decision_keeps_its_author_and_reason() -> None:
    how = Resolution(policies=("adjudicated",))
    (found,) = resolve(TIE, [Decision(label=label("judge", "fail"), reason="because")], how)
    assert (found.decided_by, found.reason, found.annotators) == ("judge", "because", ("a", "b"))


def test_choices_and_rankings_have_no_order_and_spans_agree_by_overlap() -> None:
    assert not disagree([label("a", ["x", "y"]), label("b", ["y", "x"])])
    ranking = [{"value": "1", "rank": 1}, {"value": "2", "rank": 2}]
    assert not disagree([label("a", ranking), label("b", ranking[::-1])])
    assert isinstance(label("a", ranking).value[0], Ranked)  # type: ignore[index]
    near = [[{"start": 0, "end": 10, "label": "x"}], [{"start": 1, "end": 10, "label": "x"}]]
    far = [near[0], [{"start": 20, "end": 30, "label": "x"}]]
    assert not disagree([label(n, v) for n, v in zip("ab", near, strict=True)])
    assert disagree([label(n, v) for n, v in zip("ab", far, strict=True)])


def test_the_majority_of_characters_is_marked_with_the_word_most_used_there() -> None:
    marks = [(0, 10, "x"), (5, 12, "x"), (6, 20, "y")]
    labels = [label(n, [{"start": s, "end": e, "label": w}]) for n, (s, e, w) in zip("abc", marks, strict=True)]
    assert only(labels, "majority") == ((Span(start=5, end=12, label="x"),), "majority")


def test_versions_are_not_pooled() -> None:
    other = label("b", "fail").model_copy(update={"guideline": "g/2"})
    found = resolve([label("a", "pass"), other], [], Resolution(policies=("majority",)))
    assert [(r.guideline, r.value) for r in found] == [("g/1", "pass"), ("g/2", "fail")]


@given(st.lists(st.sampled_from(["pass", "fail", "unclear"]), min_size=1, max_size=7), st.randoms())
def test_the_order_of_the_annotators_does_not_matter(values: list[str], draw: object) -> None:
    labels = [label(f"a{n}", value) for n, value in enumerate(values)]
    shuffled = sorted(labels, key=lambda _: draw.random())  # type: ignore[attr-defined]
    assert only(labels, "unanimous", "majority") == only(shuffled, "unanimous", "majority")


@pytest.mark.parametrize(
    "wrong", [{"policies": []}, {"policies": ["majority", "majority"]}, {"policies": ["weighted"]}]
)
def test_a_resolution_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Resolution.model_validate(wrong)
