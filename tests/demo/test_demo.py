"""The demo: its own project, found again by content, and the whole way with simulated annotators."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.adapters.argilla_server import run as run_argilla
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.errors import ConfigError
from workbench.jobs.demo import FULL, ROUND_1, ROUND_2, SMALL, accepted, asking, demo_project, was_labelled
from workbench.jobs.loop import Queue, samples_of
from workbench.models import LocalSpec, RagSpec

ROOT = Path(__file__).parents[2]


@pytest.fixture
def outer(tmp_path: Path) -> Workbench:
    """The shipped workbench.yaml, in a folder of its own."""
    config = (ROOT / "workbench.yaml").read_text().replace("demo/models", str(ROOT / "demo" / "models"))
    config = config.replace("evalsets/helpcentre/documents", str(ROOT / "evalsets" / "helpcentre" / "documents"))
    (tmp_path / "workbench.yaml").write_text(f"evalsets: {ROOT / 'evalsets'}\n{config}")
    return load_workbench(tmp_path / "workbench.yaml")


def test_the_demo_has_a_project_of_its_own_and_leaves_the_outer_one_alone(outer: Workbench) -> None:
    bench = demo_project(outer, SMALL, {})
    assert bench.file.parent == outer.home.root.absolute() / SMALL.folder != bench.home.root
    assert bench.candidate() == "base" and "SIMULATED" in bench.file.read_text()
    base, pipeline = bench.model("base"), bench.model("help-bot")
    assert isinstance(base, LocalSpec) and base.sampling.temperature == 0
    assert isinstance(pipeline, RagSpec) and pipeline.generator == "base"
    assert demo_project(outer, SMALL, {}) == bench, "a second time it is the same"


def test_the_demo_needs_a_model_that_it_can_tune_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "workbench.yaml").write_text("models:\n  m: {kind: scripted}\ncandidate: m\n")
    with pytest.raises(ConfigError, match="the demo tunes a local model's folder"):
        demo_project(load_workbench(tmp_path / "workbench.yaml"), SMALL, {})


def test_no_judge_is_asked_where_none_is_needed_and_the_gate_is_looked_at_by_the_full_demo_alone(
    outer: Workbench,
) -> None:
    bench = demo_project(outer, SMALL, {})
    assert not asking(bench, "base", "dev", 5).spec.judges
    assert set(asking(bench, "base", "dev", 5, judged=True).spec.judges) == {"judge"}
    assert FULL.gate and not SMALL.gate


def test_simulated_annotators_know_no_answer_of_the_gate(outer: Workbench) -> None:
    bench = demo_project(outer, SMALL, {})
    known = accepted(bench)
    assert {s.question() for s in samples_of(bench, "dev")} <= set(known)
    assert not {s.question() for s in samples_of(bench, "gate")} & set(known)


def test_a_queue_that_was_never_pulled_is_labelled(outer: Workbench) -> None:
    bench = demo_project(outer, SMALL, {})
    assert not any(was_labelled(bench, Queue(name, "response_edit", ())) for name in (ROUND_1, ROUND_2))


def command(outer: Workbench) -> list[str]:
    return [sys.executable, "-m", "workbench", "--config", str(outer.file), "demo", "--fast", "--json", "-q"]


@pytest.mark.long
@pytest.mark.served
def test_without_argilla_the_demo_says_what_it_leaves_out_and_does_the_rest(outer: Workbench) -> None:
    environment = {**os.environ, "WORKBENCH_ARGILLA_VENV": str(outer.file.parent / "nowhere")}
    done = subprocess.run(command(outer), capture_output=True, text=True, timeout=500, env=environment)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "labelling" in told["left_out"] and "make setup-argilla" in done.stderr
    assert told["rag"]["causes"] and "demo-pairs" not in told


@pytest.mark.long
@pytest.mark.served
@pytest.mark.argilla
def test_the_fast_demo_killed_on_its_way_goes_on_and_a_second_time_finds_all_there(outer: Workbench) -> None:
    argilla = outer.home.root / SMALL.folder / "home" / "argilla"
    try:
        killed = subprocess.Popen(command(outer), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(30)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        done, again = (subprocess.run(command(outer), capture_output=True, text=True, timeout=900) for _ in range(2))
    finally:
        run_argilla(["down"], argilla, ROOT, quiet=True)
    assert done.returncode == 0 == again.returncode, done.stderr + again.stderr
    told, repeated = json.loads(done.stdout), json.loads(again.stdout)
    assert told["labels"]["annotators"] == "simulated"
    assert told["demo-chats"]["n"] >= 10 and told["demo-pairs"]["n"] >= 2
    for name in ("demo-chats", "demo-pairs", "sft", "sft-dpo", "ladder_dev"):
        assert repeated[name] == told[name], f"{name} is found again"
    assert "ladder_gate" not in told, "a fast demo does not look at the gate"
