"""`workbench data`: in, out, and what a bad file is told; the numbers are those of the catalogue of bad inputs."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command


def chat(asked: str = "What is it?", said: str = "It is this.", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}], **more}


def line(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def pair(better: str, worse: str, **more: Any) -> dict[str, Any]:
    return {"prompt": "Which?", "chosen": better, "rejected": worse, **more}


MANY = b"".join(line(chat(f"Question {n}?")) for n in range(12))
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "4-empty": ("f.jsonl", b"", "NO_RECORDS"),
    "7-utf16": ("f.jsonl", MANY.decode().encode("utf-16"), "WRONG_ENCODING"),
    "8-not-utf8": ("f.jsonl", MANY + b'{"messages": "\xff"}\n', "NOT_UTF8"),
    "10-lone-cr": ("f.jsonl", MANY.replace(b"\n", b"\r"), "LONE_CR"),
    "13-truncated": ("f.jsonl", MANY + line(chat())[:-9], "TRUNCATED_LINE"),
    "15-gzip": ("f.jsonl", b"\x1f\x8b" + bytes(50), "COMPRESSED"),
    "16-nul": ("f.jsonl", MANY + b'{"a": "\0"}\n', "NUL_CHARACTER"),
    "17-array": ("f.jsonl", json.dumps([chat()]).encode(), "JSON_ARRAY"),
    "18-ragged": ("f.csv", b"instruction,output\na,b\nc\n", "CSV_RAGGED"),
    "19-header": ("f.csv", b"instruction,instruction\na,b\n", "CSV_HEADER"),
    "20-cell": ("f.csv", b"instruction,output\na," + b"x" * 140_000 + b"\n", "CELL_TOO_LONG"),
    "21-parquet": ("f.parquet", b"PAR1" + bytes(200) + b"PAR1", "PARQUET_CORRUPT"),
    "23-syntax": ("f.jsonl", MANY + b"{oops}\n", "JSON_SYNTAX"),
    "24-twice": ("f.jsonl", MANY + b'{"messages": [], "messages": []}\n', "DUPLICATE_KEY"),
    "25-nan": ("f.jsonl", MANY + b'{"messages": NaN}\n', "NOT_FINITE"),
    "26-digits": ("f.jsonl", MANY + b'{"n": ' + b"9" * 5000 + b"}\n", "BIG_INTEGER"),
    "27-deep": ("f.jsonl", MANY + b'{"n": ' + b"[" * 100_000 + b"\n", "TOO_DEEP"),
    "38-missing": ("f.jsonl", MANY + line({"tools": []}), "FIELD_MISSING"),
    "39-type": ("f.jsonl", MANY + line({"messages": 5}), "FIELD_TYPE"),
    "43-id": ("f.jsonl", MANY + line(chat("A?", id="x")) + line(chat("B?", id="x")), "DUPLICATE_ID"),
    "44-number": ("f.jsonl", MANY + line(chat(id=1)), "ID_NOT_TEXT"),
    "45-composed": ("f.jsonl", MANY + line(chat("A?", id="\u00e9")) + line(chat("B?", id="e\u0301")), "ID_LOOKALIKE"),
    "61-contradiction": ("f.jsonl", line(pair("a", "b")) + line(pair("b", "a")), "CONTRADICTION"),
    "62-mismatch": ("f.jsonl", line(pair("a", "b")) + line({"chosen": "Abc", "rejected": "Xyz"}), "PROMPT_MISMATCH"),
    "67-no-pairs": ("f.jsonl", line(pair("a", "a")), "NO_RECORDS"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_with_its_code_and_leaves_nothing_behind(name: str, workbench: Command) -> None:
    file, content, code = REFUSED[name]
    Path(file).write_bytes(content)
    done = workbench("data", "import", file, "--name", "set", "--use", "train")
    assert (done.code, f"[{code}]" in done.err) == (3, True), done.err
    assert "Traceback" not in done.err
    assert not [p for p in Path(".workbench").rglob("*") if p.is_file() or ".new-" in p.name]


ACCEPTED: dict[str, tuple[bytes, int, str]] = {
    "5-blank": (MANY + b"\n\n", 12, "blank lines"),
    "6-mark": (b"\xef\xbb\xbf" + MANY, 12, ""),
    "9-crlf": (MANY.replace(b"\n", b"\r\n"), 12, ""),
    "11-separators": (MANY + line(chat("A\u2028B\u0085C?")), 13, ""),
    "12-no-end": (MANY.rstrip(b"\n"), 12, ""),
    "28-surrogate": (MANY + b'{"messages": [{"role": "user", "content": "\\ud800?"}, '
                     b'{"role": "assistant", "content": "x"}]}\n', 13, "half a character"),
    "42-same-twice": (MANY + MANY, 12, ""),
    "46-hidden": (MANY + line(chat("a\u200bb?")), 13, "zero-width"),
    "57-formula": (MANY + line(chat("=1+1")), 13, ""),
    "58-equal-sides": (line(pair("a", "b")) + line(pair("c", "c")), 1, "two equal answers"),
    "59-tie": (
        b"".join(line({"question": "Q?", "answer_a": "x", "answer_b": "y", "winner": w}) for w in ("a", "tie")),
        1, "ties",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_unusual_file_is_taken_and_what_is_unusual_is_counted(name: str, workbench: Command) -> None:
    content, n, told = ACCEPTED[name]
    Path("f.jsonl").write_bytes(content)
    done = workbench("data", "import", "f.jsonl", "--name", "set", "--use", "train")
    assert done.code == 0, done.err
    assert told in done.err
    listed = json.loads(workbench("data", "ls", "--json").out)
    assert [(m["name"], m["use"], m["n"], m["version"]) for m in listed] == [("set", "train", n, 1)]


def test_faulty_rows_go_to_quarantine_with_line_and_reason_up_to_the_share_allowed(workbench: Command) -> None:
    Path("f.jsonl").write_bytes(MANY + line({"messages": 5}))
    words = ("data", "import", "f.jsonl", "--name", "set", "--use", "dev", "--quarantine-share")
    assert workbench(*words, "0.05").code == 3
    assert workbench(*words, "0.1").code == 0
    (kept,) = Path(".workbench").rglob("quarantine.jsonl")
    told = json.loads(kept.read_text())
    assert (told["line"], told["code"]) == (13, "FIELD_TYPE")


def test_validating_stores_nothing_and_ends_with_3_where_there_are_faults(workbench: Command) -> None:
    Path("f.jsonl").write_bytes(MANY)
    done = workbench("data", "validate", "f.jsonl")
    assert (done.code, "Nothing was stored." in done.out) == (0, True)
    Path("f.jsonl").write_bytes(MANY + b"{oops}\n")
    assert workbench("data", "validate", "f.jsonl").code == 3
    assert not Path(".workbench").exists()


def test_a_split_deals_families_into_datasets_that_never_share_one(workbench: Command) -> None:
    Path("f.jsonl").write_bytes(b"".join(line(chat(f"Question {n % 30}?", f"{n}")) for n in range(90)))
    shares = "train=0.5,dev=0.2,gate=0.3"
    found = json.loads(workbench("data", "import", "f.jsonl", "--name", "s", "--split", shares, "--json").out)[
        "datasets"
    ]
    assert sum(m["n"] for m in found) == 90
    assert sum(m["n_groups"] for m in found) == 30
    assert len(json.loads(workbench("data", "ls", "--json").out)) == len([m for m in found if m["n"]])


def test_a_table_comes_back_equal_though_formulas_are_quoted_in_its_cells(workbench: Command) -> None:
    texts = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "a\r\nb", 'q"u,o', "plain"]
    Path("f.jsonl").write_bytes(b"".join(line(chat(f"{t} {n}", t)) for n, t in enumerate(texts)))
    workbench("data", "import", "f.jsonl", "--name", "a", "--use", "train")
    done = workbench("data", "export", "a", "--to", "alpaca", "--out", "t.csv")
    assert done.code == 0, done.err
    with Path("t.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            assert not row["output"].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert workbench("data", "import", "t.csv", "--name", "b", "--use", "train").code == 0
    a, b = (json.loads(workbench("data", "show", name, "--json").out) for name in "ab")
    assert a["manifest"]["fingerprint"] == b["manifest"]["fingerprint"]


def test_what_a_format_cannot_hold_is_refused_with_counts_or_left_out_when_asked(workbench: Command) -> None:
    two = [*chat()["messages"], *chat("And?")["messages"]]
    Path("f.jsonl").write_bytes(MANY + line({"messages": two, "id": "two"}))
    workbench("data", "import", "f.jsonl", "--name", "a", "--use", "train")
    words = ("data", "export", "a", "--to", "prompt-completion-text", "--out", "out.jsonl")
    refused = workbench(*words)
    assert (refused.code, "1 rows that" in refused.err, Path("out.jsonl").exists()) == (3, True, False)
    done = workbench(*words, "--skip-unfit", "--bare", "--json")
    told = json.loads(done.out)
    assert (told["n"], sum(told["unfit"].values()), told["lost"]) == (12, 1, {"lineage": 12})
    assert len(Path("out.jsonl").read_text().splitlines()) == 12


def test_openai_gets_ten_rows_at_least_and_advice(workbench: Command) -> None:
    Path("few.jsonl").write_bytes(b"".join(MANY.splitlines(keepends=True)[:9]))
    Path("f.jsonl").write_bytes(MANY)
    for name in ("few", "f"):
        workbench("data", "import", f"{name}.jsonl", "--name", name, "--use", "train")
    refused = workbench("data", "export", "few", "--to", "openai", "--out", "o.jsonl")
    assert (refused.code, "asks for 10" in refused.err) == (3, True)
    done = workbench("data", "export", "f", "--to", "openai", "--out", "o.jsonl")
    assert (done.code, "50 to 100" in done.err) == (0, True)
    assert json.loads(Path("o.jsonl").read_text().splitlines()[0]).keys() == {"messages"}


def test_feedback_becomes_records_and_labels(workbench: Command) -> None:
    row = {"id": "r", "prompt": "Hi", "response": "Yes", "feedback": "down", "comment": "Rude", "user": "u7",
           "timestamp": "2026-01-31T12:00:00+01:00"}  # fmt: skip
    Path("log.jsonl").write_bytes(line(row))
    told = json.loads(workbench("data", "import", "log.jsonl", "--name", "log", "--use", "dev", "--json").out)
    assert (told["format"], told["records"]["n_records"], told["records"]["n_labels"]) == ("feedback", 1, 2)
    from workbench.labelling.snapshot import latest_snapshot

    snapshot = latest_snapshot(Path(".workbench/records/log"))
    assert [(lb.question, lb.value, lb.annotator) for lb in snapshot.labels()] == [
        ("thumb", "down", "u7"), ("reason", "Rude", "u7"),
    ]  # fmt: skip
    assert snapshot.tasks()[0].outputs == ("Yes",)


def test_a_folder_that_datasets_saved_is_read(workbench: Command) -> None:
    import pyarrow as pa

    folder = Path("saved")
    folder.mkdir()
    table = pa.Table.from_pylist([{"instruction": f"Do {n}", "input": "", "output": "Done"} for n in range(3)])
    with pa.OSFile("saved/data-00000-of-00001.arrow", "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
    (folder / "dataset_info.json").write_text("{}")
    done = workbench("data", "import", "saved", "--name", "s", "--use", "train", "--json")
    assert json.loads(done.out)["datasets"][0]["n"] == 3


def test_a_large_file_read_by_two_processes_is_stored_as_one_would(
    workbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.curation import intake

    Path("f.jsonl").write_bytes(b"".join(line(chat(f"Q {n}?", "x" * 900)) for n in range(3000)))
    one = json.loads(workbench("data", "import", "f.jsonl", "--name", "a", "--use", "train", "--json").out)
    monkeypatch.setattr(intake, "LARGE", 1)
    two = json.loads(workbench("data", "import", "f.jsonl", "--name", "b", "--use", "train", "--json").out)
    assert one["datasets"][0]["fingerprint"] == two["datasets"][0]["fingerprint"]
    assert one["datasets"][0]["n"] == 3000
    first, second = (next(Path().rglob(f"{name}-train/*/rows.parquet")) for name in "ab")
    assert first.read_bytes() == second.read_bytes()
