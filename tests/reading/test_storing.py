"""Rows that a stage made become a version of a dataset: content-addressed, durable, all or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from workbench.datasets import Conversation, PreferencePair, Row, Side
from workbench.errors import DataError
from workbench.reading.stored import open_dataset
from workbench.reading.storing import Origin, store_rows
from workbench.records import ToolCall, Turn

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def conversation(name: str, text: str = "Where is the key?") -> Conversation:
    call = ToolCall(id="c1", name="find", arguments='{"what": "key"}')
    turns = (
        Turn(role="user", content=text),
        Turn(role="assistant", content="", tool_calls=(call,)),
        Turn(role="tool", content="hall", tool_call_id="c1", name="find"),
        Turn(role="assistant", content="In the hall."),
    )
    return Conversation(id=name, messages=turns, tools="[]")


def pair(name: str) -> PreferencePair:
    good, bad = (Side(messages=(Turn(role="assistant", content=text),)) for text in ("Yes.", "No."))
    return PreferencePair(id=name, prompt=(Turn(role="user", content="Is it?"),), chosen=good, rejected=bad)


def origin(kind: str = "conversations", name: str = "chats") -> Origin:
    return Origin(name=name, kind=kind, use="train", rule={"made": "by hand"}, parents=("f" * 32,))  # type: ignore[arg-type]


def test_rows_of_each_kind_come_back_as_they_were(tmp_path: Path) -> None:
    rows: list[tuple[str, list[Row]]] = [
        ("conversations", [conversation("a"), conversation("b", "Who has it?")]),
        ("pairs", [pair("p")]),
    ]
    for kind, given in rows:
        stored = store_rows(given, origin(kind, kind), tmp_path, NOW)
        assert list(open_dataset(stored.path).iter_values()) == given
        assert stored.manifest.parents == ("f" * 32,)


def test_the_same_rows_in_another_order_are_the_same_version_and_every_making_is_remembered(tmp_path: Path) -> None:
    first = store_rows([conversation("a"), conversation("b")], origin(), tmp_path, NOW)
    second = store_rows([conversation("b"), conversation("a")], origin(), tmp_path, NOW)
    assert first.path == second.path
    lines = (first.path.parent / "versions.jsonl").read_bytes().splitlines()
    assert [orjson.loads(line)["manifest"]["fingerprint"] for line in lines] == [first.path.name] * 2


def test_an_id_that_stands_twice_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"an id stands twice among the rows.*'a'"):
        store_rows([conversation("a"), conversation("a", "Another?")], origin(), tmp_path, NOW)
    assert not list((tmp_path / "datasets").iterdir())


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "n" * 81])
def test_a_name_that_is_no_folders_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="a dataset cannot have this name"):
        store_rows([], origin(name=name), tmp_path, NOW)


def test_a_conversations_family_is_its_first_question_whatever_was_said_before_and_after() -> None:
    greeting = Turn(role="assistant", content="Hello!")
    plain = conversation("a")
    greeted = Conversation(id="b", messages=(greeting, *plain.messages))
    assert plain.family() == greeted.family() != conversation("c", "Who has it?").family()
