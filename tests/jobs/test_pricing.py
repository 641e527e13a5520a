"""What a run would call: every judged scorer is rehearsed, and nobody is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from workbench.config.workbench_yaml import load_workbench
from workbench.jobs.planning import Asked, plan, select
from workbench.jobs.pricing import estimate, total
from workbench.jobs.rehearsing import CLAIM, CLAIMS, stand_in

N, LONGEST = 6, 100
RUBRIC = '---\nname: {}\nversion: "1"\nscale: {}\n---\nPass when the answer is right.\n'
ENDPOINT = {"kind": "endpoint", "base_url": "http://127.0.0.1:9/v1", "model": "m", "sampling": {"max_tokens": LONGEST}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write an evalset of six samples with a scorer of every judged kind."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "evalsets" / "quiz"
    (home / "rubrics").mkdir(parents=True)
    (home / "rubrics/right.md").write_text(RUBRIC.format("right", "binary"))
    (home / "rubrics/step.md").write_text(RUBRIC.format("step", "{ordinal: {min: 1, max: 5}}"))
    rows = [
        {"id": f"s{n}", "references": ["town"] if n else [], "messages": [{"role": "user", "content": f"Q {n}?"}]}
        for n in range(N)
    ]
    (home / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    right = {"rubric": "rubrics/right.md"}
    scorers = [
        {"kind": "exact_match"},
        {"kind": "rubric_judge", "judge": "a", **right},
        {"kind": "panel_judge", "panel": ["a", "b", "c"], "name": "panel", **right},
        {"kind": "checklist_judge", "judge": "a", "questions": [{"name": w, "passes_when": w} for w in ("x", "y")]},
        {"kind": "pairwise_judge", "judge": "b", "name": "pair", **right},
        {"kind": "scorecard_judge", "judge": "b", "rubric": "rubrics/step.md", "samples": 4},
    ]
    evalset = {"name": "quiz", "version": "1", "use": "dev", "scorers": scorers}
    (home / "evalset.yaml").write_text(yaml.safe_dump(evalset))
    models = {name: {**ENDPOINT, "price": {"input": 1, "output": 10}} for name in ("bot", "a", "b")}
    models["c"] = {"kind": "scripted"}
    Path("workbench.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "bot"}))
    return tmp_path


def test_every_judged_scorer_is_priced_by_the_calls_that_it_would_make(folder: Path) -> None:
    bench = load_workbench(folder / "workbench.yaml")
    (evalset,) = select(bench, ["quiz"], "dev")
    found = estimate(bench, plan(bench, Asked("quiz", "dev", "bot", repeats=2), evalset))
    assert {(e.role, e.model): e.calls for e in found} == {
        ("candidate", "bot"): 2 * N,
        ("right", "a"): 2 * N,
        ("panel", "a"): 2 * N,
        ("panel", "b"): 2 * N,
        ("panel", "c"): 0,  # a script: it calls nobody
        ("checklist_judge", "a"): 2 * 2 * N,
        ("pair", "b"): 2 * 2 * (N - 1),  # the first sample has nothing to be held against
        ("step", "b"): 2 * 4 * N,
    }
    panel = [e for e in found if e.role == "panel"]
    assert panel[0].input_tokens == panel[1].input_tokens > LONGEST * 2 * N, "each prompt holds the whole answer"
    assert total(found) == pytest.approx(sum((e.input_tokens + 10 * e.output_tokens) / 1e6 for e in found), rel=1e-3)
    assert not list((folder / ".workbench").glob("runs/*"))


def test_a_stand_in_reply_has_the_wanted_form() -> None:
    item = {"type": "object", "properties": {"said": {"type": "string"}, "holds": {"type": "integer", "minimum": 0}}}
    schema = {"$defs": {"Item": item}, "type": "object", "properties": {
        "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}}, "word": {"enum": ["pass", "fail"]},
        "maybe": {"anyOf": [{"type": "boolean"}, {"type": "null"}]}}}  # fmt: skip
    made = stand_in(schema, schema)
    assert made == {"items": [{"said": CLAIM, "holds": 0}] * CLAIMS, "word": "pass", "maybe": True}
    endless = {"$defs": {"A": {"type": "array", "items": {"$ref": "#/$defs/A"}}}, "$ref": "#/$defs/A"}
    assert len(json.dumps(stand_in(endless, endless))) < 10_000, "a form within itself is cut off"
