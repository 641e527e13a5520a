"""From a recipe to stored rows: real distilabel tasks, scripted models and the fault-injecting endpoint."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from tests.faults.project import Project, project, server
from workbench.config.synth_yaml import load_synthesis
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Sample
from workbench.errors import ConfigError, IncompleteRun, LeakageError
from workbench.evaluation.engine import Halt, Progress
from workbench.jobs.labelling_sources import tasks_from_file
from workbench.jobs.synth import SynthRun, prepare, synthesise

IN_FLIGHT = 8


def bench_of(folder: Path, models: dict[str, Any], gate: str = "") -> Workbench:
    """Write a project with two documents, and maybe a gate set of one question."""
    (folder / "documents").mkdir()
    text = "<!-- passage: {0}#1 -->\nThe {0} plan costs {1} euros.\n\n<!-- passage: {0}#2 -->\nIt has {2} seats.\n"
    (folder / "documents" / "team.md").write_text(text.format("Team", 12, "ten"))
    (folder / "documents" / "solo.md").write_text(text.format("Solo", 5, "two"))
    if gate:
        evalset = folder / "evalsets" / "guarded"
        evalset.mkdir(parents=True)
        row = {"id": "g1", "messages": [{"role": "user", "content": gate}], "references": ["x"]}
        (evalset / "samples.jsonl").write_bytes(orjson.dumps(row))
        spec = {"name": "guarded", "version": "1", "use": "gate", "scorers": [{"kind": "exact_match"}]}
        (evalset / "evalset.yaml").write_text(yaml.safe_dump(spec))
    index = {"documents": "documents", "split": {"by": "passages"}, "embedding": None}
    config = {"models": models, "candidate": next(iter(models)), "rag": {"docs": index}}
    (folder / "workbench.yaml").write_text(yaml.safe_dump(config))
    return load_workbench(folder / "workbench.yaml")


async def made(bench: Workbench, name: str, what: dict[str, Any], use: str = "train", **more: Any) -> SynthRun:
    path = bench.file.parent / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"name": name, "use": use, "make": what, **more}))
    work = prepare(bench, load_synthesis(path, bench))
    seen: list[int] = []

    def watch(progress: Progress) -> None:
        seen.append(progress.total - progress.done)
        assert seen[-1] >= 0

    run = await synthesise(work, Halt(), watch, lambda text: None)
    assert run is not None
    return run


def scripted(replies: dict[str, str]) -> dict[str, Any]:
    return {"kind": "scripted", "replies": replies, "default": "missing"}


WRITTEN = {
    "simple:Team#1:1": "Question: What is the price of the Team plan?\nAnswer: 12 euros",
    "simple:Team#2:1": "Question: How many people fit into it?\nAnswer: three seats",
    "simple:Solo#1:1": "Question: How expensive is Solo for a month?\nAnswer: 5 euros",
    "simple:Solo#2:1": "nothing to ask",
    "unanswerable:Team#1:1": "Question: Who invented the Team plan?",
    "unanswerable:Team#2:1": "Question: What colour have the seats of it?",
}


async def test_questions_are_filtered_tested_held_against_the_gate_and_stored_with_lineage(tmp_path: Path) -> None:
    told = {"closed:simple:Solo#1:1": "About 5 euros", "closed:simple:Team#1:1": "no idea",
            "open:unanswerable:Team#1:1": "NONE", "open:unanswerable:Team#2:1": "It has ten seats"}  # fmt: skip
    models = {"writer": scripted(WRITTEN), "reader": scripted(told)}
    bench = bench_of(tmp_path, models, gate="Who invented the Team plan?")
    what = {"kind": "questions", "index": "docs", "model": "writer", "kinds": {"simple": 1, "unanswerable": 1},
            "closed_book": "reader", "open_book": "reader"}  # fmt: skip
    run = await made(bench, "q", what)
    assert {step.reason: step.n for step in run.dropped} == {
        "failed": 2, "answer_missing": 1, "unreadable": 1, "known_without": 1, "answerable": 1, "leak": 1,
    }  # fmt: skip
    assert (run.asked, run.kept) == (8, 1)
    stored = find_dataset(bench.home.root, "q-train")
    (sample,) = stored.iter_values()
    assert isinstance(sample, Sample)
    assert (sample.id, sample.group, sample.gold_contexts) == ("simple:Team#1:1", "document:team", ("Team#1",))
    assert sample.tags["synthetic"] == "true" and sample.tags["recipe"] == run.recipe
    lineage = [orjson.loads(line) for line in (Path(run.records).parent / "lineage.jsonl").read_bytes().splitlines()]
    assert [(one["id"], one["lineage"]["sources"], one["lineage"]["synthetic"]) for one in lineage] == [
        ("simple:Team#1:1", ["docs/Team#1"], True)
    ]
    assert (await made(bench, "q", what)).dataset == run.dataset, "the same recipe makes the same"


async def test_answers_of_two_models_get_a_suggestion_that_people_confirm(tmp_path: Path) -> None:
    samples = project(tmp_path, 3, "http://127.0.0.1:9", {}).folder
    verdicts = {f"s0:{two}": f"Better: {won}" for two, won in (("1-2", "A"), ("2-1", "B"))}
    verdicts |= {"s1:1-2": "Better: A", "s1:2-1": "Better: A", "s2:1-2": "Better: A", "s2:2-1": "I prefer both"}
    models = {
        "one": scripted({f"s{i}": f"It is {i}." for i in range(3)}),
        "two": scripted({f"s{i}": f"Perhaps {i + 1}?" for i in range(3)}),
        "judge": scripted(verdicts),
    }
    (samples / "workbench.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "one"}))
    bench = load_workbench(samples / "workbench.yaml")
    answers = await made(bench, "a", {"kind": "answers", "evalset": "numbers", "models": ["one", "two"]}, "dev")
    tasks = tasks_from_file(Path(answers.records))
    assert [(t.outputs, t.tags["models"]) for t in tasks[:1]] == [(("It is 0.", "Perhaps 1?"), "one,two")]
    assert {t.group for t in tasks} == {"g0"} and all(t.origin == "evalset:numbers-dev" for t in tasks)
    run = await made(bench, "f", {"kind": "feedback", "records": "a", "judge": "judge"}, "dev")
    found = {t.id: [(s.question, s.value) for s in t.suggestions] for t in tasks_from_file(Path(run.records))}
    assert found == {"s0": [("preferred", "1")], "s1": [("preferred", "tie")], "s2": []}
    assert [(s.reason, s.examples) for s in run.dropped] == [("unreadable", ("s2:2-1",))]


async def test_ratings_are_asked_in_both_orders(tmp_path: Path) -> None:
    told = "Rating: {}\nRationale: so\n\nRating: {}\nRationale: so"
    ratings = {"r1:there": told.format(5, 2), "r1:back": told.format(1, 4), "r2:there": told.format(5, 2)}
    bench = bench_of(tmp_path, {"judge": scripted(ratings)})
    row = {"messages": [{"role": "user", "content": "Why?"}], "outputs": ["So.", "No."], "group": "g"}
    lines = (orjson.dumps({"id": id, **row}) for id in ("r1", "r2"))
    (tmp_path / "records.jsonl").write_bytes(b"\n".join(lines))
    what = {"kind": "feedback", "records": "records.jsonl", "judge": "judge", "how": "ratings"}
    run = await made(bench, "f", what)
    first, second = tasks_from_file(Path(run.records))
    assert [s.value for s in first.suggestions] == ["1"] and second.suggestions == ()
    assert [(s.reason, s.n) for s in run.dropped] == [("failed", 1)]


async def test_failures_of_a_run_are_reworded_and_those_of_a_gate_run_refused(tmp_path: Path) -> None:
    bench_folder = project(tmp_path, 4, "http://127.0.0.1:9", {}).folder
    evalset = bench_folder / "evalsets" / "numbers" / "evalset.yaml"
    spec = {"name": "numbers", "version": "1", "use": "dev", "scorers": [{"kind": "exact_match"}]}
    evalset.write_text(yaml.safe_dump(spec))
    replies = {f"s{i}": f"It is {i}." for i in range(3)} | {"s3": "Perhaps."}
    words = {"s3~1": "Question: What amount has number 3?", "s3~2": "Question: What amount has number 4?"}
    models = {"bot": scripted(replies), "writer": scripted(words)}
    (bench_folder / "workbench.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "bot"}))
    done = Project(bench_folder).run("eval", "run", "numbers", "--use", "dev", "--json", "-q")
    assert done.returncode == 0, done.stderr
    (bench_folder / "gate.yaml").write_text((bench_folder / "home.yaml").read_text())
    bench = load_workbench(bench_folder / "home.yaml")
    what = {"kind": "paraphrases", "run": "latest", "model": "writer", "each": 2}
    with pytest.raises(LeakageError, match="OTHER_SIDE"):
        await made(bench, "p", what, "train")
    run = await made(bench, "p", what, "dev")
    (sample,) = find_dataset(bench.home.root, "p-dev").iter_values()
    assert isinstance(sample, Sample) and (sample.id, sample.group) == ("s3~1", "g0")
    assert [(s.reason, s.n) for s in run.dropped] == [("facts_changed", 1)]


def test_a_recipe_tells_all_of_its_faults_at_once_and_knows_no_gate(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, {"writer": scripted({})})
    path = tmp_path / "r.yaml"
    path.write_text("name: r\nuse: gate\nmake: {kind: questions, index: docs, model: writer, kind_s: 1}\n")
    with pytest.raises(ConfigError) as bad:
        load_synthesis(path, bench)
    assert {p.field for p in bad.value.problems} == {"use", "make.kind_s"}
    path.write_text("name: r\nuse: dev\nmake: {kind: questions, index: dogs, model: writr}\n")
    with pytest.raises(ConfigError) as unknown:
        load_synthesis(path, bench)
    assert {p.code for p in unknown.value.problems} == {"UNKNOWN_MODEL", "UNKNOWN_INDEX"}


@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.long)])
def test_a_recipe_that_is_killed_pays_twice_for_no_more_than_was_in_flight(kills: int, tmp_path: Path) -> None:
    n = 120
    with server(tmp_path / "endpoint", latency_ms=20, faults=[{"fault": "length_cut", "share": 0.1}]) as endpoint:
        bench = project(tmp_path / "project", n, endpoint.base_url, {"concurrency": IN_FLIGHT}, cache=False)
        answers = {"kind": "answers", "evalset": "numbers", "models": ["candidate", "judge"]}
        recipe = bench.folder / "a.yaml"
        recipe.write_text(yaml.safe_dump({"name": "a", "use": "dev", "make": answers}))
        for kill in range(kills):
            answered = (kill + 1) * 2 * n // (kills + 1)
            process = bench.start("synth", "run", str(recipe))
            until = time.monotonic() + 60
            while len(endpoint.requests()) < answered and process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
        done = bench.run("synth", "run", str(recipe), "--json")
        assert done.returncode == 0, done.stderr
        calls = Counter(one["sha"] for one in endpoint.requests())
    run = SynthRun.model_validate_json(done.stdout)
    assert run.requests == 2 * n == len(calls) and run.reused >= n // 2
    assert sum(calls.values()) - len(calls) <= kills * IN_FLIGHT


async def test_a_spent_budget_stops_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    with server(tmp_path / "endpoint", latency_ms=0) as endpoint:
        bench = project(tmp_path / "p", 40, endpoint.base_url, {"concurrency": 2}, price={"input": 1e4, "output": 1e4})
        answers = {"kind": "answers", "evalset": "numbers", "models": ["judge"]}
        loaded = load_workbench(bench.folder / "workbench.yaml")
        with pytest.raises(IncompleteRun, match="budget"):
            await made(loaded, "a", answers, "dev", budget=1.0)
        before = len(endpoint.requests())
        run = await made(loaded, "a", answers, "dev", budget=1e6)
        assert 0 < before < 40 and len(endpoint.requests()) == 40
    assert run.reused == before and run.cost > 1.0


async def test_a_faulty_endpoint_leaves_only_counted_failures(tmp_path: Path) -> None:
    faults = [{"fault": name, "share": 0.06} for name in ("500", "truncated_json", "refusal", "empty_content", "429")]
    with server(tmp_path / "endpoint", latency_ms=0, faults=faults) as endpoint:
        bench = project(tmp_path / "p", 60, endpoint.base_url, {"concurrency": IN_FLIGHT})
        loaded = load_workbench(bench.folder / "workbench.yaml")
        run = await made(loaded, "a", {"kind": "answers", "evalset": "numbers", "models": ["candidate"]}, "dev")
    assert run.requests == 60 and run.failed > 0
    assert {step.reason: step.n for step in run.dropped} == {"failed": run.failed}
    assert run.kept == 60 - run.failed


def test_prices_are_told_and_nothing_is_asked(tmp_path: Path) -> None:
    with server(tmp_path / "endpoint", latency_ms=0) as endpoint:
        bench = project(tmp_path / "p", 5, endpoint.base_url, {}, price={"input": 1, "output": 2})
        recipe = bench.folder / "a.yaml"
        what = {"kind": "answers", "evalset": "numbers", "models": ["candidate", "judge"], "each": 2}
        recipe.write_text(yaml.safe_dump({"name": "a", "use": "dev", "make": what}))
        done = bench.run("synth", "run", str(recipe), "--dry-run", "--json")
        assert endpoint.requests() == []
    candidate, judge = orjson.loads(done.stdout)
    assert candidate["calls"] == judge["calls"] == 10
    assert candidate["cost"] is None and judge["cost"] > 0
