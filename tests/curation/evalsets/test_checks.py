"""Each check of an audit finds what was planted, and nothing in a set that is as it should be."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.curation.test_firewall import sentences
from workbench.curation.evalsets.run_checks import Margin, Scored, correlation, power, saturation, separation
from workbench.curation.evalsets.sample_checks import answerability, corpus, redundancy, slices
from workbench.datasets import Sample
from workbench.records import Message, Passage


def asked(
    name: str, text: str, *, answer: str = "", gold: tuple[str, ...] = (), tags: Mapping[str, str] | None = None
) -> Sample:
    return Sample(
        id=name,
        group=name,
        messages=(Message(role="user", content=text),),
        references=(answer,) if answer else (),
        contexts=(Passage(id="d#1", text="The price of the plan is 24 euros a month."),),
        gold_contexts=gold,
        tags=dict(tags or {}),
    )


def test_repeated_questions_are_found_whatever_their_case_and_template() -> None:
    texts = sentences(20, 12, 1)
    samples = [asked(f"s{at}", f"Answer in one word. {text}") for at, text in enumerate(texts)]
    assert redundancy(samples).state == "good"
    again = asked("again", f"answer in ONE word: {texts[3]}")
    nearly = asked("nearly", f"Answer in one word. {texts[4]} please")
    found = redundancy([*samples, again, nearly])
    assert (found.n, {example.id for example in found.examples}) == (2, {"again", "nearly"})
    assert "'s3'" in found.examples[0].text


def test_thin_slices_are_found_those_of_the_policy_first() -> None:
    samples = [asked(f"s{at}", "q", tags={"topic": "rare" if at == 0 else "usual"}) for at in range(12)]
    found = slices(samples, ["topic=absent"])
    assert [(example.id, example.text[:9]) for example in found.examples] == [
        ("topic=absent", "0 samples"),
        ("topic=rare", "1 samples"),
    ]


def test_passages_that_no_question_asks_for_are_found() -> None:
    found = corpus([asked("s", "q", gold=("d#1",))], {"d#1": "one", "d#2": "two"})
    assert [example.id for example in found.examples] == ["d#2"]
    assert corpus([], {}).state == "unknown"


@pytest.mark.parametrize("answer", ["24 euros", '{"answer": "24 euros"}', "24 euros [2]", '["24", "euros"]'])
def test_an_answer_that_stands_in_its_gold_passage_is_found_there(answer: str) -> None:
    assert answerability([asked("s", "q", answer=answer, gold=("d#1",))], {}).state == "good"


def test_an_answer_that_its_gold_passage_does_not_hold_is_found() -> None:
    samples = [
        asked("wrong", "q", answer="30 euros", gold=("d#1",)),
        asked("absent", "q", answer="24", gold=("d#9",)),
        asked("none", "q", answer="not known", gold=("d#1",), tags={"answerable": "no"}),
    ]
    found = answerability(samples, {})
    assert (found.of, [example.id for example in found.examples]) == (2, ["wrong", "absent"])


def scored(model: str, values: str) -> Scored:
    """Return a model's scores of samples s0, s1, … from a word of 0 and 1."""
    return Scored(f"run-{model}", model, "right", {f"s{at}": float(value) for at, value in enumerate(values)})


def test_samples_that_all_pass_or_none_are_told_and_one_model_is_too_few() -> None:
    easy, hard = saturation([scored("a", "1100"), scored("b", "1010")])
    assert [example.id for example in easy.examples] == ["s0"] and [example.id for example in hard.examples] == ["s3"]
    assert [found.state for found in saturation([scored("a", "11")])] == ["unknown", "unknown"]


def test_a_sample_that_ranks_models_against_all_others_is_found() -> None:
    runs = [scored("weak", "00010"), scored("middle", "01100"), scored("strong", "11100")]
    found = separation(runs)
    assert [example.id for example in found.examples] == ["s3"]
    assert found.told.startswith("4 of 5 samples tell some of 3 models apart")
    assert separation(runs[:2]).state == "good"


def test_n_is_held_against_the_margins_of_the_policy() -> None:
    families = {f"s{at}": f"f{at}" for at in range(100)}
    assert power([Margin("right", 0.2, 0.05)], [], families).state == "good"
    found = power([Margin("right", 0.05, 0.05)], [], families)
    assert found.state == "look" and "some 495 samples would do" in found.examples[0].text
    assert power([], [], families).state == "unknown"


def test_two_runs_say_how_far_models_differ_instead_of_what_is_assumed() -> None:
    families = {f"s{at}": f"f{at}" for at in range(100)}
    alike = [scored("a", "10" * 50), scored("b", "10" * 49 + "11")]
    assert power([Margin("right", 0.05, 0.05)], alike, families).state == "good"


def test_correlation_is_pearsons_and_undefined_where_nothing_varies() -> None:
    assert correlation([0, 1, 2], [0, 2, 4]) == pytest.approx(1)
    assert correlation([0, 1, 2], [1, 1, 1]) is None
