"""`workbench label agreement | next`, as typed: over a finished run, and labels that were pulled into the home."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from workbench.config.labelling_yaml import load_template
from workbench.config.workbench_yaml import load_workbench
from workbench.jobs.labelling_sources import tasks_from_run
from workbench.labelling.pushing import KEPT
from workbench.labelling.server import About, Answer, RemoteDataset, RemoteRecord
from workbench.labelling.snapshot import store_snapshot
from workbench.labelling.tasks import Task
from workbench.records import Message

NOON = "2026-11-01T12:00:00.000000"


def pulled(name: str, tasks: list[Task], verdicts: dict[str, list[str]]) -> None:
    """Store a snapshot of `rag_review` labels, as if they had been pulled; `verdicts` are by annotator, in order."""
    bench = load_workbench(Path("workbench.yaml"))
    form = load_template(bench, "rag_review").form(1)
    about = About(form=form, seed=name, overlap=2)
    records = [
        RemoteRecord(
            server_id=f"s{place}",
            id=task.id,
            fields={"answer": task.outputs[0]},
            metadata={KEPT: {"record": task.model_dump(mode="json"), "order": [0]}},
            inserted=NOON,
            answers=tuple(
                Answer(f"{place}-{who}", who, "submitted", {"verdict": {"value": said[place]}}, NOON, NOON)
                for who, said in verdicts.items()
            ),
        )
        for place, task in enumerate(tasks)
    ]
    folder = bench.home.root / "records" / name
    store_snapshot(folder, RemoteDataset("d", name, about, frozenset()), records, {who: who for who in verdicts})


def tasks(n: int) -> list[Task]:
    return [
        Task(id=f"r{k}", messages=(Message(role="user", content="?"),), outputs=("!",), group=f"g{k}") for k in range(n)
    ]


def test_agreement_of_a_pulled_dataset_is_told_with_its_interval_and_meaning(workbench: Command) -> None:
    first = ["pass", "fail"] * 20
    pulled("review", tasks(40), {"ann-1": first, "ann-2": [*first[:36], "pass", "pass", "fail", "fail"]})
    done = workbench("label", "agreement", "review")
    assert done.code == 0
    assert "verdict" in done.out and "rag_review/1" in done.out and "may anchor a gate" in done.out
    assert "ann-1 × ann-2" in done.out
    [told] = json.loads(workbench("label", "agreement", "review", "--json").out)
    assert told["overall"]["n"] == 40
    assert told["overall"]["interval"]["low"] < told["overall"]["value"] < told["overall"]["interval"]["high"]
    assert told["equal"]["value"] == pytest.approx(0.95)


def test_labels_of_one_person_have_no_agreement_and_it_is_said_what_to_do(workbench: Command) -> None:
    pulled("review", tasks(5), {"ann-1": ["pass"] * 5})
    done = workbench("label", "agreement", "review")
    assert "unknown: no record has two ratings" in done.out
    assert "push with --overlap 2" in done.err


def test_a_dataset_that_was_not_pulled_says_how_to_pull_it(workbench: Command) -> None:
    done = workbench("label", "agreement", "review")
    assert done.code == 3
    assert "pull it: workbench label pull review" in done.err


def test_what_to_label_next_is_told_with_reasons_and_written_for_a_push(workbench: Command) -> None:
    workbench("eval", "run")
    done = workbench("label", "next", "-n", "2", "--mix", "random=1,slice=1", "--slice", "topic", "-o", "next.jsonl")
    assert done.code == 0
    assert "number 1 of the lot" in done.out and "2 of 3 that nobody labelled" in done.out
    rows = [Task.model_validate_json(line) for line in Path("next.jsonl").read_text().splitlines()]
    picks = json.loads(workbench("label", "next", "-n", "2", "--mix", "random", "--json").out)["picks"]
    assert len(rows) == 2 and rows[0].id == picks[0]["record_id"]


def test_an_answer_that_somebody_labelled_is_not_picked_again(workbench: Command) -> None:
    workbench("eval", "run")
    bench = load_workbench(Path("workbench.yaml"))
    answered = tasks_from_run(bench.home.run("latest"), failed=False, scorer=None)
    pulled("review", answered[:2], {"ann-1": ["pass", "fail"]})
    picks = json.loads(workbench("label", "next", "--mix", "random", "--json").out)["picks"]
    assert [pick["record_id"] for pick in picks] == [answered[2].id]
    pulled("more", answered[2:], {"ann-1": ["pass"]})
    assert "every answer of this run has a label" in workbench("label", "next", "--mix", "random").out


def test_how_many_labels_a_judge_still_needs_is_told(workbench: Command) -> None:
    workbench("eval", "run")
    bench = load_workbench(Path("workbench.yaml"))
    answered = tasks_from_run(bench.home.run("latest"), failed=False, scorer=None)
    done = workbench("label", "next", "--judge", "exact_match", "--mix", "random")
    assert done.code == 3
    assert "the lot holds 0 answers that people passed and 0 that they failed" in done.err
    pulled("review", answered, {"ann-1": ["pass", "fail", "fail"]})
    done = workbench("label", "next", "--judge", "exact_match", "--within", "0.2", "--mix", "random")
    assert "The corrected rate of exact_match:" in done.out
    unknown = workbench("label", "next", "--judge", "exact", "--mix", "random")
    assert unknown.code == 2 and "it has: exact_match, token_f1" in unknown.err


def test_a_queue_for_adjudicators_is_no_vote_of_its_own(workbench: Command) -> None:
    workbench("eval", "run")
    bench = load_workbench(Path("workbench.yaml"))
    answered = tasks_from_run(bench.home.run("latest"), failed=False, scorer=None)
    pulled("review", answered, {"ann-1": ["pass", "fail", "fail"]})
    words = ("label", "next", "--judge", "exact_match", "--within", "0.2", "--mix", "random", "--json")
    before = json.loads(workbench(*words).out)["needed"]
    pulled("review-adjudication", answered, {"lead": ["fail", "pass", "pass"]})
    assert json.loads(workbench(*words).out)["needed"] == before


@pytest.mark.parametrize("name", ["../elsewhere", "..", ".", "a/b", "/tmp", "a\\b", "nul", "a\x00b"])
def test_a_datasets_name_leads_nowhere_but_into_its_own_folder(workbench: Command, name: str) -> None:
    done = workbench("label", "agreement", name)
    assert done.code == 3
    assert "PATH_OUTSIDE" in done.err


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ("random=2,uncertan=1", "got uncertan=1); say uncertain=1?"),
        ("random=0", "got random=0"),
        ("random=nan", "got random=nan"),
        ("random,random", "each once"),
        ("threshold", "the gate's threshold must be given"),
        ("diverse", "add `embedding: all-MiniLM-L6-v2` to the section"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused(workbench: Command, mix: str, message: str) -> None:
    workbench("eval", "run")
    done = workbench("label", "next", "--mix", mix)
    assert done.code == 2
    assert message in done.err
