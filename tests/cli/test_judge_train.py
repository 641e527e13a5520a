"""`workbench judge train`, as typed: examples of train families, chosen by dev labels."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Command
from tests.cli.test_judge_calibrate import answered, human, judged, label  # noqa: F401
from workbench.calibration.judged import part_of
from workbench.calibration.measuring import measure
from workbench.calibration.trained import TrainedJudge
from workbench.config.workbench_yaml import load_workbench
from workbench.jobs.judge_labels import judge_labels
from workbench.jobs.judge_lora import conversations
from workbench.jobs.judge_shots import ShotsAsked, choose_shots
from workbench.jobs.trained_judges import learnt_families
from workbench.models import Output
from workbench.runs import Score


def test_examples_come_from_train_families_and_are_written_where_they_help(judged: Command) -> None:  # noqa: F811
    label(answered())
    file = Path("evalsets/quiz/examples/correct.jsonl")
    none = judged("judge", "train", "few-shot", "--judge", "correct", "--tries", "2", "--dev", "20", "--json")
    assert none.code == 0, none.err
    tries = json.loads(none.out)["tries"]
    assert len(tries) == 3 and not file.exists(), "a script says the same with any examples"
    assert tries[0]["n"] == 20 and tries[0] == tries[1]

    bench = load_workbench(Path("workbench.yaml"))
    asked = ShotsAsked("latest", "correct", shots=4, tries=1, dev=20)
    shots = asyncio.run(choose_shots(bench, asked, lambda _: None)).tries[1].shots
    assert len(shots) == 4 and sum(shot.verdict == "pass" for shot in shots) == 2
    assert all(part_of(shot.group, "verdict") == "train" for shot in shots)
    assert all(shot.verdict == human(int(shot.id.rpartition("/s")[2])) for shot in shots)


def test_a_file_of_rows_is_checked_and_too_few_labels_are_refused(workbench: Command) -> None:
    row = {"id": "a", "question": "Q?", "answer": "A", "passes": True}
    Path("rows.jsonl").write_text(json.dumps(row) + "\n" + json.dumps({**row, "passes": "yes"}) + "\n")
    wrong = workbench("judge", "train", "encoder", "rows.jsonl", "--judge", "mine")
    assert wrong.code == 3 and "rows.jsonl:2:passes" in wrong.err
    rows = [{**row, "id": f"r{n}", "question": f"Question {n}?", "passes": n % 9 != 0} for n in range(90)]
    Path("rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    few = workbench("judge", "train", "encoder", "rows.jsonl", "--judge", "mine")
    assert few.code == 3 and "TOO_FEW_LABELS" in few.err and "what it may learn from" in few.err


def test_labels_become_conversations_whose_last_turn_alone_is_learnt(judged: Command) -> None:  # noqa: F811
    label(answered())
    bench = load_workbench(Path("workbench.yaml"))
    labels = judge_labels(bench, "latest", "correct")
    assert labels.scorer is not None
    answers = labels.of("learn")[:20]
    made = conversations(labels.scorer, answers)
    for answer, chat in zip(answers, made, strict=True):
        asked = labels.scorer.request(answer.sample, answer.output).messages
        assert [(t.role, t.content) for t in chat.messages[:-1]] == [(m.role, m.content) for m in asked]
        assert [t.learnt for t in chat.messages] == [False] * len(asked) + [True]
        score = labels.scorer.read(Output(text=chat.messages[-1].content), answer.output)
        assert isinstance(score, Score) and bool(score.value) is answer.human, "the reply is read as what people said"
    assert {chat.family() for chat in made} == {answer.group for answer in answers}


def test_what_a_tuned_judge_learnt_is_known_by_its_adapter_and_a_file_of_rows_needs_a_rubric(
    workbench: Command,
) -> None:
    trust = measure([])
    card = TrainedJudge(
        name="mine", base="b", source="rows", n_learnt=2, learnt=("a1", "b2"), checked=trust, epochs=3.0, rate=None,
        seed=0,
    )  # fmt: skip
    Path("made/adapter").mkdir(parents=True)
    Path("made/judge.json").write_bytes(card.json_bytes())
    mine = {"kind": "local", "base": "base", "adapter": "made/adapter"}
    models = {"bot": {"kind": "scripted"}, "mine": mine, "other": {**mine, "adapter": "elsewhere/adapter"}}
    Path("workbench.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "bot"}))
    bench = load_workbench(Path("workbench.yaml"))
    assert learnt_families(bench, "bot+mine") == {"a1", "b2"} and learnt_families(bench, "other") == frozenset()
    row = {"id": "a", "question": "Q?", "answer": "A", "passes": True}
    Path("rows.jsonl").write_text(json.dumps(row) + "\n")
    done = workbench("judge", "train", "lora", "rows.jsonl", "--judge", "mine", "--base", "base")
    assert done.code == 2 and "NO_RUBRIC" in done.err and "--rubric" in done.err


@pytest.mark.long
def test_the_demo_judge_is_tuned_on_labelled_rows_and_served_with_its_adapter(workbench: Command) -> None:
    root = Path(__file__).parents[2]
    rows = [json.loads(line) for line in (root / "evalsets/helpcentre/samples.jsonl").read_text().splitlines()[:240]]
    right = [row["references"][0] for row in rows]
    made = [
        {"id": row["id"], "group": row["group"], "question": row["messages"][-1]["content"].rpartition("\n\n")[2],
         "answer": right[at if at % 2 else at - 60], "reference": right[at],
         "passes": bool(at % 2) or right[at] == right[at - 60]}
        for at, row in enumerate(rows)
    ]  # fmt: skip
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    judge = {"kind": "local", "base": str(root / "demo/models/judge"), "sampling": {"max_tokens": 96}}
    Path("workbench.yaml").write_text(yaml.safe_dump({"models": {"judge": judge}, "candidate": "judge"}))
    words = [
        "--judge",
        "right",
        "--base",
        judge["base"],
        "--rubric",
        str(root / "evalsets/helpcentre/rubrics/correct.md"),
    ]
    done = workbench("judge", "train", "lora", "rows.jsonl", *words, "--rank", "4", "--epochs", "1", "--json", "-q")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    bench = load_workbench(Path("workbench.yaml"))
    assert told["card"]["checked"]["n"] > 5 and len(learnt_families(bench, f"train:{told['run']}")) > 20
