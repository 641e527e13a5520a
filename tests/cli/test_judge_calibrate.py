"""`workbench judge calibrate | ls | correct`, as typed: over a judged run and labels that were pulled."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Command
from tests.cli.test_label_quality import pulled
from workbench.config.workbench_yaml import load_workbench
from workbench.jobs.labelling_sources import tasks_from_run
from workbench.labelling.tasks import Task

N = 480
RUBRIC = '---\nname: correct\nversion: "1"\nscale: binary\n---\nPass when the answer is right.\n'


def verdict(n: int) -> str:
    """Return what the scripted judge says of answer n: it passes 5 in 8."""
    word = "pass" if n % 8 < 5 else "fail"
    return json.dumps({"evidence": f"answer {n}", "reason": "so", "verdict": word})


def human(n: int) -> str:
    """Return what people say: as the judge, but for one in ten."""
    says_pass = (n % 8 < 5) != (n % 10 == 3)
    return "pass" if says_pass else "fail"


@pytest.fixture
def judged(workbench: Command) -> Command:
    """Make an evalset of 480 samples, half of them dev and half gate, judged by a script."""
    folder = Path("evalsets/quiz")
    (folder / "rubrics").mkdir(parents=True)
    (folder / "rubrics/correct.md").write_text(RUBRIC)
    rows = [{"id": f"s{n}", "messages": [{"role": "user", "content": f"Question number {n}?"}]} for n in range(N)]
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    scorer = {"kind": "rubric_judge", "rubric": "rubrics/correct.md", "judge": "judge"}
    split = {"salt": "quiz", "dev": 0.5, "gate": 0.5}
    evalset = {"name": "quiz", "version": "1", "samples": "samples.jsonl", "split": split, "scorers": [scorer]}
    evalset["policy"] = {"metrics": {"correct": {"min": 0.3, "corrected": True}}}
    (folder / "evalset.yaml").write_text(yaml.safe_dump(evalset))
    models = {
        "bot": {"kind": "scripted", "replies": {f"s{n}": f"This is answer {n}" for n in range(N)}},
        "judge": {"kind": "scripted", "replies": {f"s{n}": verdict(n) for n in range(N)}},
    }
    Path("workbench.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "bot"}))
    assert workbench("eval", "run", "quiz").code == 0
    return workbench


def answered() -> list[Task]:
    bench = load_workbench(Path("workbench.yaml"))
    return tasks_from_run(bench.home.run("latest"), failed=False, scorer=None)


def label(tasks: list[Task]) -> None:
    pulled("review", tasks, {"ann-1": [human(int(task.id[1:])) for task in tasks]})


def test_a_judge_is_measured_on_the_dev_part_until_the_test_part_is_opened_once(judged: Command) -> None:
    label(answered())
    done = judged("judge", "calibrate", "--judge", "correct")
    assert done.code == 0
    assert f"{len(answered())} labelled answers: train" in done.out and "the part to work on" in done.out
    assert "This corrects nothing yet" in done.err
    assert judged("judge", "correct").out == "correct: not corrected, for its judge was never calibrated\n"

    opened = json.loads(judged("judge", "calibrate", "--judge", "correct", "--test", "--json").out)
    again = json.loads(judged("judge", "calibrate", "--judge", "correct", "--test", "--json").out)
    assert opened == again and opened["test"]["n"] == opened["parts"]["test"] > 50
    assert "correct" in judged("judge", "ls").out and len(json.loads(judged("judge", "ls", "--json").out)) == 1

    told = re.fullmatch(r"correct: judge says (\d+)%, corrected (\d+)% \[(\d+), (\d+)\], (\d+) labels\n",
                        judged("judge", "correct").out)  # fmt: skip
    assert told is not None
    raw, value, low, high, labels = map(int, told.groups())
    dev = [int(task.id[1:]) for task in answered()]
    truth = 100 * sum(human(n) == "pass" for n in dev) / len(dev)
    assert raw == round(100 * sum(n % 8 < 5 for n in dev) / len(dev))
    assert low <= value <= high and low <= truth <= high and labels == opened["test"]["n"]


def test_a_changed_rubric_voids_the_calibration_and_the_old_test_labels_are_used_up(judged: Command) -> None:
    label(answered())
    assert judged("judge", "calibrate", "--judge", "correct", "--test").code == 0
    file = Path("evalsets/quiz/rubrics/correct.md")
    file.write_text(file.read_text().replace('version: "1"', 'version: "2"').replace("right", "truly right"))
    assert judged("eval", "rescore", "latest").code == 0
    void = judged("judge", "correct").out
    assert re.search(r"not corrected, for the calibration of \S+ is void: the rubric or prompt changed since", void)
    refused = judged("judge", "calibrate", "--judge", "correct", "--test")
    assert refused.code == 3
    assert "used up by another version of this judge" in refused.err and "TOO_FEW_LABELS" in refused.err


def test_answers_that_were_picked_for_what_they_are_count_only_when_asked_for(judged: Command) -> None:
    picked = [task for task in answered() if int(task.id[1:]) % 8 > 2]
    label(picked)
    every = json.loads(judged("judge", "calibrate", "--judge", "correct", "--every", "--json").out)
    assert sum(every["parts"].values()) == len(picked)
    fair = judged("judge", "calibrate", "--judge", "correct", "--json")
    assert fair.code == 3 or sum(json.loads(fair.out)["parts"].values()) < 20


def test_without_labels_or_for_a_metric_that_no_judge_gives_it_is_said_what_to_do(judged: Command) -> None:
    none = judged("judge", "calibrate", "--judge", "correct")
    assert none.code == 3 and "workbench label next" in none.err
    label(answered())
    unknown = judged("judge", "calibrate", "--judge", "corect")
    assert unknown.code == 2 and "it has: correct" in unknown.err
    assert judged("judge", "ls").err.startswith("No judge was calibrated yet")


def test_a_gate_holds_the_corrected_rate_against_its_threshold_and_says_when_it_cannot(judged: Command) -> None:
    label(answered())
    dev = next(Path(".workbench/runs").iterdir()).name
    early = judged("gate", "quiz", "--run-missing")
    assert early.code == 4 and "its judge was never calibrated; workbench judge calibrate --judge correct" in early.out
    assert judged("judge", "calibrate", dev, "--judge", "correct", "--test").code == 0
    done = judged("gate", "quiz", "--json")
    (row,) = json.loads(done.out)["gates"][0]["rows"]
    assert done.code == 0 and row["verdict"] == "pass"
    assert re.search(r"judge says 0\.\d+, corrected 0\.\d+ by \d+ labels: the lower 0\.95 bound", row["reason"])
    file = Path("evalsets/quiz/rubrics/correct.md")
    file.write_text(file.read_text().replace("right", "truly right").replace('"1"', '"2"'))
    void = judged("gate", "quiz", "--run-missing")
    assert void.code == 4 and "is void: the rubric or prompt changed since" in void.out


def test_labels_of_gate_samples_calibrate_no_judge(judged: Command) -> None:
    assert judged("eval", "run", "quiz", "--use", "gate").code == 0
    label(answered())
    refused = judged("judge", "calibrate", "--judge", "correct")
    assert refused.code == 3 and "[LEAK]" in refused.err
