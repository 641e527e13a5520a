"""The loop: simulated annotators label over the real server, and what they said becomes pairs and conversations."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.labelling.serving import Served
from workbench.adapters.argilla_server import run as run_argilla
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.curation.pairs.policy import PairPolicy
from workbench.datasets import Conversation, PreferencePair, Use
from workbench.errors import ConfigError
from workbench.jobs.labelling import Wish, connected, pull_dataset, push_tasks, queue_disagreements
from workbench.jobs.loop import label, loop_project
from workbench.jobs.pairs import Building, Made, Sources, build
from workbench.labelling.resolving import Resolution
from workbench.labelling.tasks import Task
from workbench.records import Message
from workbench.simulated.annotators import SimulatedAnnotator, Truth

ROOT = Path(__file__).parents[2]
SURE, CARELESS = SimulatedAnnotator("simulated-sure", 0.0), SimulatedAnnotator("simulated-careless", 0.5)
JUDGE = SimulatedAnnotator("simulated-adjudicator", 0.0)
N = 12


@pytest.fixture
def bench(argilla: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    monkeypatch.setenv("LOOP_KEY", argilla.key)
    place = {"url": argilla.url, "api_key_env": "LOOP_KEY", "workspace": "default"}
    config = {"home": "home", "models": {"m": {"kind": "scripted"}}, "candidate": "m", "labelling": place}
    (tmp_path / "workbench.yaml").write_text(json.dumps(config))
    return load_workbench(tmp_path / "workbench.yaml")


def made(*outputs: str) -> tuple[list[Task], Truth]:
    """Return records whose accepted answer is `yes <n>`, and what the annotators know."""
    asked = [f"Is room number {n} on floor {n % 7} free for guests?" for n in range(N)]
    tasks = [
        Task(id=f"q{n}", group=f"f{n}", messages=(Message(role="user", content=text),), tags={"model": "m"},
             outputs=tuple(output.format(n=n) for output in outputs))
        for n, text in enumerate(asked)
    ]  # fmt: skip
    return tasks, {text: (f"yes {n}",) for n, text in enumerate(asked)}


def labelled(bench: Workbench, name: str, template: str, tasks: list[Task], known: Truth) -> None:
    """Push, have two people answer and a third decide, and pull."""
    server = connected(bench)
    try:
        push_tasks(bench, server, tasks, Wish(name, template, name, overlap=2), lambda done, total: None)
        told = label(bench, name, [SURE, CARELESS], known)
        assert [(one.n, one.n_wrong > 0) for one in told] == [(N, False), (N, True)]
        queue, pushed = queue_disagreements(bench, server, name, lambda done, total: None)
        (decided,) = label(bench, queue, [JUDGE], known)
        assert decided.n == pushed.added == told[1].n_wrong, "who errs is the only one who differs"
        how = Resolution(policies=("adjudicated", "majority"))
        snapshot = pull_dataset(bench, server, name, lambda done, total: None, how)
        assert {one.annotator for one in snapshot.labels()} == {"simulated-sure", "simulated-careless"}
        assert label(bench, name, [SURE, CARELESS], known)[0].n == 0, "a second time nothing waits"
    finally:
        server.close()


def built(bench: Workbench, kind: Made, *labels: str) -> Iterator[PreferencePair | Conversation]:
    use: Use = "train"
    wanted = Building(f"made-{kind}", use, kind, Sources(labels=labels), PairPolicy())
    for row in build(bench, wanted, datetime(2026, 3, 1, tzinfo=UTC)).stored.iter_values():
        assert isinstance(row, PreferencePair | Conversation)
        assert row.lineage.annotators and all(name.startswith("simulated") for name in row.lineage.annotators)
        yield row


@pytest.mark.argilla
def test_picks_and_rankings_become_pairs_whose_chosen_side_is_the_better_one(bench: Workbench) -> None:
    (bench.file.parent / "evalsets").mkdir()
    tasks, known = made("no", "yes {n}")
    labelled(bench, "picks", "preference", tasks, known)
    tasks, known = made("no", "yes {n}", "yes {n} and more")
    labelled(bench, "rankings", "preference", tasks, known)
    rows = [row for row in built(bench, "pairs", "picks", "rankings") if isinstance(row, PreferencePair)]
    order = ["no", "and more", "yes"]
    assert len(rows) >= 2 * N
    for row in rows:
        assert place(row.chosen.text(), order) > place(row.rejected.text(), order)


def place(text: str, order: list[str]) -> int:
    return next(at for at, word in enumerate(order) if word in text)


@pytest.mark.long
@pytest.mark.argilla
def test_edits_and_reviews_become_conversations_that_hold_accepted_answers(bench: Workbench) -> None:
    (bench.file.parent / "evalsets").mkdir()
    for name, template, output in (("edits", "response_edit", "no"), ("reviews", "rag_review", "yes {n}")):
        tasks, known = made(output)
        labelled(bench, name, template, tasks, known)
    rows = list(built(bench, "conversations", "edits", "reviews"))
    assert all(isinstance(row, Conversation) and row.messages[-1].content.startswith("yes") for row in rows)
    assert {row.lineage.recipe for row in rows} <= {"pairs build: accepted", "pairs build: corrected"}


def test_the_loop_needs_a_model_that_it_can_sample_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "workbench.yaml").write_text("models:\n  m: {kind: scripted}\ncandidate: m\n")
    with pytest.raises(ConfigError, match="the loop samples a local model's folder"):
        loop_project(load_workbench(tmp_path / "workbench.yaml"))


@pytest.mark.long
@pytest.mark.served
@pytest.mark.argilla
def test_the_command_runs_the_whole_loop_and_refuses_the_planted_leak(tmp_path: Path) -> None:
    config = (ROOT / "workbench.yaml").read_text().replace("demo/models", str(ROOT / "demo" / "models"))
    config = config.replace("evalsets/helpcentre/documents", str(ROOT / "evalsets" / "helpcentre" / "documents"))
    (tmp_path / "workbench.yaml").write_text(f"evalsets: {ROOT / 'evalsets'}\n{config}")
    words = ["--config", str(tmp_path / "workbench.yaml"), "demo", "--loop", "--fast", "--json", "-q"]
    argilla = tmp_path / ".workbench" / "loop-20" / "home" / "argilla"
    try:
        done = subprocess.run([sys.executable, "-m", "workbench", *words], capture_output=True, text=True, timeout=500)
        again = subprocess.run([sys.executable, "-m", "workbench", *words], capture_output=True, text=True, timeout=500)
    finally:
        run_argilla(["down"], argilla, ROOT, quiet=True)
    assert done.returncode == 0 == again.returncode, done.stderr + again.stderr
    told, repeated = json.loads(done.stdout), json.loads(again.stdout)
    assert "SIMULATED" in done.stderr and told["annotators"] == "simulated"
    assert "refused: loop-pairs" in done.stderr and "refused: loop-chats" in done.stderr
    assert done.stderr.count("has the same words as") >= 2, "the planted question, in pairs and in conversations"
    assert told["pairs"]["n"] >= 5 and told["conversations"]["n"] >= 10
    assert all(one["seen"] is not None for one in told["planted"] if one["planted"]), "every planted flaw is found"
    assert not [one for one in told["planted"] if not one["planted"]], "and nothing else"
    assert repeated["pairs"]["fingerprint"] == told["pairs"]["fingerprint"]
    assert sum(one["n"] for one in repeated["answers"]) == 0, "the second time everything was answered before"
