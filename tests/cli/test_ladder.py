"""`workbench eval ladder` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from workbench.config.workbench_yaml import load_workbench
from workbench.datasets import Split, split_of
from workbench.errors import ConfigError, LeakageError
from workbench.jobs.few_shot import shots, shown
from workbench.models import FewShotSpec

N = 40
SPLIT = Split(salt="s", train=0.4, dev=0.4, gate=0.2)


@pytest.fixture
def project(workbench: Command) -> Command:
    """Have an evalset with three sides, and models that are better and better."""
    rows = [
        {"id": f"q{i}", "group": f"family {i}", "references": [f"yes {i}"],
         "messages": [{"role": "user", "content": f"what is w{i} x{i} y{i} z{i}"}]}
        for i in range(N)
    ]  # fmt: skip
    Path("evalsets/first/samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = f'name: first\nversion: "1"\nsplit: {SPLIT.model_dump_json()}\nscorers: [{{kind: exact_match}}]\n'
    Path("evalsets/first/evalset.yaml").write_text(text)
    models = [
        f"  {name}: {{kind: scripted, replies: {json.dumps({f'q{i}': f'yes {i}' for i in range(0, N, step)})}}}"
        for name, step in (("base", 4), ("sft", 2), ("dpo", 1))
    ]
    Path("workbench.yaml").write_text("models:\n" + "\n".join(models) + "\ncandidate: base\n")
    return workbench


RUNGS = ("--rung", "base=base", "--rung", "SFT=sft", "--rung", "SFT + DPO=dpo")


def test_a_ladder_runs_what_is_missing_and_nothing_twice(project: Command) -> None:
    done = project("eval", "ladder", "--evalset", "first", *RUNGS, "--json")
    assert done.code == 0, done.err
    ladder = json.loads(done.out)
    assert [rung["name"] for rung in ladder["rungs"]] == ["base", "SFT", "SFT + DPO"]
    assert len(list(Path(".workbench/runs").iterdir())) == 3
    again = project("eval", "ladder", "--evalset", "first", *RUNGS, "--rung", "more=base+shots:2")
    assert again.code == 0, again.err
    assert "3 of 4 runs are there already" in again.err
    assert len(list(Path(".workbench/runs").iterdir())) == 4
    assert "interval, before" in again.out


def test_a_recipe_says_the_same_as_options(project: Command) -> None:
    Path("ladder.yaml").write_text("evalset: first\nrungs: {base: base, SFT: sft}\nkeeps: [first]\n")
    done = project("eval", "ladder", "ladder.yaml", "--html", "l.html", "--markdown", "-")
    assert done.code == 0, done.err
    assert Path("l.html").read_text().startswith("<!DOCTYPE html>")
    assert "Kept: first" in done.out
    assert project("eval", "ladder", "ladder.yaml", "--limit", "3").code == 2


def test_gate_samples_are_asked_only_where_that_is_said_and_every_rung_is_recorded(project: Command) -> None:
    words = ("eval", "ladder", "--evalset", "first", "--use", "gate", *RUNGS)
    refused = project(*words)
    assert refused.code == 2
    assert "GATE_LADDER" in refused.err
    assert not Path(".workbench/gates").exists()
    assert project(*words, "--on-gate").code == 0
    assert len(Path(".workbench/gates/records.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("rung", "code"),
    [("a=train:latest", "UNKNOWN_TRAINING"), ("a=base+shots:0", "DERIVED_MODEL"), ("a=base+rag:sft", "DERIVED_MODEL"),
     ("a=bse", "UNKNOWN_MODEL"), ("a=base+shots:60", "NO_SHOTS"), ("a=base+shots:1@none", "UNKNOWN_EVALSET")],
)  # fmt: skip
def test_a_rung_that_names_no_model_is_refused_before_anything_is_asked(project: Command, rung: str, code: str) -> None:
    done = project("eval", "ladder", "--evalset", "first", "--rung", "b=base", "--rung", rung)
    assert done.code in (2, 3)
    assert code in done.err
    assert not Path(".workbench/runs").exists()


@pytest.mark.parametrize("rung", ["a", "=base", "a=", "b=sft", "\x1b[2Ja=sft"])
def test_a_rung_that_is_not_name_and_model_is_a_usage_error(project: Command, rung: str) -> None:
    assert project("eval", "ladder", "--evalset", "first", "--rung", "b=base", "--rung", rung).code == 2


def test_shown_samples_are_of_train_families_alone(project: Command) -> None:
    bench = load_workbench(Path("workbench.yaml"))
    found = shots(bench, FewShotSpec(kind="few_shot", model="base", evalset="first", shots=5))
    assert {split_of(sample.family(), SPLIT) for sample in found} == {"train"}
    turns = shown(bench, FewShotSpec(kind="few_shot", model="base", evalset="first", shots=5))
    assert [turn.role for turn in turns] == ["user", "assistant"] * 5


def test_what_is_about_to_be_asked_is_not_shown(project: Command) -> None:
    other = Path("evalsets/other")
    other.mkdir()
    text = Path("evalsets/first/evalset.yaml").read_text().replace("first", "other").replace('"s"', '"another salt"')
    (other / "evalset.yaml").write_text(text)
    (other / "samples.jsonl").write_bytes(Path("evalsets/first/samples.jsonl").read_bytes())
    done = project("eval", "ladder", "--evalset", "first", "--rung", "b=base", "--rung", "f=base+shots:9@other")
    assert done.code == 3, done.err
    assert "LEAK" in done.err or "SHOTS_ASKED" in done.err or "gate" in done.err
    assert not Path(".workbench/runs").exists()


def test_an_evalset_without_a_train_side_shows_nothing(project: Command) -> None:
    file = Path("evalsets/first/evalset.yaml")
    file.write_text(file.read_text().replace(f"split: {SPLIT.model_dump_json()}", "use: dev"))
    bench = load_workbench(Path("workbench.yaml"))
    with pytest.raises(ConfigError, match="NO_SHOTS"):
        shots(bench, FewShotSpec(kind="few_shot", model="base", evalset="first"))


def test_a_shown_sample_that_a_gate_set_knows_is_refused(project: Command) -> None:
    guard = Path("evalsets/guard")
    guard.mkdir()
    (guard / "evalset.yaml").write_text('name: guard\nversion: "1"\nuse: gate\nscorers: [{kind: exact_match}]\n')
    (guard / "samples.jsonl").write_bytes(Path("evalsets/first/samples.jsonl").read_bytes())
    bench = load_workbench(Path("workbench.yaml"))
    with pytest.raises(LeakageError):
        shots(bench, FewShotSpec(kind="few_shot", model="base", evalset="first"))
