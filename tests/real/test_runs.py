"""Real recorded outputs through the whole command: the run's numbers are the scorers' own, and all is counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.real.conversions import Recorded, gsm8k, squad, write_outputs, write_samples

pytestmark = pytest.mark.real


def evaluated(folder: Path, name: str, recorded: Recorded, scorers: list[dict[str, Any]]) -> dict[str, Any]:
    """Evaluate recorded outputs with the `workbench` command and return the run."""
    evalset = folder / "evalsets" / name
    evalset.mkdir(parents=True)
    write_samples(recorded, evalset / "samples.jsonl")
    write_outputs(recorded, folder / "outputs.jsonl")
    spec = {"name": name, "version": "1", "use": "dev", "scorers": scorers}
    (evalset / "evalset.yaml").write_text(yaml.safe_dump(spec))
    models = {"production": {"kind": "recorded", "path": "outputs.jsonl"}}
    (folder / "workbench.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "production"}))
    words = ["--config", str(folder / "workbench.yaml"), "eval", "run", "-q", "--json"]
    done = subprocess.run([sys.executable, "-m", "workbench", *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    run: dict[str, Any] = json.loads(done.stdout)
    return run


def whole(run: dict[str, Any], scorer: str) -> dict[str, Any]:
    (metric,) = [m for m in run["metrics"] if m["scorer"] == scorer and not m["slice"]]
    found: dict[str, Any] = metric
    return found


def test_gsm8k_solutions_run_to_the_published_solve_rate(rows, tmp_path: Path) -> None:
    recorded = gsm8k(rows("gsm8k_model_solutions"), "175b_verification")
    run = evaluated(tmp_path, "gsm8k", recorded, [{"kind": "numeric"}])
    solved = whole(run, "numeric")
    assert solved["value"] == pytest.approx(sum(recorded.labels) / len(recorded.labels), abs=1e-12)
    assert (solved["n"], solved["n_failed"]) == (len(recorded.labels), 0)
    assert solved["interval"]["method"] == "wilson"


def test_squad_answers_run_to_the_mean_of_the_scorer_itself(rows, score_all, tmp_path: Path) -> None:
    recorded = squad(rows("squad_v2_qa"))
    run = evaluated(tmp_path, "squad", recorded, [{"kind": "token_f1"}, {"kind": "exact_match"}])
    for kind in ("token_f1", "exact_match"):
        values = [s.value for s in score_all({"kind": kind}, recorded)]
        metric = whole(run, kind)
        assert metric["value"] == pytest.approx(sum(values) / len(values), abs=1e-9)
        assert metric["n"] == len(values)
        assert "clustered" in metric["interval"]["method"], "questions about one article are one family"
    assert {m["slice"] for m in run["metrics"] if m["slice"]} == {"answerable=false", "answerable=true"}
