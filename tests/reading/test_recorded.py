"""Recorded answers are looked up by sample and repeat, and their file is held to the rules of every other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.models import RecordedSpec
from workbench.reading.recorded import RecordedAnswers


def opened(
    tmp_path: Path, rows: list[Any] | bytes, name: str = "log.jsonl", share: float = 0.0, **spec: str
) -> RecordedAnswers:
    path = tmp_path / name
    content = rows if isinstance(rows, bytes) else b"".join(json.dumps(r).encode() + b"\n" for r in rows)
    path.write_bytes(content)
    described = RecordedSpec(kind="recorded", path=name, **spec)
    return RecordedAnswers.open(path, described, tmp_path / "home", share)


def test_an_answer_is_found_with_what_was_recorded_beside_it(tmp_path: Path) -> None:
    row = {
        "id": "a", "output": "Yes.", "contexts": [{"id": "p", "text": "t"}], "repeat": 1, "model": "m-1",
        "latency": 0.5, "input_tokens": 3, "output_tokens": 2, "cost": 0.001, "other_column": [1, None],
    }  # fmt: skip
    answers = opened(tmp_path, [row, {"id": "a", "output": "No."}])
    found = answers.get("a", 1)
    assert found is not None
    assert (found.text, found.contexts[0].id, found.model, found.usage.latency) == ("Yes.", "p", "m-1", 0.5)
    assert (found.usage.input_tokens, found.usage.output_tokens, found.usage.cost, found.usage.attempts) == (
        3,
        2,
        0.001,
        0,
    )
    first = answers.get("a")
    assert first is not None and first.text == "No."
    assert answers.get("a", 2) is None and answers.get("b") is None
    answers.close()


def test_the_fields_of_id_and_answer_can_have_other_names(tmp_path: Path) -> None:
    answers = opened(tmp_path, [{"qid": "a", "reply": "Yes."}], id_field="qid", output_field="reply")
    found = answers.get("a")
    assert found is not None and found.text == "Yes."
    answers.close()


def test_csv_numbers_are_plain_numbers_and_an_empty_cell_is_an_empty_answer(tmp_path: Path) -> None:
    answers = opened(tmp_path, b"id,output,latency,output_tokens\na,,0.25,12\n", "log.csv")
    found = answers.get("a")
    assert found is not None
    assert (found.text, found.usage.latency, found.usage.output_tokens) == ("", 0.25, 12)
    answers.close()


def test_41_a_blank_answer_is_read_as_it_is(tmp_path: Path) -> None:
    answers = opened(tmp_path, [{"id": "a", "output": " \n"}])
    found = answers.get("a")
    assert found is not None and found.text == " \n"
    answers.close()


def test_the_order_of_rows_and_repeated_rows_do_not_change_the_fingerprint(tmp_path: Path) -> None:
    rows = [{"id": str(i), "output": f"answer {i}"} for i in range(20)]
    one, two = opened(tmp_path, rows), opened(tmp_path, [*reversed(rows), rows[3]], "other.jsonl")
    three = opened(tmp_path, [*rows[:-1], {"id": "19", "output": "else"}], "third.jsonl")
    assert one.fingerprint == two.fingerprint != three.fingerprint
    assert one.n == two.n == 20
    for answers in (one, two, three):
        answers.close()


def parquet(folder: Path, columns: dict[str, Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "made.parquet"
    pq.write_table(pa.table(columns), path)
    return path.read_bytes()


def test_parquet_gives_the_answers_of_the_same_rows_in_jsonl(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "output": "Yes.", "contexts": [{"id": "p", "text": "t", "score": 0.5}], "latency": 0.25},
        {"id": "b", "output": "", "contexts": [], "latency": None},
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    table = opened(tmp_path, parquet(tmp_path, columns), "log.parquet")
    lines = opened(tmp_path, rows)
    assert table.fingerprint == lines.fingerprint and table.n == 2
    found = table.get("a")
    assert found is not None and found.contexts[0].score == 0.5 and found.usage.latency == 0.25
    assert found == lines.get("a")
    table.close()
    lines.close()


def test_parquet_may_hold_several_answers_to_a_sample(tmp_path: Path) -> None:
    made = parquet(tmp_path, {"id": ["a", "a", "b"], "repeat": [0, 1, None], "output": ["one", "two", "three"]})
    answers = opened(tmp_path, made, "log.parquet")
    texts = [found and found.text for found in (answers.get("a"), answers.get("a", 1), answers.get("b", 0))]
    assert texts == ["one", "two", "three"]
    answers.close()


def odd_columns() -> dict[str, Any]:
    """Return columns of a log that no answer needs, each holding something that would be refused."""
    import pyarrow as pa

    pairs = [("k", 1), ("k", 2)]
    return {
        "score": [float("nan"), float("inf")],
        "map": pa.array([pairs, pairs], pa.map_(pa.string(), pa.int64())),
        "late": pa.array([2**62, 2**62], pa.timestamp("us")),
        "qid.extra": [None, None],
    }


def test_columns_that_are_not_used_are_not_judged(tmp_path: Path) -> None:
    made = parquet(tmp_path, {"qid": ["a", "b"], "output": ["x", "y"], **odd_columns()})
    answers = opened(tmp_path, made, "log.parquet", id_field="qid")
    assert answers.n == 2
    answers.close()
    csv = b"id,output,note\na,x,\xff\nb,y,a\0b\n"
    answers = opened(tmp_path, csv, "log.csv")
    assert answers.n == 2
    answers.close()


@pytest.mark.parametrize("name", ["log.parquet", "log.csv", "log.tsv"])
def test_38_a_table_without_the_column_of_answers_says_which_it_has(name: str, tmp_path: Path) -> None:
    text = b"id,reply\na,x\n" if name == "log.csv" else b"id\treply\na\tx\n"
    content = parquet(tmp_path, {"id": ["a"], "reply": ["x"]}) if name == "log.parquet" else text
    with pytest.raises(DataError) as caught:
        opened(tmp_path, content, name)
    assert str(caught.value).endswith(
        f"{name}:output: the file has no such column; name the column of answers as the model's `output_field`; "
        "its columns: id, reply [FIELD_MISSING]"
    )
    opened(tmp_path, content, name, output_field="reply").close()


def test_a_missing_field_has_the_name_that_the_log_gives_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"log\.jsonl:1:reply: required field is missing"):
        opened(tmp_path, [{"id": "a", "output": "x"}], output_field="reply")


BAD: dict[str, tuple[bytes, str, list[str]]] = {
    "04-zero-bytes": (b"", "log.jsonl", ["log.jsonl: no records", "[NO_RECORDS]"]),
    "15-gzip": (b"\x1f\x8b\x08", "log.jsonl", ["gzip", "[COMPRESSED]"]),
    "24-duplicate-key": (
        b'{"id":"a","output":"x","output":"y"}',
        "log.jsonl",
        ["log.jsonl:1:output", "[DUPLICATE_KEY]"],
    ),
    "38-missing": (b'{"id":"a"}\n', "log.jsonl", ["log.jsonl:1:output: required field is missing", "[FIELD_MISSING]"]),
    "39-null-answer": (
        b'{"id":"a","output":null}\n',
        "log.jsonl",
        ["log.jsonl:1:output", "(got null)", "[FIELD_TYPE]"],
    ),
    "43-two-answers": (
        b'{"id":"a","output":"x"}\n{"id":"a","output":"y"}\n',
        "log.jsonl",
        ["log.jsonl:2:id: line 1 holds another answer", "`repeat`", "[DUPLICATE_ID]"],
    ),
    "44-id-number": (b'{"id":1,"output":"x"}\n', "log.jsonl", ["log.jsonl:1:id", "(got 1)", "[ID_NOT_TEXT]"]),
    "45-nfc-nfd": (
        '{"id":"é","output":"x"}\n{"id":"e\u0301","output":"x"}\n'.encode(),
        "log.jsonl",
        ["log.jsonl:2:id", "[ID_LOOKALIKE]"],
    ),
    "52-bool-as-number": (
        b'{"id":"a","output":"x","latency":true}',
        "log.jsonl",
        ["log.jsonl:1:latency", "[FIELD_TYPE]"],
    ),
    "53-arabic-digits": (
        "id,output,latency\na,x,١٢\n".encode(),
        "log.csv",
        ["log.csv:2:latency", "١٢", "[NUMBER_FORMAT]"],
    ),
    "53-underscore": (b"id,output,input_tokens\na,x,1_000\n", "log.csv", ["(got '1_000')", "[NUMBER_FORMAT]"]),
}


PARQUET: dict[str, tuple[dict[str, Any], list[str]]] = {
    "25-nan": ({"id": ["a"], "output": ["x"], "cost": [float("nan")]}, ["log.parquet:1:cost", "[NOT_FINITE]"]),
    "39-time-beyond-all-calendars": (
        {"id": ["a"], "output": ["x"], "model": np.array([2**62], "datetime64[us]")},
        ["log.parquet:1:model: the value cannot be read", "[FIELD_VALUE]"],
    ),
    "39-null-answer": ({"id": ["a"], "output": [None]}, ["log.parquet:1:output", "[FIELD_MISSING]"]),
    "43-two-answers": ({"id": ["a", "a"], "output": ["x", "y"]}, ["log.parquet:2:id", "[DUPLICATE_ID]"]),
    "44-id-number": ({"id": [1], "output": ["x"]}, ["log.parquet:1:id", "(got 1)", "[ID_NOT_TEXT]"]),
}


@pytest.mark.parametrize("case", PARQUET)
def test_bad_recorded_parquet(case: str, tmp_path: Path) -> None:
    columns, words = PARQUET[case]
    with pytest.raises(DataError) as caught:
        opened(tmp_path, parquet(tmp_path, columns), "log.parquet")
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("case", BAD)
def test_bad_recorded_file(case: str, tmp_path: Path) -> None:
    content, name, words = BAD[case]
    with pytest.raises(DataError) as caught:
        opened(tmp_path, content, name)
    for word in words:
        assert word in str(caught.value)
    assert [p for p in (tmp_path / "home").rglob("*") if p.is_file()] == []


def test_bad_rows_below_the_share_are_left_out(tmp_path: Path) -> None:
    answers = opened(tmp_path, [{"id": "a", "output": "x"}, {"id": "b"}], share=0.5)
    assert answers.n == 1 and answers.get("b") is None
    answers.close()


def test_a_damaged_index_is_refused_by_name(tmp_path: Path) -> None:
    opened(tmp_path, [{"id": "a", "output": "x"}]).close()
    index = next((tmp_path / "home" / "cache" / "recorded").iterdir())
    index.write_bytes(b"not a database at all, whatever its name says")
    with pytest.raises(DataError, match=rf"{index.name}.*INDEX_DAMAGED"):
        opened(tmp_path, [{"id": "a", "output": "x"}])
