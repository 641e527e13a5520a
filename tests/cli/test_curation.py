"""What the commands of versions, lineage, scans and evalsets say, and how they end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import Command
from tests.curation.test_firewall import conversation, sample
from workbench.reading.storing import Origin, store_rows

HOME = Path(".workbench")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ESC = "\x1b[31mred\x1b[0m"


def two_versions() -> tuple[str, str]:
    """Store two versions of a set of conversations and return their names."""
    origin = Origin("chats", "conversations", "train")
    rows = [conversation("a", f"one two {ESC}"), conversation("b", "gone")]
    stored = [
        store_rows(some, origin, HOME, NOW)
        for some in (rows, [conversation("a", f"one 2 {ESC}"), conversation("c", "q")])
    ]
    names = [f"chats@{one.manifest.fingerprint[:8]}" for one in stored]
    return names[0], names[1]


def test_a_diff_shows_rows_and_words_without_obeying_them(workbench: Command) -> None:
    old, new = two_versions()
    done = workbench("data", "diff", old, new)
    assert done.code == 0 and "\x1b" not in done.out
    for told in (
        "1 added, 1 removed, 1 changed",
        "messages[0].content: one [-two-]{+2+}",
        "added\n  c",
        "removed\n  b",
    ):
        assert told in done.out
    told = json.loads(workbench("data", "diff", old, new, "--json").out)
    assert (told["added"], told["removed"]) == (["c"], ["b"])


def test_a_scan_ends_with_1_where_a_benchmark_is_found(workbench: Command) -> None:
    _, new = two_versions()
    Path("bench.jsonl").write_text('{"id": "q1", "question": "Q"}\n')
    found = workbench("data", "scan", new, "--against", "bench.jsonl")
    assert found.code == 1 and "bench.jsonl q1" in found.out
    Path("bench.jsonl").write_text('{"id": "q1", "question": "another question"}\n')
    clean = workbench("data", "scan", new, "--against", "bench.jsonl", "--json")
    assert clean.code == 0 and json.loads(clean.out)["found"][0]["n_rows"] == 0


def test_lineage_is_drawn_as_a_tree_and_a_row_can_be_shown_whole(workbench: Command) -> None:
    [parent] = [store_rows([sample("s", "q")], Origin("set", "samples", "dev"), HOME, NOW)]
    rows = [conversation("a", "q", sources=["set-dev/s"])]
    store_rows(rows, Origin("chats", "conversations", "train", parents=(parent.manifest.fingerprint,)), HOME, NOW)
    assert "└─ dataset set-dev@" in workbench("data", "show", "chats", "--lineage").out
    assert "└─ dataset chats-train@" in workbench("data", "show", "set", "--lineage").out
    row = workbench("data", "show", "chats", "--row", "a", "--lineage").out
    assert row.splitlines()[1].startswith("└─ row set-dev@") and row.splitlines()[1].endswith("/s  (q)")
    assert json.loads(workbench("data", "show", "chats", "--row", "a", "--json").out)["id"] == "a"
    assert workbench("data", "show", "chats", "--row", "z").code == 3


def test_failures_of_a_dev_run_become_an_evalset_that_is_audited_edited_and_compared(workbench: Command) -> None:
    assert workbench("eval", "run", "-q").code == 0
    done = workbench("evalset", "build", "hard", "--failures", "latest", "--by", "Ada", "--why", "what it fails on")
    assert done.code == 0 and "added 2: capital-2, sum-1" in done.out
    rows = [json.loads(line) for line in Path("evalsets/hard/samples.jsonl").read_text().splitlines()]
    assert [row["group"] for row in rows] == ["capital-peru", "sum"]
    audit = json.loads(workbench("evalset", "audit", "hard", "--json").out)
    assert {one["check"]: one["state"] for one in audit["findings"]}["slices"] == "look"
    assert workbench("evalset", "audit", "hard", "--html", "audit.html").code == 0
    assert "Audit of hard" in Path("audit.html").read_text()
    text = Path("evalsets/hard/samples.jsonl").read_text().replace("Lima", "Lima, Peru")
    Path("evalsets/hard/samples.jsonl").write_text(text)
    assert "references[0]: [-Lima-]{+Lima, Peru+}" in workbench("evalset", "diff", "hard").out
    assert workbench("evalset", "diff", "hard", "--version", "7").code == 3


def test_a_build_without_a_source_is_refused_and_skeletons_are_never_overwritten(workbench: Command) -> None:
    words = ("evalset", "build", "new", "--by", "Ada", "--why", "x")
    assert workbench(*words).code == 2
    Path("docs").mkdir()
    Path("docs/a.md").write_text("<!-- passage: a#1 -->\nThree plans.\n")
    assert workbench(*words, "--documents", "docs").code == 0
    assert json.loads(Path("evalsets/new/skeletons.jsonl").read_text())["id"] == "a#1"
    again = workbench(*words, "--documents", "docs")
    assert again.code == 2 and "FILE_EXISTS" in again.err


def test_an_import_to_learn_from_is_refused_where_a_gate_set_knows_it_and_nothing_is_stored(workbench: Command) -> None:
    yaml = Path("evalsets/first/evalset.yaml")
    yaml.write_text(yaml.read_text().replace("use: dev", "use: gate"))
    asked = ["What is the capital of FRANCE?", "What is the capital of Chile?"]
    turns = [[{"role": "user", "content": text}, {"role": "assistant", "content": "It is."}] for text in asked]
    Path("chats.jsonl").write_text("".join(json.dumps({"messages": one}) + "\n" for one in turns))
    refused = workbench("data", "import", "chats.jsonl", "--name", "chats", "--use", "train")
    assert refused.code == 3 and "[LEAK]" in refused.err and "capital-1" in refused.err
    assert "chats" not in workbench("data", "ls").out
    assert workbench("data", "import", "chats.jsonl", "--name", "chats", "--use", "dev").code == 0
    Path("chats.jsonl").write_text(json.dumps({"messages": turns[1]}) + "\n")
    assert workbench("data", "import", "chats.jsonl", "--name", "chats", "--use", "train").code == 0
    assert "1 rows held against first-gate@" in workbench("data", "show", "chats-train").out


def test_a_hole_in_the_firewall_is_told_by_the_audit(workbench: Command) -> None:
    yaml = Path("evalsets/first/evalset.yaml")
    yaml.write_text(yaml.read_text().replace("use: dev", "use: gate"))
    store_rows(
        [conversation("c", "what is the capital of FRANCE")], Origin("learnt", "conversations", "train"), HOME, NOW
    )
    found = json.loads(workbench("evalset", "audit", "first", "--json").out)["findings"]
    leak = next(one for one in found if one["check"] == "leakage")
    assert (leak["n"], leak["examples"][0]["id"]) == (1, "capital-1")
