"""`workbench data` over labelled records, and over rows whose texts hold half of a surrogate pair."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from workbench.datasets import Conversation, PreferencePair, Row, Sample, Side
from workbench.labelling.imported import store_imported
from workbench.labelling.resolving import Resolution, resolve
from workbench.labelling.snapshot import MANIFEST
from workbench.labelling.stored_snapshots import find_snapshot
from workbench.labelling.tables import RESOLVED, write_rows
from workbench.labelling.tasks import Task
from workbench.reading.storing import Origin, store_rows
from workbench.records import Label, Message, Passage, Ranked, Span, Turn

HOME = Path(".workbench")
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
HALF = "a \ud800 b"


def _labels(id: str) -> list[Label]:
    values: dict[str, Any] = {
        "verdict": "pass", "score": 4, "share": 0.5, "marks": (Span(start=0, end=3, label="wrong"),),
        "order": (Ranked(value="1", rank=1), Ranked(value="2", rank=2)), "causes": ("a", "b"), "note": "=1+1 | 👍",
    }  # fmt: skip
    return [
        Label(record_id=id, question=question, value=value, annotator=person, guideline="g/1", at=NOW)
        for person in ("ann", "bo")
        for question, value in values.items()
    ]


def _store(n: int = 5) -> None:
    tasks = [
        Task(
            id=f"r{i}", group=f"family {i % 2}", messages=(Message(role="user", content=f"Question {i}?"),),
            outputs=(f"Answer {i}", "<img src=x>"), reference="Right" if i else None, origin="run:x",
            contexts=(Passage(id="p", text="text", score=0.5), Passage(id="q", text="")) if i % 2 else (),
            tags={"a b": "c"} if i else {}, shown={"judge_verdict": "1"},
        )
        for i in range(n)
    ]  # fmt: skip
    labels = [label for task in tasks[1:] for label in _labels(task.id)]
    store_imported(HOME / "records" / "review", tasks, labels, "feedback", NOW)


def test_records_are_listed_beside_the_datasets_and_shown_by_their_name(workbench: Command) -> None:
    _store()
    assert "review" in workbench("data", "ls").out
    (told,) = json.loads(workbench("data", "ls", "--json").out)
    assert (told["kind"], told["name"], told["n_records"], told["n_labels"]) == ("records", "review", 5, 56)
    shown = workbench("data", "show", "review", "--limit", "2").out
    assert "Question 1?" in shown and "3 more records: --skip 2" in shown
    rows = json.loads(workbench("data", "show", "records:review", "--json").out)["rows"]
    assert [row["id"] for row in rows] == [f"r{i}" for i in range(5)]
    one = json.loads(workbench("data", "show", "review", "--row", "r2", "--json").out)
    assert (one["reference"], len(one["labels"]), one["labels"][0]["annotator"]) == ("Right", 14, "ann")
    assert "ROW_UNKNOWN" in workbench("data", "show", "review", "--row", "r9").err


@pytest.mark.parametrize("file", ["out.jsonl", "out.parquet"])
def test_exported_records_come_back_equal_with_their_labels(workbench: Command, file: str) -> None:
    _store()
    done = workbench("data", "export", "review", "--to", "workbench", "--out", file, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["n"] == 5
    done = workbench("data", "import", file, "--name", "again", "--use", "dev")
    assert done.code == 0, done.err
    before, after = find_snapshot(HOME, "review"), find_snapshot(HOME, "again")
    assert before is not None and after is not None
    assert after.tasks() == before.tasks()
    assert after.labels() == before.labels()
    assert after.manifest.fingerprint == before.manifest.fingerprint


@pytest.mark.parametrize("file", ["out.jsonl", "out.parquet"])
def test_resolved_answers_go_out_beside_the_labels_and_are_left_out_on_the_way_back(
    workbench: Command, file: str
) -> None:
    _store()
    before = find_snapshot(HOME, "review")
    assert before is not None
    how = Resolution(policies=("majority",))
    resolved = resolve(before.labels(), (), how)
    write_rows(before.path / RESOLVED, resolved)
    manifest = before.manifest.model_copy(update={"resolution": how})
    (before.path / MANIFEST).write_bytes(manifest.json_bytes())
    done = workbench("data", "export", "review", "--to", "workbench", "--out", file, "--json")
    assert (done.code, json.loads(done.out)["lost"]) == (0, {}), done.err
    if file.endswith(".jsonl"):
        rows = [json.loads(line) for line in Path(file).read_text().splitlines()]
        assert "resolved" not in rows[0]
        answers = {one["question"]: (one["value"], one["by"], one["annotators"]) for one in rows[2]["resolved"]}
        assert answers["verdict"] == ("pass", "majority", ["ann", "bo"])
        assert sum(len(row.get("resolved", ())) for row in rows) == len(resolved) == 28
    done = workbench("data", "import", file, "--name", "again", "--use", "dev")
    assert done.code == 0 and "4 rows whose column 'resolved'" in done.err, done.err
    after = find_snapshot(HOME, "again")
    assert after is not None and after.labels() == before.labels()


def test_records_have_no_form_for_a_trainer_and_a_name_that_nothing_has_is_told(workbench: Command) -> None:
    _store()
    done = workbench("data", "export", "review", "--to", "trl-sft", "--out", "out.jsonl")
    assert (done.code, "CANNOT_HOLD" in done.err, Path("out.jsonl").exists()) == (3, True, False)
    assert "DATASET_UNKNOWN" in workbench("data", "show", "nothing").err
    assert "DATASET_UNKNOWN" in workbench("data", "show", "records:../x").err


def _rows_with_halves() -> dict[str, Row]:
    asked = Turn(role="user", content=HALF)
    said = Turn(role="assistant", content=f"{HALF} \U0001f600")
    sides = (Side(messages=(said,)), Side(messages=(Turn(role="assistant", content="no"),)))
    return {
        "samples": Sample(id="s", messages=(Message(role="user", content=HALF),)),
        "conversations": Conversation(id="c", messages=(asked, said)),
        "pairs": PreferencePair(id="p", prompt=(asked,), chosen=sides[0], rejected=sides[1], margin=1),
    }


@pytest.mark.parametrize("kind", ["samples", "conversations", "pairs"])
def test_a_stored_row_with_half_a_surrogate_pair_is_read_shown_and_exported_whole(
    kind: Any, workbench: Command
) -> None:
    row = _rows_with_halves()[kind]
    stored = store_rows([row], Origin("set", kind, "dev"), HOME, NOW)
    assert list(stored.iter_values()) == [row]
    told = workbench("data", "show", "set", "--json")
    assert (told.code, json.loads(told.out)["rows"]) == (0, [row.model_dump(mode="json")]), told.err
    for words in (("show", "set"), ("show", "set", "--row", row.id), ("diff", "set", "set")):
        assert workbench("data", *words).code == 0
    assert workbench("data", "export", "set", "--to", "workbench", "--out", "o.jsonl").code == 0
    assert json.loads(Path("o.jsonl").read_text()).items() >= row.model_dump(mode="json").items()
    refused = workbench("data", "export", "set", "--to", "workbench", "--out", "o.parquet")
    assert (refused.code, "half of a surrogate pair" in refused.err) == (3, True)
