"""distilabel's tasks ask through whoever is given, and what they cannot read is no rating."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from workbench.adapters.distilabel_pipeline import Rated, chat, rate
from workbench.models import Output, OutputFailure, Request
from workbench.records import Message


def answering(requests: Sequence[Request]) -> list[Output | OutputFailure]:
    """Fail for `none`, rate twice for `two`, else repeat the last message."""
    said = {"two": "Rating: 4\nRationale: good\n\nRating: 2\nRationale: bad", "far": "Rating: 9\nRationale: x"}
    return [
        OutputFailure(kind="timeout", message="late")
        if r.sample_id == "none"
        else Output(text=said.get(r.sample_id, r.messages[-1].content))
        for r in requests
    ]


def test_a_chat_is_asked_as_it_stands_and_a_failure_is_none() -> None:
    hook = sys.excepthook
    asked = [Request(messages=(Message(role="user", content="{{ 7 * 7 }}"),), sample_id=id) for id in ("a", "none")]
    assert chat(asked, answering, "m") == ["{{ 7 * 7 }}", None]
    assert sys.excepthook is hook, "a hook that shows variables would show keys"


def test_ratings_are_whole_or_none() -> None:
    rows = [Rated(id, "q", ("x", "y")) for id in ("two", "none", "other")]
    rows += [Rated("two", "q", ("x", "y", "z")), Rated("far", "q", ("x",))]
    assert rate(rows, "overall-rating", answering, "m") == [(4, 2), None, None, None, None]
