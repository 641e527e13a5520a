"""What is surely right is what pydantic accepts unchanged; formats are guessed, read and told wrong."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.curation.formats import reading
from workbench.curation.formats.format import Dropped, Unfit
from workbench.curation.formats.reading import NOUNS, SURELY, Recipe, understood
from workbench.curation.formats.table import BY_NAME, guessed
from workbench.datasets import Conversation, PreferencePair
from workbench.errors import DataError

ODD = st.sampled_from([None, 0, 1, True, False, "", " ", "user", "assistant", "system", "judge", "x", [], {}, 1.5])
TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool", "judge", None]),
     "content": st.text(max_size=4) | ODD,
     "tool_calls": st.sampled_from([[], [], [], None, [{}]]), "tool_call_id": st.sampled_from(["", "", "c"]) | ODD,
     "name": st.sampled_from(["", "", "n"]) | ODD, "learnt": st.booleans() | ODD},
)  # fmt: skip
TURNS = st.lists(TURN, max_size=4) | ODD
LINEAGE = st.fixed_dictionaries(
    {"sources": st.just([]) | ODD, "annotators": st.just([]), "recipe": st.just("") | ODD,
     "synthetic": st.booleans() | ODD}
)  # fmt: skip
COMMON = {"id": st.sampled_from(["a", "a", "a", ""]) | ODD, "group": st.just("") | ODD, "tools": st.just("") | ODD,
          "tags": st.just({}) | st.dictionaries(st.text(max_size=2), ODD, max_size=2), "lineage": LINEAGE}  # fmt: skip
CONVERSATION = st.fixed_dictionaries({**COMMON, "messages": TURNS, "good": st.none() | ODD})
SIDE = st.fixed_dictionaries({"messages": TURNS, "model": st.just("") | ODD}) | ODD
PAIR = st.fixed_dictionaries(
    {**COMMON, "prompt": TURNS, "chosen": SIDE, "rejected": SIDE, "rule": st.just("imported") | ODD,
     "margin": st.none() | ODD, "on_policy": st.none() | ODD, "votes": st.none() | ODD, "seen_first": st.none() | ODD},
)  # fmt: skip


def check(kind: Any, fields: dict[str, Any]) -> None:
    if SURELY[kind](fields):
        made = NOUNS[kind].model_validate(fields)
        assert made.model_dump(mode="json") == fields


@settings(max_examples=600)
@given(CONVERSATION)
def test_a_conversation_that_is_surely_right_is_what_pydantic_makes_of_it(fields: dict[str, Any]) -> None:
    check("conversations", fields)


@settings(max_examples=600)
@given(PAIR)
def test_a_pair_that_is_surely_right_is_what_pydantic_makes_of_it(fields: dict[str, Any]) -> None:
    check("pairs", fields)


def one(row: dict[str, Any], name: str) -> Any:
    found = understood(row, Recipe(BY_NAME[name]), Counter())[0]
    noun = NOUNS[BY_NAME[name].kind].model_validate(found.fields)
    assert noun.family() == found.family if isinstance(noun, Conversation | PreferencePair) else True
    return noun


PLAIN = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]}


def test_usual_rows_take_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "NOUNS", {})  # what goes to pydantic fails
    assert understood(PLAIN, Recipe(BY_NAME["messages"]), Counter())
    pair = {"prompt": "Hi", "chosen": "Yes", "rejected": "No"}
    assert understood(pair, Recipe(BY_NAME["preference"]), Counter())


GUESSES: dict[str, dict[str, Any]] = {
    "messages": PLAIN,
    "sharegpt": {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes"}]},
    "alpaca": {"instruction": "Hi", "input": "", "output": "Yes"},
    "prompt-completion": {"prompt": "Hi", "completion": "Yes"},
    "kto": {"prompt": "Hi", "completion": "Yes", "label": True},
    "preference": {"prompt": "Hi", "chosen": "Yes", "rejected": "No"},
    "sharegpt-pairs": {
        "conversations": [{"from": "human", "value": "Hi"}],
        "chosen": {"from": "gpt", "value": "Yes"},
        "rejected": {"from": "gpt", "value": "No"},
    },
    "openai-preference": {
        "input": {"messages": [{"role": "user", "content": "Hi"}]},
        "preferred_output": [{"role": "assistant", "content": "Yes"}],
        "non_preferred_output": [{"role": "assistant", "content": "No"}],
    },
    "comparison": {"instruction": "Hi", "response_1": "Yes", "response_2": "No", "winner": "model_b"},
    "questions": {"question": "Where?", "answers": ["Here"]},
    "rag": {"question": "Where?", "contexts": ["It is here."], "answer": "Here"},
    "feedback": {"prompt": "Hi", "response": "Yes", "feedback": "up", "timestamp": "2026-01-31T12:00:00Z"},
    "spans": {"traceId": "t", "spanId": "s", "attributes": [
        {"key": f"gen_ai.{way}.messages", "value": {"stringValue": json.dumps([{"role": role, "parts": [part]}])}}
        for way, role, part in (("input", "user", {"type": "text", "content": "Hi"}),
                                ("output", "assistant", {"type": "text", "content": "Yes"}))
    ]},
    "argilla": {
        "id": "a", "fields": {"prompt": "Hi", "response": "Yes"},
        "responses": {"thumb": [{"value": "up", "user_id": "u"}]},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", GUESSES)
def test_a_format_is_guessed_and_read(name: str) -> None:
    row = GUESSES[name]
    assert guessed([row], "f").name == name
    noun = one(row, name)
    turns = noun.prompt if isinstance(noun, PreferencePair) else noun.messages
    assert turns[0].content in ("Hi", "Where?")


def test_rows_that_look_like_two_formats_are_refused_and_both_are_named() -> None:
    with pytest.raises(DataError, match=r"messages .*sharegpt|sharegpt .*messages|alpaca") as told:
        guessed([{**GUESSES["alpaca"], **GUESSES["kto"]}], "f")
    assert "FORMAT_AMBIGUOUS" in str(told.value)
    assert "kto" in str(told.value)


def test_documents_are_no_rows() -> None:
    with pytest.raises(DataError, match="--corpus"):
        guessed([{"id": "a", "text": "Long."}], "f")


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "38-missing-side": ("preference", {"prompt": "Hi", "chosen": "Yes"}, "FIELD_MISSING"),
    "39-role-is-a-number": ("messages", {"messages": [{"role": 1, "content": "x"}]}, "FIELD_VALUE"),
    "40-empty-prompt": ("prompt-completion", {"prompt": " ", "completion": "x"}, "PROMPT_EMPTY"),
    "50-no-thumb": ("kto", {"prompt": "a", "completion": "b", "label": "maybe"}, "LABEL_VALUE"),
    "51-rating-outside": ("feedback", {**GUESSES["feedback"], "rating": 9}, "LABEL_SCALE"),
    "52-truth-as-rating": ("feedback", {**GUESSES["feedback"], "rating": True}, "FIELD_TYPE"),
    "53-arabic-digits": ("feedback", {**GUESSES["feedback"], "rating": "٤"}, "FIELD_TYPE"),
    "54-naive-time": ("feedback", {**GUESSES["feedback"], "timestamp": "2026-01-31T12:00:00"}, "TIME_NAIVE"),
    "62-prompt-mismatch": (
        "preference",
        {"prompt": "Hi", "chosen": [{"role": "user", "content": "Ho"}, {"role": "assistant", "content": "x"}],
         "rejected": "No"}, "PROMPT_MISMATCH",
    ),
    "62-no-common-prompt": ("preference", {"chosen": "Abc", "rejected": "Xyz"}, "PROMPT_MISMATCH"),
    "weight": ("messages", {"messages": [{"role": "assistant", "content": "x", "weight": 2}]}, "FIELD_VALUE"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_faulty_row_is_told_by_its_code(name: str) -> None:
    format, row, code = WRONG[name]
    with pytest.raises(Unfit) as told:
        understood(row, Recipe(BY_NAME[format]), Counter())
    assert told.value.code == code


def test_ties_and_equal_answers_are_left_out_and_told_by_their_code() -> None:
    for row, code in (({"winner": "tie"}, "TIE"), ({"winner": "a", "response_2": "Yes"}, "SAME_SIDES")):
        with pytest.raises(Dropped, match=code):
            understood({**GUESSES["comparison"], **row}, Recipe(BY_NAME["comparison"]), Counter())


def test_a_pair_of_equal_sides_is_left_out_and_a_thumb_stays_with_its_messages() -> None:
    with pytest.raises(Dropped, match="SAME_SIDES"):
        understood({"prompt": "Hi", "chosen": "Yes", "rejected": "Yes"}, Recipe(BY_NAME["preference"]), Counter())
    assert one({**PLAIN, "label": False}, "messages").good is False


def test_an_implicit_prompt_is_what_both_sides_begin_with() -> None:
    pair = one({"chosen": "The sky is blue.", "rejected": "The sky is green."}, "preference")
    assert (pair.prompt[0].content, pair.chosen.text(), pair.rejected.text()) == ("The sky is", " blue.", " green.")
