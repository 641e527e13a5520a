"""distilabel's tasks over the demo models behind a real `transformers serve`, killed in between."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from workbench.jobs.labelling_sources import tasks_from_file

pytestmark = [pytest.mark.served, pytest.mark.long]
ROOT = Path(__file__).parents[2]
LIMIT = 20


def test_answers_of_served_models_are_kept_over_a_kill_and_then_judged(tmp_path: Path) -> None:
    base = ROOT / "demo" / "models" / "base"
    drawing = tmp_path / "drawing"
    shutil.copytree(base, drawing)
    told = orjson.loads((drawing / "generation_config.json").read_bytes())
    (drawing / "generation_config.json").write_bytes(orjson.dumps({**told, "do_sample": True}))
    models = f"""evalsets: {ROOT / "evalsets"}
models:
  cold: {{kind: local, base: {base}, sampling: {{max_tokens: 48}}, cache: false}}
  warm: {{kind: local, base: {drawing}, sampling: {{max_tokens: 48, temperature: 1.5}}, cache: false}}
candidate: cold
"""
    (tmp_path / "workbench.yaml").write_text(models)
    make = f"kind: answers, evalset: helpcentre, limit: {LIMIT}, models: [cold, warm]"
    (tmp_path / "a.yaml").write_text(f"name: a\nuse: dev\nmake: {{{make}}}\n")
    (tmp_path / "f.yaml").write_text("name: f\nuse: dev\nmake: {kind: feedback, records: a, judge: cold}\n")
    command = [sys.executable, "-m", "workbench", "--config", str(tmp_path / "workbench.yaml"), "synth", "run"]
    kept = kill_when_some_are_kept([*command, str(tmp_path / "a.yaml")], tmp_path)
    answers = run([*command, str(tmp_path / "a.yaml"), "--json"])
    assert answers["requests"] == 2 * LIMIT and answers["reused"] >= kept > 0
    tasks = tasks_from_file(Path(answers["records"]))
    assert any(len(task.outputs) == 2 for task in tasks), "one of them draws its words"
    judged = run([*command, str(tmp_path / "f.yaml"), "--json"])
    # The demo model was taught to answer questions and not to judge: what it says is no verdict, and is counted so.
    assert judged["kept"] == judged["asked"] == sum(len(task.outputs) == 2 for task in tasks)


def kill_when_some_are_kept(command: list[str], folder: Path) -> int:
    """Start a command, kill it when some replies are in its journal, and return how many are."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 200
        while replies(folder) < 5 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        assert process.poll() is None, process.communicate()[1]
        os.kill(process.pid, signal.SIGKILL)
    return replies(folder)


def replies(folder: Path) -> int:
    """Return how many replies the only journal holds."""
    found = list(folder.glob(".workbench/synth/a/*/replies.sqlite"))
    if not found:
        return 0
    with closing(sqlite3.connect(f"file:{found[0]}?mode=ro", uri=True)) as db:
        try:
            return int(db.execute("SELECT count(*) FROM answers").fetchone()[0])
        except sqlite3.OperationalError:  # it is being made
            return 0


def run(command: list[str]) -> dict[str, int | str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, int | str] = orjson.loads(done.stdout)
    return found
