"""Agreement on every kind of question: who is compared with whom, on what, and what the labels are good for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import krippendorff
import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn.metrics import cohen_kappa_score

from workbench.labelling.agreement import meaning
from workbench.labelling.agreement_by_question import agreements
from workbench.labelling.questions import Question
from workbench.labelling.resolving import Resolved
from workbench.records import Label, Message, Ranked, Record, Span
from workbench.runs import Interval
from workbench.statistics.intervals import Estimate

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
PEOPLE = ("first", "second", "third")
READ: TypeAdapter[Question] = TypeAdapter(Question)


def question(kind: str, **more: Any) -> Question:
    return READ.validate_python({"name": "asked", "title": "Asked", "kind": kind, **more})


VERDICT = question("label", options=[{"value": "good"}, {"value": "bad"}])
STARS = question("rating", low=1, high=5)


def record(number: int, **tags: str) -> Record:
    return Record(id=f"r{number}", messages=(Message(role="user", content="?"),), group=f"g{number}", tags=tags)


def label(number: int, who: str, value: Any, guideline: str = "v1") -> Label:
    return Label(record_id=f"r{number}", question="asked", value=value, annotator=who, guideline=guideline, at=NOON)


def votes(n: int = 60) -> list[list[int | None]]:
    """Return stars by three people who mostly agree, with gaps."""
    rng = np.random.default_rng(8)
    truth = rng.integers(1, 6, size=(n, 1))
    stars = np.clip(truth + rng.integers(-1, 2, size=(n, 3)), 1, 5)
    return [[None if rng.random() < 0.2 else int(s) for s in row] for row in stars]


def star_labels() -> list[Label]:
    return [
        label(number, who, stars)
        for number, row in enumerate(votes())
        for who, stars in zip(PEOPLE, row, strict=True)
        if stars is not None
    ]


def test_ratings_are_compared_by_rank_as_the_packages_do() -> None:
    [found] = agreements(star_labels(), [STARS], [record(n) for n in range(60)])
    table = np.array([[np.nan if s is None else float(s) for s in row] for row in votes()])
    assert found.measure == "Krippendorff's alpha, ordinal"
    assert found.overall.value == pytest.approx(
        krippendorff.alpha(reliability_data=table.T, level_of_measurement="ordinal")
    )
    pair = next(part for part in found.pairs if part.name == "first × second")
    both = ~np.isnan(table[:, :2]).any(axis=1)
    expected = cohen_kappa_score(table[both, 0], table[both, 1], weights="linear", labels=[1, 2, 3, 4, 5])
    assert pair.estimate.value == pytest.approx(expected)
    assert (found.n_labels, found.n_annotators) == (len(star_labels()), 3)


def test_answers_under_two_guidelines_are_never_pooled() -> None:
    later = [one.model_copy(update={"guideline": "v2"}) for one in star_labels()[:90]]
    found = agreements([*star_labels(), *later], [STARS], [record(n) for n in range(60)])
    assert [(one.guideline, one.n_labels) for one in found] == [("v1", len(star_labels())), ("v2", 90)]


def test_slices_that_agree_least_come_first_and_small_ones_are_left_out() -> None:
    rows, labels = [], []
    for number in range(45):
        hard = number % 3 == 0
        rows.append(record(number, topic="hard" if hard else "easy", rare="yes" if number < 4 else "no", all="same"))
        truth = "good" if number % 2 else "bad"
        labels.append(label(number, "first", truth))
        labels.append(label(number, "second", "good" if hard and number % 5 < 3 else truth))
    [found] = agreements(labels, [VERDICT], rows)
    assert found.slices[0].name == "topic=hard"
    assert {part.name for part in found.slices} == {"topic=hard", "topic=easy", "rare=no"}


def test_each_annotator_is_held_against_the_adjudicated_answers() -> None:
    labels = [label(n, who, "good" if (n % 4 or who == "first") else "bad") for n in range(40) for who in PEOPLE[:2]]
    right = [
        Resolved(
            record_id=f"r{n}", question="asked", value="good", by="adjudicated", annotators=PEOPLE[:2], guideline="v1"
        )
        for n in range(40)
    ]
    [found] = agreements(labels, [VERDICT], [record(n) for n in range(40)], adjudicated=right)
    assert found.against == "the adjudicated answers"
    assert {part.name: part.estimate.value for part in found.annotators} == {"first": 1.0, "second": 0.75}
    assert found.annotators[0].name == "second"


def test_what_a_majority_decided_is_not_taken_for_right() -> None:
    labels = [label(n, who, "good" if n % 2 else "bad") for n in range(40) for who in PEOPLE[:2]]
    most = [
        Resolved(
            record_id=f"r{n}", question="asked", value="good", by="majority", annotators=PEOPLE[:2], guideline="v1"
        )
        for n in range(40)
    ]
    [found] = agreements(labels, [VERDICT], [record(n) for n in range(40)], adjudicated=most)
    assert (found.against, found.annotators) == ("", ())


def test_of_several_choices_every_option_is_compared() -> None:
    asked = question("multi_label", options=[{"value": "invented"}, {"value": "incomplete"}])
    labels = [
        label(n, who, ("invented",) if n % 2 else (("incomplete",) if who == "first" else ("invented", "incomplete")))
        for n in range(20)
        for who in PEOPLE[:2]
    ]
    by_name = {one.question: one for one in agreements(labels, [asked], [record(n) for n in range(20)])}
    assert by_name["asked: incomplete"].overall.value == 1
    assert by_name["asked: invented"].equal is not None and by_name["asked: invented"].equal.value == 0.5


def test_a_ranking_is_a_comparison_of_every_two_things() -> None:
    asked = question("ranking", options_from="candidates")
    ranking = tuple(Ranked(value=str(n), rank=n) for n in (1, 2, 3))
    turned = tuple(Ranked(value=str(n), rank=4 - n) for n in (1, 2, 3))
    labels = [label(n, who, ranking if n % 2 else turned) for n in range(20) for who in PEOPLE[:2]]
    found = agreements(labels, [asked], [record(n) for n in range(20)])
    assert [one.question for one in found] == ["asked: 1 or 2", "asked: 1 or 3", "asked: 2 or 3"]
    assert all(one.overall.value == 1 for one in found)


def test_spans_are_compared_by_overlap_of_the_same_kind() -> None:
    asked = question("span", field="output", options=[{"value": "invented"}, {"value": "contradicted"}])
    marks = {"first": (0, 10, "invented"), "second": (0, 8, "invented"), "third": (0, 10, "contradicted")}
    labels = [
        label(n, who, (Span(start=start, end=end, label=kind),))
        for n in range(12)
        for who, (start, end, kind) in marks.items()
    ]
    [found] = agreements(labels, [asked], [record(n) for n in range(12)])
    both = 2 * 0.8 / 1.8
    assert {part.name: part.estimate.value for part in found.pairs} == pytest.approx(
        {"first × second": both, "first × third": 0, "second × third": 0}
    )
    assert found.overall.value == pytest.approx(both / 3)
    assert found.against == "what most annotators marked"


def test_free_words_have_no_agreement() -> None:
    assert agreements([label(1, "first", "words")], [question("text")], [record(1)]) == ()


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (0.2, 0.1, 0.3, "repair the guideline"),
        (0.5, 0.45, 0.6, "trends only"),
        (0.8, 0.75, 0.9, "may anchor a gate"),
        (0.72, 0.6, 0.8, "may anchor a gate; not sure yet, the interval reaches “trends only”"),
    ],
)
def test_the_meaning_says_what_the_labels_may_be_used_for(value: float, low: float, high: float, words: str) -> None:
    interval = Interval(low=low, high=high, level=0.95, method="made up")
    assert meaning(Estimate(value=value, n=50, interval=interval)) == words


def test_what_is_undefined_says_why() -> None:
    [found] = agreements([label(1, "first", "good")], [VERDICT], [record(1)])
    assert found.meaning == "unknown: no record has two ratings"
