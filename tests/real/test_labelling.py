"""Real labels, given over HTTP by as many people as gave them first, come back equal."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.labelling.made import about, no_watch
from tests.labelling.serving import Served
from tests.real.labelled import Said, faithbench, pandalm, ragchecker
from workbench.labelling.pulling import read_moment
from workbench.labelling.pushing import push
from workbench.labelling.snapshot import store_snapshot
from workbench.labelling.tasks import Task
from workbench.labelling.wire import blinded, value_json

pytestmark = [pytest.mark.real, pytest.mark.argilla]
FEW = 15
"""Records of each, so that the default run stays short; WORKBENCH_ALL_LABELS takes all of them."""

Convert = Callable[[list[dict[str, Any]]], tuple[list[Task], list[Said]]]
SETS: dict[str, tuple[str, str, int, Convert]] = {
    "faithbench": ("faithbench", "rag_review", 1, faithbench),
    "pandalm": ("pandalm", "preference", 2, pandalm),
    "ragchecker": ("ragchecker_pairs", "preference", 2, lambda rows: ragchecker(rows, "correctness")),
}


@pytest.mark.parametrize("name", SETS)
def test_real_records_and_labels_come_back_equal(
    name: str, rows: Any, argilla: Served, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    extract, template, candidates, convert = SETS[name]
    table = rows(extract)
    tasks, said = convert(table if os.environ.get("WORKBENCH_ALL_LABELS") else table[:FEW])
    server = argilla.connect()
    push(server, f"real-{name}", about(template, candidates, overlap=3), tasks, {}, no_watch)
    dataset = server.dataset(f"real-{name}")
    assert dataset is not None
    give(argilla, said, dataset.about.form, read_moment(server, dataset, no_watch))
    pulled = store_snapshot(tmp_path, dataset, read_moment(server, dataset, no_watch), server.names())
    assert pulled.tasks() == tasks
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for label in pulled.labels():
        found.setdefault((label.record_id, label.annotator), {})[label.question] = label.value
    assert found == {(one.record, one.annotator): dict(one.answers) for one in said}
    people = len({answer.annotator for answer in said})
    figure(f"{name}: {len(tasks)} records, {len(said)} answers of {people} people came back equal")


def give(argilla: Served, said: list[Said], form: Any, records: Any) -> None:
    """Answer as each person; candidates by the letter under which the page shows them."""
    there = {record.id: record for record in records}

    def one(answer: Said) -> None:
        record = there[answer.record]
        order = record.metadata["workbench"]["order"]
        text = record.metadata["workbench"]["record"]["outputs"][0]
        values = {}
        for name, value in answer.answers.items():
            question = form.question(name)
            values[name] = value_json(blinded(value, question, order), question, text)
        argilla.person(answer.annotator).answer(record.server_id, values)

    for name in sorted({answer.annotator for answer in said}):
        argilla.person(name)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, said))
