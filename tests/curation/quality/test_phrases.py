"""Refusals, boilerplate, and openings that repeat."""

from __future__ import annotations

import pytest

from workbench.curation.quality.phrases import boilerplate, edges, refusal

REFUSED = [
    ("I'm sorry, but I can't assist with that request.", "en"),
    ("I’m sorry, but I cannot provide that.", "en"),
    ("As an AI language model, I don't have access to real-time data.", "en"),
    ("I understand. However, I cannot provide instructions for this.", "en"),
    ("Es tut mir leid, aber ich kann dabei nicht helfen.", "de"),
    ("Je suis désolé, mais je ne peux pas répondre.", "fr"),
    ("Lo siento, pero no puedo ayudarte con eso.", "es"),
    ("К сожалению, я не могу помочь с этим.", "ru"),
    ("很抱歉，我无法满足您的要求。", "zh"),
    ("申し訳ありませんが、その質問にはお答えできません。", "ja"),
    ("죄송하지만 그 요청은 도와드릴 수 없습니다.", "ko"),
]
ANSWERED = [
    "I cannot help but smile when I think of it.",
    "I'm sorry, but I'm unable to come to work today.",
    '"I cannot help you," said the wizard, and the door fell shut.',
    "As an AI assistant, I would start with a list.",
    "The knight fought. The queen wept. The king fell. I cannot provide more of the tale.",
    "I'm sorry to hear that you feel lonely. Try to call a friend.",
    "You should say sorry, but I can imagine why you did not.",
    "",
]


@pytest.mark.parametrize(("answer", "language"), REFUSED)
def test_an_answer_that_begins_with_a_refusal_is_one_in_many_languages(answer: str, language: str) -> None:
    hit = refusal(answer)
    assert hit is not None
    assert hit.language == language


@pytest.mark.parametrize("answer", ANSWERED)
def test_an_answer_that_only_sounds_like_a_refusal_is_none(answer: str) -> None:
    assert refusal(answer) is None


def test_a_phrase_is_not_cut_out_of_longer_words() -> None:
    assert boilerplate("I hope this helps!") is not None
    assert boilerplate("I hope this helpsXL sells well") is None


def test_boilerplate_is_found_at_the_end_of_a_long_answer() -> None:
    hit = boilerplate("word " * 200_000 + "\nFeel  free\nto ask. FEEL FREE TO ASK!")
    assert hit is not None
    assert hit.phrase == "feel free to ask"


def test_openings_and_closings_that_repeat_are_counted_and_rare_ones_are_not() -> None:
    answers = [f"Great, let us look at number {k} with care, and that was all I know" for k in range(20)]
    opened, closed = edges([*answers, "Something else entirely stands in this one, which nobody repeats anywhere", ""])
    assert [(one.text, one.n) for one in opened] == [("great let us look at", 20)]
    assert [(one.text, one.n) for one in closed] == [("that was all i know", 20)]


def test_no_answers_have_no_openings() -> None:
    assert edges([]) == ([], [])
