"""`workbench eval show --sample`: everything about one sample, whether it passed or not."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Command

CONFIG = Path("workbench.yaml")
SAMPLES = Path("evalsets/first/samples.jsonl")


def test_one_sample_is_shown_whole_with_each_answer_and_score(workbench: Command) -> None:
    workbench("eval", "run", "-q", "--repeats", "2")
    shown = workbench("eval", "show", "--sample", "capital-1").out
    for words in (
        "sample capital-1",
        "group capital-france   tags topic=capitals",
        "user\n    What is the capital of France?",
        "reference\n    Paris",
        "answer 1 of 2\n    Paris",
        "answer 2 of 2\n    Paris",
        "exact_match 1.000",
        "token_f1 1.000",
    ):
        assert words in shown, words


def test_json_has_messages_contexts_answers_scores_and_what_they_consumed(workbench: Command) -> None:
    row = json.loads(SAMPLES.read_text().splitlines()[0])
    row |= {"contexts": [{"id": "p1", "text": "Paris is the capital."}], "gold_contexts": ["p1"]}
    SAMPLES.write_text(json.dumps(row) + "\n")
    workbench("eval", "run", "-q")
    found = json.loads(workbench("eval", "show", "latest", "--sample", "capital-1", "--json").out)
    assert found["messages"][0]["content"] == "What is the capital of France?"
    assert found["given_contexts"] == [{"id": "p1", "text": "Paris is the capital.", "score": None}]
    assert (found["gold_contexts"], found["references"], found["tags"]) == (["p1"], ["Paris"], {"topic": "capitals"})
    (answer,) = found["answers"]
    assert (answer["output"], answer["failure"]) == ("Paris", None)
    assert [(s["scorer"], s["value"]) for s in answer["scores"]] == [("exact_match", 1.0), ("token_f1", 1.0)]
    assert {"input_tokens", "output_tokens", "cost", "latency", "attempts", "cached"} <= answer["usage"].keys()


def test_a_failed_answer_is_shown_with_why(workbench: Command) -> None:
    CONFIG.write_text("models:\n  c: {kind: scripted, faults: [{kind: timeout}]}\ncandidate: c\n")
    workbench("eval", "run", "-q")
    shown = workbench("eval", "show", "--sample", "sum-1").out
    assert "answer failed: timeout: " in shown
    assert "exact_match no score: no_output" in shown


def test_an_unknown_sample_is_told_with_the_nearest_ids(workbench: Command) -> None:
    workbench("eval", "run", "-q")
    done = workbench("eval", "show", "--sample", "capitl-2")
    assert done.code == 3
    assert "this run has no such sample (got capitl-2); the nearest: capital-2, capital-1, sum-1" in done.err
    assert "[UNKNOWN_SAMPLE]" in done.err


def test_hostile_text_stays_text(workbench: Command) -> None:
    row = json.loads(SAMPLES.read_text().splitlines()[1])
    row["messages"][0]["content"] = "\x1b[31mred\x1b[0m\n\u202eevil"
    SAMPLES.write_text(json.dumps(row) + "\n")
    workbench("eval", "run", "-q")
    shown = workbench("eval", "show", "--sample", "capital-2").out
    assert "\x1b" not in shown and "\u202e" not in shown
    assert "[31mred" in shown
