"""`workbench data stats | dedupe | filter`, as typed, over a dataset that is stored in the home."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import Command
from tests.curation.quality.conftest import chat, sample
from workbench.datasets import Sample, Use
from workbench.reading.storing import Origin, store_rows

LAMP = ("How do I return a lamp that I bought last week?", "Bring it to any branch within thirty days of that.")


def stored(name: str = "help", use: Use = "train") -> str:
    """Store five chats: two that are the same, a refusal, and one with an address."""
    rows = [
        chat("one", *LAMP, lang="en"),
        chat("two", *LAMP, lang="en", annotators=1),
        chat("no", "And a house?", "I'm sorry, but I can't help with that.", lang="en"),
        chat("mail", "Whom do I ask?", "Write to bob.smith@firma.de", lang="en"),
        chat("plain", "And a chair?", "The same holds for chairs.", lang="de"),
    ]
    origin = Origin(name=name, kind="conversations", use=use)
    return store_rows(rows, origin, Path(".workbench"), datetime.now(UTC)).manifest.fingerprint


def test_stats_show_lengths_findings_and_a_waterfall_without_changing_anything(workbench: Command) -> None:
    stored()
    done = workbench("data", "stats", "help", "--html", "page.html")
    assert done.code == 0, done.err
    for told in ("words: answer", "language", "<email:1>", "refusals", "█", "2 alike; kept two"):
        assert told in done.out
    assert "bob.smith" not in done.out
    page = Path("page.html").read_text()
    assert "Waterfall" in page and "bob.smith" not in page
    found = json.loads(workbench("data", "stats", "help", "--json").out)
    assert (found["n"], found["found"]) == (5, {"email": 1})
    assert [s["n_out"] for s in found["steps"]] == [4, 4, 4, 3, 3, 3, 2]


def test_dedupe_stores_a_new_version_that_names_its_parent_and_leaves_the_old_one(workbench: Command) -> None:
    parent = stored()
    done = json.loads(workbench("data", "dedupe", "help", "--json").out)
    assert (done["n_in"], done["n_out"]) == (5, 4)
    assert done["stored"]["parents"] == [parent]
    assert done["stored"]["rule"]["1 exact"].endswith("5 → 4")
    ids = [row["id"] for row in json.loads(workbench("data", "show", "help", "--json").out)["rows"]]
    assert ids == ["two", "no", "mail", "plain"]
    assert workbench("data", "stats", f"help@{parent[:8]}").code == 0
    again = workbench("data", "dedupe", "help")
    assert again.code == 0 and "stays as it is" in again.err


def test_a_dry_run_stores_nothing(workbench: Command) -> None:
    stored()
    done = workbench("data", "filter", "help", "--drop", "refusals", "--dry-run")
    assert done.code == 0 and "4 of 5 rows would be left" in done.err
    assert json.loads(workbench("data", "stats", "help", "--json").out)["n"] == 5


def test_filter_drops_masks_and_takes_another_name(workbench: Command) -> None:
    stored()
    words = ("--drop", "refusals", "--mask", "personal", "--as", "clean")
    done = workbench("data", "filter", "help", *words)
    assert done.code == 0 and "stored clean-train@" in done.out
    told = workbench("data", "show", "clean", "--json").out
    assert "<email:1>" in told and "bob.smith" not in told and "sorry" not in told


def test_a_filter_that_leaves_nothing_is_refused(workbench: Command) -> None:
    stored()
    done = workbench("data", "filter", "help", "--min-words", "1000")
    assert done.code == 3 and "[NOTHING_LEFT]" in done.err


def test_options_that_make_no_sense_are_told(workbench: Command) -> None:
    stored()
    assert "--label" in workbench("data", "filter", "help", "--drop", "label-errors").err
    done = workbench("data", "filter", "help", "--at-most", "3")
    assert done.code == 2 and "--balance" in done.err
    done = workbench("data", "stats", "help", "--tokenizer", "candidate")
    assert done.code == 2 and "[TOKENIZER]" in done.err


def test_a_row_that_a_gate_set_knows_is_a_leak_and_not_silently_dropped(workbench: Command) -> None:
    stored()
    gate: list[Sample] = [sample("g1", LAMP[0], "yes")]
    store_rows(gate, Origin(name="exam", kind="samples", use="gate"), Path(".workbench"), datetime.now(UTC))
    done = workbench("data", "dedupe", "help")
    assert done.code == 3
    assert "two" in done.err and "exam" in done.err
    assert json.loads(workbench("data", "stats", "help", "--json").out)["n"] == 5
