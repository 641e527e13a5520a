"""A batch counts what is hidden in its rows, and blocks read elsewhere give what blocks read here give."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.curation import intake
from workbench.curation.formats.reading import Recipe
from workbench.curation.formats.table import BY_NAME
from workbench.curation.row_batches import Batch, n_hidden
from workbench.reading.folders import open_given

HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
NEAR = "a«\u00ac\u00ad\u00ae\u200a\u200b\u200f\u2010\u2029\u202a\u202e\u202f\u2060\u2065\u2069\u206a\ufeff\ufefeí𝄞"


@given(st.lists(st.text(st.sampled_from(NEAR) | st.characters(codec="utf-8"), max_size=5), max_size=5))
def test_rows_with_hidden_characters_are_counted(texts: list[str]) -> None:
    assert n_hidden([text.encode() for text in texts]) == sum(HIDDEN.search(text) is not None for text in texts)


def lines(n: int) -> list[bytes]:
    """Return rows of chats, some of them faulty, some with further columns, some with hidden characters."""
    made = []
    for at in range(n):
        said = [{"role": "user", "content": f"Q {at}? ü"}, {"role": "assistant", "content": "\u200bYes" * (1 + at % 7)}]
        row = {"id": f"r{at}", "messages": said} | ({"score": at} if at % 3 else {"tools": []})
        made.append(orjson.dumps(row))
    made[11] = b'{"id": "a", "id": "b", "messages": []}'
    made[n // 2] = b"{oops"
    made[n - 9] = b""
    made[n - 5] = b'{"id": "e", "messages": 3}'
    return made


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_read_does_not_depend_on_who_reads_it(
    keep: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.reading import source

    path = tmp_path / "f.jsonl"
    path.write_bytes(b"\n".join(lines(300)))
    monkeypatch.setattr(source, "BLOCK", 4096)
    alone = list(intake.batches(open_given(path), Recipe(BY_NAME["messages"]), keep))
    monkeypatch.setattr(intake, "LARGE", 1)
    monkeypatch.setattr(intake, "_processors", lambda: 2)
    together = list(intake.batches(open_given(path), Recipe(BY_NAME["messages"]), keep))
    assert len(alone) > 5
    assert [_hashes(batch) for batch in alone] == [_hashes(batch) for batch in together]
    if keep:
        assert [batch.contents for batch in alone] == [batch.contents for batch in together]
    told = [(p.line, p.code) for batch in together for p in batch.problems]
    assert told == [(12, "DUPLICATE_KEY"), (151, "JSON_SYNTAX"), (296, "FIELD_TYPE")]
    assert sum(batch.notes["HIDDEN_CHARACTER"] for batch in together) == 296


def _hashes(batch: Batch) -> tuple[object, ...]:
    return (batch.digests, batch.ids, batch.families, batch.lines, batch.problems, batch.notes, batch.names, batch.size)
