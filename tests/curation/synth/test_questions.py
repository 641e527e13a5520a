"""What is asked of a writer of questions, and which of its replies are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.curation.synth.asks import Dropped, drawn, holds, lines_of, waterfall
from workbench.curation.synth.questions import (
    Asked,
    Draft,
    Source,
    answerable,
    known_without,
    planned,
    read,
    sample_of,
    without_twins,
)
from workbench.curation.synth.recipes import QuestionKind, Questions

TEAM = Source("plans#1", "plans", "The Team plan costs 12 euros. It has ten seats.")
STARTER = Source("plans#2", "plans", "The Starter plan is free. It has two seats.")
AUDIT = Source("audit#1", "audit", "Only security officers read the audit log.")
WHAT = Questions(kind="questions", index="i", model="m", kinds={"simple": 2, "multi_hop": 1, "unanswerable": 1})


def one(kind: QuestionKind) -> Asked:
    what = Questions(kind="questions", index="i", model="m", kinds={kind: 1})
    return planned([TEAM, STARTER], what, 0)[0]


def reason(kind: QuestionKind, reply: str) -> str:
    found = read(one(kind), reply)
    return found.reason if isinstance(found, Dropped) else "kept"


def test_two_passages_are_of_one_document_and_every_request_has_its_own_name() -> None:
    found = planned([TEAM, STARTER, AUDIT], WHAT, 0)
    twos = [one for one in found if one.kind == "multi_hop"]
    assert [[p.id for p in one.passages] for one in twos] == [["plans#1", "plans#2"]]
    assert len({one.id for one in found}) == len(found) == 3 * 2 + 1 + 3


def test_a_question_is_kept_when_its_answer_stands_in_the_passage_whatever_its_case() -> None:
    assert reason("simple", "Question: What does the Team plan cost?\nAnswer: 12 Euros.") == "kept"
    assert reason("simple", "**Question:** What does the Team plan cost?\n**Answer:** 12 euros") == "kept"


def test_what_is_wrong_with_a_question_is_named() -> None:
    assert reason("simple", "What does the Team plan cost? 12 euros") == "unreadable"
    assert reason("simple", "Question: What?\nQuestion: Which?\nAnswer: 12 euros") == "unreadable"
    assert reason("simple", "Question: What does the Team plan cost?\nAnswer: 2 euros") == "answer_missing"
    assert reason("simple", "Question: What does the plan of this text cost?\nAnswer: 12 euros") == "not_by_itself"
    assert reason("simple", "Question: Are 12 euros the price?\nAnswer: 12 euros") == "answer_in_question"
    assert reason("unanswerable", "Question: Who invented it?\nAnswer: nobody") == "unreadable"


def test_two_hops_need_a_quote_of_each_passage_and_no_passage_that_holds_both() -> None:
    told = "Question: How many more seats has Team than Starter?\nAnswer: {}\nQuote 1: {}\nQuote 2: {}"
    assert reason("multi_hop", told.format("ten seats", "It has ten seats", "It has two seats")) == "kept"
    assert reason("multi_hop", told.format("ten seats", "It has ten seats", "It has six seats")) == "quote_missing"
    assert reason("multi_hop", told.format("eight", "It has ten seats", "It has two seats")) == "answer_missing"
    assert reason("multi_hop", told.format("ten seats", "It has", "It has")) == "one_is_enough"


def test_a_question_that_another_model_knows_or_finds_is_dropped() -> None:
    draft = Draft(one("simple"), "What does the Team plan cost?", "12 euros", ())
    assert known_without(draft, "I think 12 euros.") is not None
    assert known_without(draft, "No idea; 2 euros?") is None
    open_one = Draft(one("unanswerable"), "Who sells it?", "", ())
    assert answerable(open_one, "The Team plan") is not None
    assert answerable(open_one, "NONE") is None


def test_of_near_duplicates_the_first_is_kept() -> None:
    texts = ["What does the Team plan cost?", "What does the TEAM plan cost", "Who may read the audit log?"]
    kept, dropped = without_twins([Draft(one("simple"), text, "12 euros", ()) for text in texts])
    assert [draft.question for draft in kept] == [texts[0], texts[2]]
    assert [step.reason for step in waterfall(dropped)] == ["near_duplicate"]


def test_a_sample_says_that_it_is_synthetic_and_what_made_it() -> None:
    sample = sample_of(Draft(one("simple"), "What does the Team plan cost?", "12 euros", ()), WHAT, "r@f")
    assert sample.tags["synthetic"] == "true" and sample.tags["recipe"] == "r@f"
    assert (sample.group, sample.gold_contexts, sample.references) == ("document:plans", ("plans#1",), ("12 euros",))
    lacking = sample_of(Draft(one("unanswerable"), "Who sells it?", "", ()), WHAT, "r@f")
    assert (lacking.gold_contexts, lacking.references) == ((), ("Not in the documents.",))


@given(st.lists(st.text(max_size=5), unique=True), st.integers(0, 8), st.integers(0, 99))
def test_what_is_drawn_does_not_depend_on_the_order_and_grows_without_changing(
    ids: list[str], n: int, seed: int
) -> None:
    things = [(id, id) for id in ids]
    some = drawn(things, n, seed)
    assert len(some) == min(n, len(ids))
    assert set(drawn(things[::-1], n, seed)) == set(some) <= set(drawn(things, n + 1, seed))


@given(st.text(), st.text())
def test_reading_any_reply_and_looking_for_any_part_never_fails(text: str, part: str) -> None:
    found = lines_of(text, ("Question", "Answer"))
    assert found is None or all(found.values())
    assert holds(text, part) in (True, False)
