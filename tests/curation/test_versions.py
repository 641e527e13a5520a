"""Two versions row by row: nothing is lost between them, and a change can be read in words."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.curation.test_firewall import conversation, sample
from workbench.curation.versions import diff, word_diff
from workbench.datasets import Kind, PreferencePair, Row, Side, Use
from workbench.reading.stored import StoredDataset
from workbench.reading.storing import Origin, store_rows
from workbench.records import Turn

texts = st.lists(st.sampled_from(["a", "b", "c", "\n", "  "]), max_size=20).map("".join)


def version(home: Path, *rows: Row, kind: Kind = "samples", use: Use = "dev") -> StoredDataset:
    return store_rows(rows, Origin("set", kind, use), home, datetime(2026, 1, 1, tzinfo=UTC))


def pair(name: str, chosen: str) -> PreferencePair:
    sides = [Side(messages=(Turn(role="assistant", content=text),)) for text in (chosen, "no")]
    return PreferencePair(id=name, prompt=(Turn(role="user", content="q"),), chosen=sides[0], rejected=sides[1])


def test_rows_are_added_removed_and_changed_by_id(tmp_path: Path) -> None:
    old = version(tmp_path, sample("a", "one two three"), sample("b", "gone"), sample("same", "x"))
    new = version(tmp_path, sample("a", "one 2 three"), sample("c", "new"), sample("same", "x"))
    found = diff([old], [new])
    assert (found.added, found.removed, found.n_same, found.n_before, found.n_after) == (("c",), ("b",), 1, 3, 3)
    [changed] = found.changed
    [field] = changed.fields
    assert (changed.id, field.field) == ("a", "messages[0].content")
    assert [(piece.kind, piece.text) for piece in field.words] == [
        ("same", "one "),
        ("out", "two"),
        ("in", "2"),
        ("same", " three"),
    ]


def test_a_row_that_changed_its_family_or_its_side_is_told(tmp_path: Path) -> None:
    old = version(tmp_path, sample("a", "x", "f1"), sample("b", "y", "g"))
    new = [version(tmp_path, sample("a", "x", "f2")), version(tmp_path, sample("b", "y", "g"), use="gate")]
    found = diff([old], new)
    told = [(move.id, move.what, move.before, move.after) for move in found.moved]
    assert told == [("a", "group", "f1", "f2"), ("b", "side", "dev", "gate")]


def test_pairs_and_conversations_differ_by_field_too(tmp_path: Path) -> None:
    [changed] = diff(
        [version(tmp_path, pair("p", "yes"), kind="pairs")], [version(tmp_path, pair("p", "yes!"), kind="pairs")]
    ).changed
    assert [field.field for field in changed.fields] == ["chosen.messages[0].content"]
    rows = [conversation("c", "q"), conversation("c", "q").model_copy(update={"good": True})]
    old, new = (version(tmp_path, row, kind="conversations") for row in rows)
    [changed] = diff([old], [new]).changed
    assert [(field.field, field.before, field.after) for field in changed.fields] == [("good", None, True)]


@given(texts, texts)
def test_what_stays_and_goes_makes_the_old_text_and_what_stays_and_comes_the_new_one(old: str, new: str) -> None:
    pieces = word_diff(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "in") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "out") == new


def test_a_very_long_text_is_told_as_a_whole() -> None:
    assert [piece.kind for piece in word_diff("a " * 5000, "b " * 5000)] == ["out", "in"]
