"""What replies mean, without a network."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.calling.chat import Answer, Reply, Trouble, counted_tokens, parse, read, same_model
from workbench.errors import IncompleteRun, ModelError
from workbench.models import EndpointSpec

SPEC = EndpointSpec(kind="endpoint", base_url="http://127.0.0.1:1/v1", model="gpt-x")


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gpt-x", "gpt-x"),
        ("gpt-x", "gpt-x-2025-08-07"),
        ("gpt-x", "gpt-x-0613"),
        ("llama3", "llama3:latest"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
    ],
)
def test_an_alias_may_be_answered_by_its_dated_version(asked: str, served: str) -> None:
    assert same_model(asked, served)


@pytest.mark.parametrize(
    ("asked", "served"),
    [("gpt-4", "gpt-4o"), ("gpt-x", "gpt-x-mini"), ("gpt-x-2025-08-07", "gpt-x"), ("llama3", "llama3:70b"), ("a", "b")],
)
def test_another_model_is_another_model(asked: str, served: str) -> None:
    assert not same_model(asked, served)


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b'{"a": NaN}', b'{"a": 1', b"\xff", b'{"a": "\\ud83d" NaN}'])
def test_what_is_no_json_object_is_none(body: bytes) -> None:
    assert parse(body) is None


@pytest.mark.parametrize(
    "usage",
    [
        *[None, 3, {}, {"prompt_tokens": -1, "completion_tokens": True}, {"prompt_tokens": "5"}],
        *[{"prompt_tokens": n, "completion_tokens": n} for n in (2**53, 2**63, 2**64 - 1, 1e30, 5.0)],
    ],
)
def test_token_counts_that_cannot_be_are_unknown(usage: object) -> None:
    assert counted_tokens({"usage": usage}) == (None, None)


def test_an_error_nested_as_deeply_as_the_parser_allows_is_a_message() -> None:
    nested: list[object] = []
    for _ in range(1020):
        nested = [nested]
    outcome = read(Reply(500), {"error": {"message": nested}}, SPEC)
    assert isinstance(outcome, Trouble) and outcome.kind == "server_error"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "error", "model", "refusal", "finish_reason", "usage", "code"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.integers(100, 599), json_values)
def test_every_json_reply_is_an_answer_a_trouble_or_stops_the_run(status: int, value: object) -> None:
    payload = value if isinstance(value, dict) else None
    counted_tokens(payload)
    try:
        outcome = read(Reply(status, {}, b"{}"), payload, SPEC)
    except (ModelError, IncompleteRun):
        return
    assert isinstance(outcome, Answer | Trouble)
    assert not isinstance(outcome, Answer) or outcome.text
