"""The fast path gives what the careful one gives: no duplicate key and no digit is lost on the way."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import Problem
from workbench.reading import source
from workbench.reading.json_rows import block_rows
from workbench.reading.rows import rows_of

KEYS = st.sampled_from(["a", "b", '":', "a:", '"', "é", "\\", "0" * 20])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), KEYS
)


class Pairs(list[tuple[str, Any]]):
    """An object that may hold a key twice."""


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.lists(st.tuples(KEYS, inner), max_size=3).map(Pairs)),
    max_leaves=8,
)
OBJECTS = st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=4).map(Pairs)
SPACES = st.sampled_from(["", "", "", " ", "\t", " \t "])


def spelled(value: Any, data: st.DataObject) -> str:
    """Write JSON with spaces and escapes at random places."""
    gap = data.draw(SPACES)
    if isinstance(value, Pairs):
        parts = [
            f"{json.dumps(k, ensure_ascii=data.draw(st.booleans()))}{gap}:{gap}{spelled(v, data)}" for k, v in value
        ]
        return "{" + f"{gap},{gap}".join(parts) + gap + "}"
    if isinstance(value, list):
        return "[" + f"{gap},".join(spelled(v, data) for v in value) + "]"
    text = json.dumps(value)
    return text.replace("a", "\\u0061") if isinstance(value, str) and data.draw(st.booleans()) else text


def expected(value: Any) -> tuple[Any, bool, bool]:
    """Return the plain value, whether a key stands twice in it, and whether an integer is too long."""
    if isinstance(value, Pairs):
        parts = [(k, *expected(v)) for k, v in value]
        twice = len({k for k, _ in value}) != len(value)
        return {p[0]: p[1] for p in parts}, twice or any(p[2] for p in parts), any(p[3] for p in parts)
    if isinstance(value, list):
        members = [expected(v) for v in value]
        return [m[0] for m in members], any(m[1] for m in members), any(m[2] for m in members)
    return value, False, isinstance(value, int) and len(str(abs(value))) > 19


@settings(max_examples=200, deadline=None)
@given(value=OBJECTS, data=st.data())
def test_a_row_is_read_as_it_is_written_or_its_fault_is_found(value: Pairs, data: st.DataObject) -> None:
    plain, twice, long = expected(value)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.jsonl"
        path.write_text(spelled(value, data) + "\n", encoding="utf-8")
        (row,) = rows_of(path)
    if isinstance(row.data, Problem):
        assert (row.data.code == "DUPLICATE_KEY" and twice) or (row.data.code == "BIG_INTEGER" and long)
    else:
        assert not twice and not long
        assert row.data == plain and json.dumps(row.data, sort_keys=True) == json.dumps(plain, sort_keys=True)


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=30), min_size=1, max_size=8), size=st.integers(1, 40)
)
def test_where_blocks_are_cut_does_not_matter(texts: list[str], size: int) -> None:
    lines = [json.dumps({"t": text}, ensure_ascii=False) for text in texts]
    before = source.BLOCK
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.jsonl"
        path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
        source.BLOCK = max(size, 3)
        try:
            found = list(rows_of(path))
        finally:
            source.BLOCK = before
    assert [(row.line, row.data) for row in found] == [(i, {"t": text}) for i, text in enumerate(texts, 1)]


FAULTS = {
    "DUPLICATE_KEY": b'{"t": "a", "t": "b"}',
    "BIG_INTEGER": b'{"t": 123456789012345678901}',
    "JSON_SYNTAX": b'{"t": }',
    "BLANK_LINE": b"  ",
}


@given(
    rows=st.lists(st.text(st.sampled_from('a"\\\n'), max_size=5), min_size=1, max_size=150),
    code=st.sampled_from(sorted(FAULTS)), at=st.integers(0, 150),
)  # fmt: skip
def test_one_faulty_line_among_many_is_found_and_hides_no_other(rows: list[str], code: str, at: int) -> None:
    lines = [json.dumps({"t": text}).encode() for text in rows]
    at = min(at, len(lines))
    lines.insert(at, FAULTS[code])
    found = list(block_rows(b"\n".join(lines) + b"\n", "f", 10))
    assert [row.line for row in found] == list(range(11, 11 + len(lines)))
    (fault,) = (row for row in found if isinstance(row.data, Problem))
    assert (fault.line, fault.data.code) == (11 + at, code)
    assert [row.data["t"] for row in found if not isinstance(row.data, Problem)] == rows
