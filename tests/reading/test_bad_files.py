"""Rows 1–28 and 38–57 of the catalogue of bad inputs, as far as they concern samples; the number is in the id."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import DataError
from workbench.reading.samples import store_dataset
from workbench.reading.stored import StoredDataset

Content = bytes | Callable[[Path], None]


def sample(id: Any = "a", text: str = "What is it?", **more: Any) -> dict[str, Any]:
    return {"id": id, "messages": [{"role": "user", "content": text}], **more}


def row(id: Any = "a", text: str = "What is it?", **more: Any) -> bytes:
    return json.dumps(sample(id, text, **more), ensure_ascii=False).encode() + b"\n"


def chat(*turns: tuple[str, str]) -> bytes:
    messages = [{"role": role, "content": text} for role, text in turns]
    return json.dumps({"id": "a", "messages": messages}).encode() + b"\n"


GOOD, OTHER = row("good"), row("other")


def store(source: Path, home: Path, share: float = 0.0) -> StoredDataset:
    return store_dataset(source, name="set", use="dev", split=None, home=home, quarantine_share=share)


def put(tmp_path: Path, name: str, content: Content) -> Path:
    source = tmp_path / name
    if isinstance(content, bytes):
        source.write_bytes(content)
    else:
        content(source)
    return source


def left_behind(home: Path) -> list[Path]:
    return [p for p in home.rglob("*") if p.is_file() or p.name.startswith(".new-")]


def corrupt_parquet(path: Path) -> None:
    path.write_bytes(b"PAR1" + bytes(200) + b"PAR1")


def truncated_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([sample("good")]), path)
    path.write_bytes(path.read_bytes()[:-20])


def parquet_with_nan(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([sample(contexts=[{"id": "p", "text": "t", "score": float("nan")}])]), path)


def parquet_with_a_key_twice(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    messages = [[{"role": "user", "content": "What is it?"}]] * 3
    tags = pa.array([[("a", "1")], [("b", "1"), ("b", "2")], []], pa.map_(pa.string(), pa.string()))
    pq.write_table(pa.table({"id": ["a", "b", "c"], "messages": messages, "tags": tags}), path)


def parquet_with_a_column_twice(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["id", "id"]), path)


def unreadable(path: Path) -> None:
    path.symlink_to(path)  # a link to itself: unreadable for root too


DEEP = b'{"id": "a", "messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
CSV = b"id,question,reference\n"

REJECTED: dict[str, tuple[str, Content, list[str]]] = {
    "01-missing": ("none.jsonl", lambda path: None, ["none.jsonl: no such file", "[FILE_MISSING]"]),
    "02-directory": ("d.jsonl", lambda path: path.mkdir(), ["a folder, not a file", "[FILE_IS_FOLDER]"]),
    "03-unreadable": ("loop.jsonl", unreadable, ["loop.jsonl: the file cannot be read", "[FILE_UNREADABLE]"]),
    "04-zero-bytes": ("s.jsonl", b"", ["no records: the file is empty", "[NO_RECORDS]"]),
    "05-only-blank-lines": ("s.jsonl", b"\n \n\n", ["no records in the file", "[NO_RECORDS]"]),
    "07-utf16-mark": ("s.jsonl", GOOD.decode().encode("utf-16"), ["UTF-16 (little-endian)", "[WRONG_ENCODING]"]),
    "07-utf16-no-mark": ("s.jsonl", GOOD.decode().encode("utf-16-be"), ["UTF-16", "save it as UTF-8"]),
    "10-lone-cr": ("s.jsonl", (GOOD + OTHER).replace(b"\n", b"\r"), ["lone carriage return", "[LONE_CR]"]),
    "14-long-line": ("s.jsonl", b'{"id": "' + b"x" * 17 * 2**20 + b'"}', ["longer than 16,777,216", "[LINE_TOO_LONG]"]),
    "15-gzip": ("s.jsonl", gzip.compress(GOOD), ["gzip data, not .jsonl", "unpack it first", "[COMPRESSED]"]),
    "15-parquet-named-jsonl": ("s.jsonl", b"PAR1....PAR1", ["this is Parquet", "name it .parquet", "[FILE_KIND]"]),
    "15-unknown-kind": ("s.xyz", b"hello", ["got .xyz", "[FILE_KIND]"]),
    "17-array": ("s.jsonl", b"[" + GOOD.strip() + b"]\n", ["s.jsonl:1: this is one JSON array", "jq", "[JSON_ARRAY]"]),
    "17-array-indented": ("s.json", json.dumps([sample()], indent=1).encode(), ["one JSON array", "[JSON_ARRAY]"]),
    "17-object-indented": ("s.json", json.dumps(sample(), indent=1).encode(), ["several lines", "[JSON_INDENTED]"]),
    "19-csv-duplicate-header": ("s.csv", b"id,question,id\na,b,c\n", ["s.csv:1:id", "'id'", "[CSV_HEADER]"]),
    "20-csv-long-cell": ("s.csv", CSV + b"a," + b"x" * 131_073 + b",c\n", ["131,072", "[CELL_TOO_LONG]"]),
    "20-csv-open-quote": ("s.csv", CSV + b'a,"x\n' + b"y,z\n" * 40_000, ["s.csv:2", "[CELL_TOO_LONG]"]),
    "21-parquet": ("s.parquet", corrupt_parquet, ["s.parquet: damaged Parquet", "[PARQUET_CORRUPT]"]),
    "21-parquet-truncated": ("s.parquet", truncated_parquet, ["damaged Parquet", "[PARQUET_CORRUPT]"]),
    "21-parquet-is-text": ("s.parquet", GOOD, ["damaged Parquet", "[PARQUET_CORRUPT]"]),
    "24-duplicate-key": ("s.jsonl", b'{"id":"a","id":"b","messages":[]}\n', ["s.jsonl:1:id", "[DUPLICATE_KEY]"]),
    "24-duplicate-key-escaped": ("s.jsonl", GOOD + b'{"id":"a","\\u0069d":"b"}\n', ["s.jsonl:2:id", "[DUPLICATE_KEY]"]),
    "24-duplicate-key-hidden-by-a-spaced-one": (
        "s.jsonl",
        GOOD + row().replace(b'"id":', b'"id" :').replace(b'"role":', b'"role":"x","role":'),
        ["s.jsonl:2:role", "[DUPLICATE_KEY]"],
    ),
    "24-duplicate-key-hidden-by-backslashes": (
        "s.jsonl",
        GOOD + b'{"id":1,"id":2,"group":"x\\\\","origin":"y\\\\"}\n',
        ["s.jsonl:2:id", "[DUPLICATE_KEY]"],
    ),
    "25-nan": ("s.jsonl", GOOD + b'{"id": NaN}\n', ["s.jsonl:2", "(got NaN)", "[NOT_FINITE]"]),
    "25-infinity": ("s.jsonl", b'{"id": -Infinity}\n', ["(got -Infinity)", "[NOT_FINITE]"]),
    "25-1e999": ("s.jsonl", b'{"id": 1e999}\n', ["(got 1e999)", "[NOT_FINITE]"]),
    "24-parquet-map": ("s.parquet", parquet_with_a_key_twice, ["s.parquet:2:tags: a key stands", "[DUPLICATE_KEY]"]),
    "24-parquet-column": ("s.parquet", parquet_with_a_column_twice, ["s.parquet:id: two columns", "[DUPLICATE_KEY]"]),
    "25-parquet-nan": ("s.parquet", parquet_with_nan, ["s.parquet:1:contexts", "[NOT_FINITE]"]),
    "27-depth": ("s.jsonl", GOOD + DEEP, ["s.jsonl:2: ", "nested too deeply", "[TOO_DEEP]"]),
    "43-id-twice": ("s.jsonl", row("a") + OTHER + row("a", "Else?"), ["s.jsonl:3:id", "on line 1", "[DUPLICATE_ID]"]),
    "44-id-number": ("s.jsonl", row(1) + row("1"), ["s.jsonl:1:id", "(got 1)", 'write "1"', "[ID_NOT_TEXT]"]),
    "45-nfc-nfd": ("s.jsonl", row("é") + row("e\u0301"), ["s.jsonl:2:id", "line 1", "e\\u0301", "[ID_LOOKALIKE]"]),
}

SET_ASIDE: dict[str, tuple[str, bytes, list[str]]] = {
    "08-invalid-utf8": ("s.jsonl", b'{"id": "\xff"}\n', ["s.jsonl:3", "at byte 9", "0xff", "[NOT_UTF8]"]),
    "13-truncated": ("s.jsonl", row()[:-20], ["s.jsonl:3", "the last line is truncated", "[TRUNCATED_LINE]"]),
    "13-truncated-in-a-letter": ("s.jsonl", b'{"id": "\xc3', ["s.jsonl:3", "truncated", "[TRUNCATED_LINE]"]),
    "16-nul": ("s.jsonl", b'{"id": "\0"}\n', ["s.jsonl:3: NUL byte at byte 9", "[NUL_CHARACTER]"]),
    "23-syntax": ("s.jsonl", b'{"id": "a" "b"}\n', ["s.jsonl:3: not JSON at column 12", "[JSON_SYNTAX]"]),
    "23-not-an-object": ("s.jsonl", b'["a"]\n', ["s.jsonl:3", "(got a list)", "[NOT_AN_OBJECT]"]),
    "26-big-integer": ("s.jsonl", b'{"id": ' + b"9" * 5000 + b"}\n", ["of 5000 digits", "[BIG_INTEGER]"]),
    "26-integer-beyond-64-bits": ("s.jsonl", b'{"id": 12345678901234567890}\n', ["20 digits", "[BIG_INTEGER]"]),
    "38-missing": ("s.jsonl", b'{"id": "a"}\n', ["s.jsonl:3:messages: required field is missing", "[FIELD_MISSING]"]),
    "39-type": ("s.jsonl", row(references=[3]), ["s.jsonl:3:references[0]", "(got 3)", "[FIELD_TYPE]"]),
    "39-bool-is-no-number": (
        "s.jsonl",
        row(contexts=[{"id": "p", "text": "t", "score": True}]),
        ["s.jsonl:3:contexts[0].score", "(got true)", "[FIELD_TYPE]"],
    ),
    "39-role": (
        "s.jsonl",
        b'{"id": "a", "messages": [{"role": "bot", "content": "x"}]}\n',
        ["s.jsonl:3:messages[0].role", "(got 'bot')", "[FIELD_VALUE]"],
    ),
    "39-unknown-field": ("s.jsonl", row(refrences=["x"]), ["s.jsonl:3:refrences", "did you mean 'references'?"]),
    "40-empty-prompt": ("s.jsonl", row(text=" \n"), ["s.jsonl:3:messages: the prompt is empty", "[PROMPT_EMPTY]"]),
    "40-empty-last-prompt": (
        "s.jsonl",
        chat(("user", "real"), ("user", "  ")),
        ["s.jsonl:3:messages: the prompt is empty: the last message has no text", "[PROMPT_EMPTY]"],
    ),
    "40-answer-last": (
        "s.jsonl",
        chat(("user", "Hi"), ("assistant", "Hello")),
        ["s.jsonl:3:messages: the last message must be the user's, not the assistant's", "[FIELD_VALUE]"],
    ),
}

ACCEPTED: dict[str, tuple[bytes, dict[str, int]]] = {
    "05-blank-lines": (b"\n" + GOOD + b"\r\n  \n" + OTHER, {"BLANK_LINE": 3}),
    "06-bom": (b"\xef\xbb\xbf" + GOOD + OTHER, {}),
    "09-crlf-mixed": (GOOD.replace(b"\n", b"\r\n") + OTHER, {}),
    "11-line-separators-in-text": (row("good", "a\u2028b\u0085c") + OTHER, {}),
    "12-no-final-newline": (GOOD + OTHER.rstrip(), {}),
    "28-lone-surrogate": (
        GOOD + b'{"id":"other","messages":[{"role":"user","content":"\\ud800?"}]}',
        {"LONE_SURROGATE": 1},
    ),
    "46-hidden-characters": (row("good", "pass\u200bword") + row("other", "\u202eabc"), {"HIDDEN_CHARACTER": 2}),
    "48-empty-contexts": (row("good", contexts=[]) + OTHER, {}),
    "49-no-reference": (row("good", references=[]) + OTHER, {}),
    "57-formula": (row("good", '=HYPERLINK("http://x")') + OTHER, {}),
}


CSV_SET_ASIDE: dict[str, tuple[bytes, list[str]]] = {
    "08-invalid-utf8": (b"a,\xe9,c\n", ["s.csv:4:question", "0xe9", "[NOT_UTF8]"]),
    "16-nul": (b"a,\0,c\n", ["s.csv:4:question: NUL", "[NUL_CHARACTER]"]),
    "18-ragged": (b"a,b\n", ["s.csv:4", "(got 2 cells for 3 columns)", "[CSV_RAGGED]"]),
    "18-ragged-long": (b"a,b,c,d\n", ["(got 4 cells for 3 columns)", "[CSV_RAGGED]"]),
    "38-missing": (b"a,,c\n", ["s.csv:4:messages", "[FIELD_MISSING]"]),
}


@pytest.mark.parametrize("case", CSV_SET_ASIDE)
def test_bad_csv_row_is_set_aside(case: str, tmp_path: Path) -> None:
    content, words = CSV_SET_ASIDE[case]
    source = put(tmp_path, "s.csv", CSV + b'good,"What\nis, it?",x\n' + content + b"other,b,c\n")
    with pytest.raises(DataError, match="1 of 3 rows") as caught:
        store(source, tmp_path / "home")
    for word in words:
        assert word in str(caught.value)
    assert left_behind(tmp_path / "home") == []
    stored = store(source, tmp_path / "home", share=0.5)
    assert [s.question() for batch in stored.iter_samples() for _, s in batch] == ["What\nis, it?", "b"]


def test_a_spreadsheet_and_jsonl_of_the_same_samples_have_one_fingerprint(tmp_path: Path) -> None:
    flat = b"\xef\xbb\xbfid,group,question,system,reference,tags.topic\r\n1,g,Why?,Be brief.,So.,billing\r\n"
    full = {
        "id": "1", "group": "g", "references": ["So."], "tags": {"topic": "billing"},
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
    }  # fmt: skip
    one = store(put(tmp_path, "a.csv", flat), tmp_path / "home")
    two = store(put(tmp_path, "b.jsonl", json.dumps(full).encode()), tmp_path / "home")
    assert one.manifest.fingerprint == two.manifest.fingerprint


@pytest.mark.parametrize("case", REJECTED)
def test_bad_file(case: str, tmp_path: Path) -> None:
    name, content, words = REJECTED[case]
    source, home = put(tmp_path, name, content), tmp_path / "home"
    with pytest.raises(DataError) as caught:
        store(source, home, share=0.9)
    for word in words:
        assert word in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert left_behind(home) == []


@pytest.mark.parametrize("case", SET_ASIDE)
def test_bad_row_is_set_aside_below_the_share_and_refused_above_it(case: str, tmp_path: Path) -> None:
    name, content, words = SET_ASIDE[case]
    source, home = put(tmp_path, name, GOOD + OTHER + content), tmp_path / "home"
    with pytest.raises(DataError, match=r"1 of 3 rows cannot be used; allowed share: 0.3;") as caught:
        store(source, home, share=0.3)
    for word in words:
        assert word in str(caught.value)
    assert left_behind(home) == []
    stored = store(source, home, share=0.34)
    assert (stored.manifest.n, stored.manifest.n_quarantined) == (2, 1)
    kept = [json.loads(line) for line in (stored.path / "quarantine.jsonl").read_bytes().splitlines()]
    assert [(k["line"], k["code"]) for k in kept] == [(3, kept[0]["code"])]
    assert kept[0]["code"] in str(caught.value)


@pytest.mark.parametrize("case", ACCEPTED)
def test_odd_file_is_accepted_and_counted(case: str, tmp_path: Path) -> None:
    content, notes = ACCEPTED[case]
    stored = store(put(tmp_path, "s.jsonl", content), tmp_path / "home")
    assert stored.notes == notes
    found = [s for batch in stored.iter_samples() for _, s in batch]
    assert [s.id for s in found] == ["good", "other"]


def test_text_is_kept_exactly(tmp_path: Path) -> None:
    texts = ["a\u2028b\u0085c", "=1+1", "\u202eabc\u200b", "e\u0301 é", "nul \u0000 in an escape", 'tab\tquote" back\\']
    lines = b"".join(json.dumps(sample(str(i), t)).encode() + b"\n" for i, t in enumerate(texts))
    stored = store(put(tmp_path, "s.jsonl", lines), tmp_path / "home")
    assert [s.question() for batch in stored.iter_samples() for _, s in batch] == texts


def test_a_lone_surrogate_is_stored_as_its_escape(tmp_path: Path) -> None:
    content = b'{"id":"a","messages":[{"role":"user","content":"\\ud800 \\ud83d\\ude00"}]}'
    stored = store(put(tmp_path, "s.jsonl", content), tmp_path / "home")
    assert [s.question() for batch in stored.iter_samples() for _, s in batch] == ["\\ud800 😀"]


def test_42_a_row_that_repeats_an_earlier_one_is_dropped_and_counted(tmp_path: Path) -> None:
    stored = store(put(tmp_path, "s.jsonl", GOOD + OTHER + GOOD + GOOD), tmp_path / "home")
    assert (stored.manifest.n, stored.manifest.n_duplicates, stored.manifest.n_quarantined) == (2, 2, 0)
    assert [(p, s.id) for batch in stored.iter_samples() for p, s in batch] == [(0, "good"), (1, "other")]


def test_22_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = put(tmp_path, "s.jsonl", GOOD + OTHER)
    from workbench.reading import samples

    opened = samples.open_source

    def open_then_change(path: Path) -> Any:
        found = opened(path)
        before = path.stat()
        path.write_bytes(GOOD + row("chang"))  # same size
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # and same time: only the hash can tell
        return found

    monkeypatch.setattr(samples, "open_source", open_then_change)
    with pytest.raises(DataError, match=r"s.jsonl: the file changed while it was being read; .* \[FILE_CHANGED\]"):
        store(source, tmp_path / "home")
    assert left_behind(tmp_path / "home") == []


def test_14_a_50_mb_line_is_refused_without_being_held(tmp_path: Path) -> None:
    import subprocess
    import sys

    source = tmp_path / "s.jsonl"
    with source.open("wb") as file:
        for _ in range(50):
            file.write(b"x" * 2**20)
    program = (
        "import resource, sys; from pathlib import Path; from workbench.errors import DataError;"
        "from workbench.reading.rows import rows_of\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n list(rows_of(Path(sys.argv[1])))\n"
        "except DataError as exc:\n print(exc)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(source)], capture_output=True, text=True, check=True)
    message, grown = done.stdout.splitlines()
    assert "[LINE_TOO_LONG]" in message
    assert int(grown) < 45 * 1024


def told(tmp_path: Path, rows: bytes) -> list[str]:
    with pytest.raises(DataError) as caught:
        store(put(tmp_path, "s.jsonl", GOOD + rows), tmp_path / "home")
    return str(caught.value).splitlines()


def test_every_fault_is_listed_up_to_twenty_lines_and_all_are_counted(tmp_path: Path) -> None:
    names = [chr(ord("a") + i) * 3 for i in range(26)]
    rows = b"".join(b'{"id": "%d", "messages": [], "%s": 1}\n' % (i, n.encode()) for i, n in enumerate(names))
    lines = told(tmp_path, rows)
    assert "26 of 27 rows cannot be used" in lines[0]
    assert lines[-1].startswith("… and ") and lines[-1].endswith(" more (53 problems in all)")
    assert len(lines) == 21


def test_a_fault_that_many_rows_share_is_one_line_with_their_number_and_the_first_of_them(tmp_path: Path) -> None:
    lines = told(tmp_path, b'{"id": "a"}\n' * 30 + b'{"id": 1, "messages": []}\n')
    assert "31 of 32 rows cannot be used" in lines[0]
    assert "s.jsonl:2:messages: required field is missing" in lines[1]
    assert lines[1].endswith("[FIELD_MISSING], and 29 more like it: 3, 4, 5, 6, 7, …")
    assert [line for line in lines if "s.jsonl:32:id" in line and "ID_NOT_TEXT" in line]
    assert lines[-1] == "(33 problems in all)"
    assert len(lines) == 5


def test_two_rows_with_one_fault_are_told_apart(tmp_path: Path) -> None:
    lines = told(tmp_path, b'{"id": "a"}\n' * 2)
    assert [line.split(": ")[0].rsplit(":", 2)[1:] for line in lines[1:]] == [["2", "messages"], ["3", "messages"]]


@pytest.mark.parametrize(
    ("head", "fix"),
    [
        (b"id,question,reference", "name it .csv"),
        (b'"id","question"\r', "name it .csv"),
        (b"id\tquestion\ttags.topic", "name it .tsv"),
        (b"id;question", "write it with commas and name it .csv"),
    ],
)
def test_a_table_that_is_named_jsonl_is_refused_with_the_name_it_should_have(
    tmp_path: Path, head: bytes, fix: str
) -> None:
    with pytest.raises(DataError) as caught:
        store(put(tmp_path, "s.jsonl", head + b"\na,b,c\n" * 100), tmp_path / "home")
    assert str(caught.value).endswith(
        f"s.jsonl:1: the first line is the header of a table, not JSON; {fix} [FILE_KIND]"
    )


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("prompt", 'write `messages: [{"role": "user", "content": "…"}]`'),
        ("Question", 'write `messages: [{"role": "user", "content": "…"}]`'),
        ("expected", 'write `references: ["…"]`'),
        ("passages", 'write `contexts: [{"id": "…", "text": "…"}]`'),
    ],
)
def test_a_field_that_others_call_otherwise_is_told_as_it_is_written_here(tmp_path: Path, name: str, fix: str) -> None:
    (line,) = [line for line in told(tmp_path, b'{"id": "a", "%s": "x"}\n' % name.encode()) if "unknown field" in line]
    assert fix in line and "[FIELD_UNKNOWN]" in line


def test_reading_stops_at_a_hostile_number_of_faults(tmp_path: Path) -> None:
    source = put(tmp_path, "s.jsonl", b"{}\n" * 20_000)
    with pytest.raises(DataError, match="TOO_MANY_FAULTS"):
        store(source, tmp_path / "home", share=0.99)
