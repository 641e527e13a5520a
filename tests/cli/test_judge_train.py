"""`workbench judge train`, as typed: examples of train families, chosen by dev labels."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.cli.conftest import Command
from tests.cli.test_judge_calibrate import answered, human, judged, label  # noqa: F401
from workbench.calibration.judged import part_of
from workbench.config.workbench_yaml import load_workbench
from workbench.jobs.judge_shots import ShotsAsked, choose_shots


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
