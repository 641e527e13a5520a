"""`workbench rag index | ask | sweep`, as typed, over real embeddings and a real LanceDB."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Command

FACTS = {
    "plans.md": "---\ntopic: billing\n---\nPlans\n\nThe Team plan costs twelve euros.\n\nThe Business plan does not.",
    "rooms.md": "---\ntopic: rooms\n---\n# Rooms\n\nTo book a room, open the calendar and choose a time.",
    "keys.md": "---\ntopic: security\n---\n# Keys\n\nAn API key is shown once, when it is made.",
}


@pytest.fixture
def rag(workbench: Command) -> Command:
    """Make three documents, a pipeline over them that repeats its prompt, and an evalset for it."""
    Path("docs").mkdir()
    for name, text in FACTS.items():
        (Path("docs") / name).write_text(text)
    pipeline = {"kind": "rag", "index": ["help"], "generator": "echo", "top_k": 1}
    config = {
        "models": {"echo": {"kind": "scripted"}, "bot": pipeline},
        "candidate": "echo",
        "rag": {"help": {"documents": "docs", "split": {"by": "structure", "size": 60, "overlap": 0}}},
    }
    Path("workbench.yaml").write_text(yaml.safe_dump(config))
    folder = Path("evalsets/asked")
    folder.mkdir(parents=True)
    asked = {"plans#1": "What does the Team plan cost?", "rooms#1": "How do I book a room?"}
    rows = [
        {"id": gold, "messages": [{"role": "user", "content": text}], "gold_contexts": [gold]}
        for gold, text in asked.items()
    ]
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    scorer = {"kind": "retrieval", "measure": "recall", "k": 1, "match": "document"}
    evalset = {"name": "asked", "version": "1", "use": "dev", "model": "bot", "scorers": [scorer]}
    (folder / "evalset.yaml").write_text(yaml.safe_dump(evalset))
    return workbench


def test_documents_are_indexed_found_again_unchanged_and_built_anew_when_they_change(rag: Command) -> None:
    early = rag("rag", "ask", "x", "--only-passages")
    assert early.code == 3 and "this index was not built yet" in early.err and "workbench rag index help" in early.err
    (first,) = json.loads(rag("rag", "index", "--json", "-q").out)
    assert (first["n_documents"], first["new"], first["tags"]["topic"]) == (3, True, ["billing", "rooms", "security"])
    (again,) = json.loads(rag("rag", "index", "--json", "-q").out)
    assert not again["new"] and again["fingerprint"] == first["fingerprint"]

    for how, question in (
        ("vector", "price of the plan for teams"),
        ("keyword", "euros"),
        ("hybrid", "what costs twelve"),
    ):
        _set("bot", search=how)
        found = json.loads(rag("rag", "ask", question, "--only-passages", "--json").out)["passages"]
        assert found[0]["document"] == "plans", how
    _set("bot", where={"topic": "security"})
    found = json.loads(rag("rag", "ask", "the Team plan", "--only-passages", "--json").out)["passages"]
    assert [chunk["document"] for chunk in found] == ["keys"]
    _set("bot", where={"colour": "x'; DROP TABLE chunks"})
    refused = rag("rag", "ask", "x", "--only-passages")
    assert refused.code == 3 and "no document of this index has such a tag" in refused.err

    Path("docs/rooms.md").write_text("# Rooms\n\nRooms are booked by phone.")
    stale = rag("rag", "ask", "x", "--only-passages")
    assert stale.code == 3 and "changed since this index was built" in stale.err


def test_a_pipeline_is_evaluated_by_its_evalset_and_its_settings_are_compared(rag: Command) -> None:
    rag("rag", "index", "-q")
    run = json.loads(rag("eval", "run", "asked", "--json", "-q").out)
    assert run["spec"]["model_name"] == "bot"
    assert run["metrics"][0]["scorer"] == "recall_at_1" and run["metrics"][0]["value"] == 1
    done = rag("rag", "sweep", "asked", "--vary", "search=vector,keyword", "--vary", "top_k=1,2", "--json", "-q")
    assert done.code == 0 and "picked for winning" in done.err
    assert len(json.loads(done.out)["against"]) == 3
    asked = rag("rag", "ask", "What does the Team plan cost?")
    assert asked.code == 0 and "[1] plans#1" in asked.out and "twelve euros" in asked.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--vary", "topk=1,2"), "did you mean 'top_k'?"),
        (("--vary", "top_k=1"), "2 to 32 can be compared"),
        (("--vary", "top_k=1,no"), "top_k"),
        (("--vary", "search=vector,words"), "search"),
    ],
)
def test_a_sweep_over_what_is_no_setting_is_refused(rag: Command, words, message) -> None:
    done = rag("rag", "sweep", "asked", *words)
    assert done.code == 2 and message in done.err


def test_a_pipeline_over_what_is_not_there_is_refused_before_anything_runs(rag: Command) -> None:
    _set("bot", index=["halp"], generator="bot")
    done = rag("eval", "run", "asked")
    assert done.code == 2
    assert "did you mean 'help'?" in done.err and "a pipeline cannot answer for a pipeline" in done.err
    _set("bot", index=["help"], generator="echo")
    assert "this model is no RAG pipeline" in rag("rag", "ask", "x", "--model", "echo").err


def _set(model: str, **settings: object) -> None:
    config = yaml.safe_load(Path("workbench.yaml").read_text())
    config["models"][model].update(settings)
    Path("workbench.yaml").write_text(yaml.safe_dump(config))


@pytest.mark.parametrize("question", ["", "  \n"])
def test_an_empty_question_is_a_usage_error(workbench: Command, question: str) -> None:
    refused = workbench("rag", "ask", question)
    assert refused.code == 2 and "QUESTION is empty" in refused.err
