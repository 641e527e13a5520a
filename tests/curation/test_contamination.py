"""Benchmarks in a dataset: planted rows are found and counted, others are not, and files say what they lack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.curation.test_firewall import conversation, sentences
from workbench.curation.contamination import read_benchmark, scan
from workbench.errors import DataError


def test_rows_of_a_benchmark_are_counted_with_examples(tmp_path: Path) -> None:
    asked = sentences(60, 20, seed=11)
    file = tmp_path / "bench.jsonl"
    file.write_text("".join(json.dumps({"id": f"b{at}", "question": text}) + "\n" for at, text in enumerate(asked)))
    rows = [conversation(f"r{at}", text) for at, text in enumerate(sentences(200, 20, seed=12))]
    planted = [conversation("copy", asked[0].upper()), conversation("cut", " ".join(asked[1].split()[:12]))]
    found = scan("set", [*rows, *planted], {"bench": read_benchmark(file)})
    [one] = found.found
    assert (found.n, one.n_benchmark, one.n_rows, one.n_known) == (202, 60, 2, 2)
    assert one.signs == {"words": 1, "triples": 1}
    assert {(example.id, example.known) for example in one.examples} == {("copy", "b0"), ("cut", "b1")}


@pytest.mark.parametrize("row", [{"goal": "what"}, {"messages": [{"role": "user", "content": "what"}]}])
def test_the_question_is_found_where_benchmarks_have_it(tmp_path: Path, row: dict[str, object]) -> None:
    (tmp_path / "b.jsonl").write_text(json.dumps(row) + "\n")
    [text] = read_benchmark(tmp_path / "b.jsonl")
    assert (text.id, text.text) == ("line 1", "what")


def test_a_file_without_questions_is_refused_with_its_fields(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"frage": "was"}\n')
    with pytest.raises(DataError, match=r"frage.*FIELD_MISSING"):
        read_benchmark(tmp_path / "b.jsonl")
    assert [text.text for text in read_benchmark(tmp_path / "b.jsonl", "frage")] == ["was"]
