"""Simulated annotators answer from what the page shows, err as often as stated, and never pass for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.config.labelling_yaml import load_template
from workbench.config.workbench_yaml import load_workbench
from workbench.errors import LabellingError
from workbench.labelling.tasks import Task, blinded_order, rendered
from workbench.labelling.templates import Form
from workbench.labelling.wire import answer_value, fits, shown_json, unblinded
from workbench.records import Label, Message, Passage
from workbench.simulated.annotators import SimulatedAnnotator, right

ASKED = "[1] The price is <b>12 euros</b>.\n\nQuestion: What is the price?"
TRUTH = {ASKED: ("12 euros",)}
SURE, ALWAYS_WRONG = SimulatedAnnotator("simulated-sure", 0.0), SimulatedAnnotator("simulated-wrong", 1.0)


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Form]:
    folder = tmp_path_factory.mktemp("forms")
    (folder / "workbench.yaml").write_text("models:\n  m: {kind: scripted}\ncandidate: m\n")
    bench = load_workbench(folder / "workbench.yaml")
    wanted = {"pair": ("preference", 2), "ranking": ("preference", 3), "four": ("preference", 4),
              "edit": ("response_edit", 1), "review": ("rag_review", 1), "thumbs": ("thumbs", 1)}  # fmt: skip
    return {name: load_template(bench, template).form(n) for name, (template, n) in wanted.items()}


def said(who: SimulatedAnnotator, form: Form, *outputs: str, id: str = "r1", asked: str = ASKED) -> Mapping[str, Any]:
    """Return what an annotator answers, as a pull reads it: outputs by number."""
    passage = Passage(id="p", text="The price is <b>12 euros</b>.\nThe notice is 30 days.")
    task = Task(id=id, group="g", messages=(Message(role="user", content=asked),), outputs=outputs, contexts=(passage,))
    order = blinded_order("seed", id, len(outputs))
    fields = shown_json(rendered(task, form, order), form.marked_fields())
    values = who.answer(id, form, fields, TRUTH)
    found: dict[str, Any] = {}
    for name, raw in values.items():
        question = form.question(name)
        assert question is not None
        value = unblinded(answer_value(raw, question, ""), question, order)
        told = {"record_id": id, "annotator": who.name, "guideline": "g", "at": "2026-03-01T00:00:00Z"}
        assert fits(Label.model_validate({**told, "question": name, "value": value}), form) == ""
        found[name] = value
    assert {q.name for q in form.questions if q.required} <= found.keys()
    return found


def test_of_two_answers_the_accepted_one_is_better_whatever_their_order(forms: dict[str, Form]) -> None:
    for id in map(str, range(8)):
        assert said(SURE, forms["pair"], "12 euros", "30 days", id=id) == {"preferred": "1", "strength": "clearly"}
        assert said(SURE, forms["pair"], "30 days", "12 euros", id=id)["preferred"] == "2"
        assert said(ALWAYS_WRONG, forms["pair"], "12 euros", "30 days", id=id)["preferred"] in ("2", "tie")
    assert said(SURE, forms["pair"], "30 days", "never") == {"preferred": "tie"}


@given(id=st.text(min_size=1, max_size=8))
def test_a_ranking_is_right_or_two_places_are_changed(forms: dict[str, Form], id: str) -> None:
    answers = ("30 days", "12 euros", "12 dollars", "never")
    ranks = {r.value: r.rank for r in said(SURE, forms["four"], *answers, id=id)["ranking"]}
    wrong = {r.value: r.rank for r in said(ALWAYS_WRONG, forms["four"], *answers, id=id)["ranking"]}
    assert ranks == {"2": 1, "3": 2, "1": 3, "4": 3}
    assert sum(ranks[name] != wrong[name] for name in ranks) == 2


def test_answers_that_are_all_as_good_tie_and_an_error_sets_one_behind(forms: dict[str, Form]) -> None:
    assert {r.rank for r in said(SURE, forms["ranking"], "a", "b", "c")["ranking"]} == {1}
    assert sorted(r.rank for r in said(ALWAYS_WRONG, forms["ranking"], "a", "b", "c")["ranking"]) == [1, 1, 2]


def test_a_wrong_answer_is_edited_into_the_accepted_one_and_an_error_keeps_it(forms: dict[str, Form]) -> None:
    edit = said(SURE, forms["edit"], "30 days")
    assert edit == {"verdict": "edited", "edited": "12 euros", "changed": ("facts",)}
    assert said(SURE, forms["edit"], "12 euros") == {"verdict": "keep"}
    assert said(SURE, forms["edit"], "12 euros [2]")["changed"] == ("form",)
    assert said(ALWAYS_WRONG, forms["edit"], "30 days") == {"verdict": "keep"}
    spoilt = said(ALWAYS_WRONG, forms["edit"], "12 euros")
    assert spoilt["verdict"] == "edited" and not right(spoilt["edited"], TRUTH[ASKED])


def test_a_review_tells_what_failed_and_what_it_should_have_been(forms: dict[str, Form]) -> None:
    assert said(SURE, forms["review"], "12 euros") == {"verdict": "pass"}
    review = said(SURE, forms["review"], "Not in the documents.")
    assert review == {"verdict": "fail", "failure_modes": ("wrongly_abstained",), "corrected": "12 euros"}
    assert said(SURE, forms["review"], '{"answer": "12 euros"}')["failure_modes"] == ("wrong_format",)
    assert said(ALWAYS_WRONG, forms["review"], "30 days") == {"verdict": "pass"}
    assert said(ALWAYS_WRONG, forms["review"], "12 euros")["verdict"] == "fail"


def test_errors_come_as_often_as_is_stated_and_the_same_each_time() -> None:
    person = SimulatedAnnotator("simulated-1", 0.15)
    errs = [person.errs(f"r{n}") for n in range(4000)]
    assert errs == [person.errs(f"r{n}") for n in range(4000)]
    assert abs(sum(errs) / 4000 - 0.15) < 0.02, "three standard errors are 0.017"
    other = SimulatedAnnotator("simulated-2", 0.15)
    both = sum(a and other.errs(f"r{n}") for n, a in enumerate(errs))
    assert both / 4000 < 0.04, "two err on their own, both on one record in 44"


def test_a_simulated_annotator_cannot_bear_a_persons_name() -> None:
    with pytest.raises(ValueError, match="is called simulated"):
        SimulatedAnnotator("ada", 0.1)


def test_what_it_cannot_know_is_refused_not_guessed(forms: dict[str, Form]) -> None:
    with pytest.raises(LabellingError, match="no accepted answer to the record 'r1'"):
        said(SURE, forms["pair"], "a", "b", asked="What is the weather?")
    with pytest.raises(LabellingError, match="not thumbs/1"):
        said(SURE, forms["thumbs"], "a")


def test_the_fields_are_read_as_the_page_has_them(forms: dict[str, Form]) -> None:
    assert "<b>" in ASKED, "markup in a prompt is escaped on the page, and still known"
    assert said(SURE, forms["edit"], "<b>12 euros</b>")["verdict"] == "edited"
