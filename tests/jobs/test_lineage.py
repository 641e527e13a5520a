"""Any row can be walked back to who said what, and any dataset to what was made of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.curation.test_firewall import sample
from tests.evaluation.made import made
from tests.labelling.made import task
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Lineage, PreferencePair, Side
from workbench.errors import DataError
from workbench.jobs.atlas import Atlas
from workbench.jobs.lineage import lineage
from workbench.jobs.row_lineage import row_lineage
from workbench.labelling.imported import store_imported
from workbench.reading.storing import Origin, store_rows
from workbench.records import Label, Turn
from workbench.store.home import Home

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a home in which a run's answer was labelled, made into a pair, learnt from and evaluated."""
    home = Home(tmp_path)
    samples = store_rows([sample("s1", "what is asked")], Origin("set", "samples", "dev"), tmp_path, NOW)
    run = made(home.runs, {"s1": [0.0]})
    told = {"spec": {"model_name": "candidate"}, "dataset": samples.manifest.model_dump(mode="json")}
    (run.folder.path / "spec.json").write_text(json.dumps(told))
    record = task(1, 2).model_copy(update={"id": "s1", "origin": f"run:{run.run.id}"})
    labels = [
        Label(record_id="s1", question="better", value=value, annotator=who, guideline="g1", at=NOW)
        for who, value in (("anna", "1"), ("ben", "2"))
    ]
    snapshot = store_imported(home.root / "records" / "labelled", [record], labels, "preference", NOW)
    sides = [Side(messages=(Turn(role="assistant", content=text),)) for text in ("yes", "no")]
    pair = PreferencePair(
        id="p1",
        prompt=(Turn(role="user", content="q"),),
        chosen=sides[0],
        rejected=sides[1],
        lineage=Lineage(sources=("labelled/s1",), annotators=("anna",), recipe="pairs build: pick"),
    )
    parents = (snapshot.manifest.fingerprint,)
    pairs = store_rows([pair], Origin("pairs", "pairs", "train", parents=parents), tmp_path, NOW)
    training = home.root / "training" / "t1"
    training.mkdir(parents=True)
    (training / "spec.json").write_text(json.dumps({"base": "tiny", "dataset": pairs.manifest.fingerprint}))
    after = home.runs / "20260102-000000000-set-dev-tuned-0000"
    after.mkdir()
    (after / "spec.json").write_text(json.dumps({"spec": {"model": {"adapter": "training/t1/adapter"}}, "dataset": {}}))
    return home


def test_a_dataset_is_walked_up_to_annotators_and_runs(home: Home) -> None:
    found = lineage(find_dataset(home.root, "pairs"), Atlas(home))
    [snapshot] = found.parents
    assert (snapshot.kind, snapshot.name.split("@")[0]) == ("snapshot", "labelled")
    kinds = [(node.kind, node.name.split("@")[0]) for node in snapshot.nodes]
    assert kinds[:2] == [("annotator", "anna"), ("annotator", "ben")] and kinds[2][0] == "run"
    assert [node.name.split("@")[0] for node in snapshot.nodes[2].nodes] == ["set-dev"]


def test_a_dataset_is_walked_down_to_trainings_and_what_was_evaluated_of_them(home: Home) -> None:
    [training] = lineage(find_dataset(home.root, "pairs"), Atlas(home)).children
    assert (training.kind, training.name) == ("training", "t1")
    assert [(run.kind, run.name) for run in training.nodes] == [("run", "20260102-000000000-set-dev-tuned-0000")]
    [run] = lineage(find_dataset(home.root, "set-dev"), Atlas(home)).children
    assert run.kind == "run"


def test_a_row_is_walked_back_to_who_said_what_and_what_the_model_had_answered(home: Home) -> None:
    row = row_lineage(find_dataset(home.root, "pairs"), "p1", Atlas(home))
    assert row.note == "pairs build: pick, by anna"
    [record] = row.nodes
    assert record.kind == "record" and record.note == "How long does refund 1 take?"
    anna, ben, run = record.nodes
    assert (anna.name, anna.note) == ("better: 1", "anna, 2026-01-01T00:00:00+00:00, guideline g1")
    assert ben.note.startswith("ben")
    assert (run.kind, run.note) == ("run", "candidate on s1")
    assert [(node.kind, node.name.partition("@")[0]) for node in run.nodes] == [
        ("score", "right: 0"),
        ("sample", "set-dev"),
    ]


def test_a_parent_that_is_not_here_is_told_as_such(tmp_path: Path) -> None:
    rows = [sample("s1", "q")]
    stored = store_rows(rows, Origin("set", "samples", "dev", parents=("f" * 32,)), tmp_path, NOW)
    [parent] = lineage(stored, Atlas(Home(tmp_path))).parents
    assert (parent.kind, parent.note) == ("unknown", "not in this home")


def test_a_row_that_is_not_there_is_refused(home: Home) -> None:
    with pytest.raises(DataError, match="ROW_UNKNOWN"):
        row_lineage(find_dataset(home.root, "pairs"), "p2", Atlas(home))
