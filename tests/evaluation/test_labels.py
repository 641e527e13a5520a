"""The causes that scorers name are counted over a whole run."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.cli.conftest import Command, workbench

__all__ = ["workbench"]


def test_every_answer_has_one_cause_and_the_causes_add_up(workbench: Command) -> None:
    folder = Path("evalsets/asked")
    folder.mkdir(parents=True)
    rows = [
        {"id": f"s{n}", "messages": [{"role": "user", "content": f"Number {n}?"}], "references": ["one"],
         "contexts": [{"id": "p", "text": "one or two"}], "tags": {"answerable": "yes"}}
        for n in range(6)
    ]  # fmt: skip
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    evalset = {"name": "asked", "version": "1", "use": "dev", "scorers": [{"kind": "rag_cause"}]}
    (folder / "evalset.yaml").write_text(yaml.safe_dump(evalset))
    replies = {"s0": "one", "s1": "one", "s2": "two", "s3": "seventy"}
    models = {"bot": {"kind": "scripted", "replies": replies, "default": "empty"}}
    Path("workbench.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "bot"}))
    assert workbench("eval", "run", "asked").code == 0
    shown = " ".join(workbench("eval", "show").out.split())
    for told in ("right 2/6", "wrongly_abstained 2/6", "context_ignored 1/6", "invented 1/6"):
        assert f"rag_cause {told}" in shown
    page = next(Path(".workbench/runs").glob("*/report.html")).read_text()
    assert "What rag_cause found" in page
