from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.scoring.hollow import why_hollow


@pytest.mark.parametrize(
    "answer",
    ["", " ", "\n\t\u00a0", ":", ".", ",", "...", "？！", "—", "👍", "Thought process:", "thought process", "Solution",
     "**Solution:**", "Let’s solve this problem step by step.", "解", "かいせつ", "Respuesta",
     "I cannot help with that",
     "I can't help with that.", "Sorry, but I cannot assist with that request.", "I’m sorry, I can’t assist with that!",
     "\u200b", "SOLUTION\n\n"],
)  # fmt: skip
def test_an_answer_that_says_nothing_is_hollow(answer: str) -> None:
    assert why_hollow(answer, ("Paris", ""))


@pytest.mark.parametrize(
    ("answer", "references"),
    [
        ("Paris", ()),
        ("Solution: 18", ()),
        ("The solution", ()),
        ("5", ()),
        ("Not in the documents.", ("Not in the documents.",)),
        ("I cannot help with that", ("I cannot help with that.",)),
        ("?", ("?",)),
        ("I cannot help with that, but support@example.com can.", ()),
        ("不", ()),
    ],
)
def test_an_answer_that_may_say_something_goes_to_the_judge(answer: str, references: tuple[str, ...]) -> None:
    assert why_hollow(answer, references) == ""


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=3).map(tuple))
def test_an_answer_that_equals_a_reference_is_hollow_only_when_empty(answer: str, references: tuple[str, ...]) -> None:
    assert bool(why_hollow(answer, (answer, *references))) == (not answer.strip())
