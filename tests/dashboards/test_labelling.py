"""The labelling page: what people said, over full, empty and damaged homes; acts by button and by direct call."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dashboards import access, acting, data_labels
from dashboards.access import Person
from dashboards.views import labelling_differing, labelling_next
from tests.dashboards.conftest import Open, cut
from tests.dashboards.labelled_home import HOSTILE
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.errors import AccessRefused, LabellingError
from workbench.jobs.labelling_progress import Live, record_address
from workbench.labelling.server import AnnotatorProgress, DatasetProgress
from workbench.labelling.tasks import Task
from workbench.store.home import Home

VIEWS = ("Progress", "Agreement", "Disagreements", "Label next")


def test_an_empty_home_names_the_commands_that_bring_labels(open_page: Open, empty: Workbench) -> None:
    told = open_page("labelling", empty).calm().texts()
    assert "workbench label push" in told and "workbench label pull" in told


@pytest.mark.parametrize("file", ["labels.parquet", "manifest.json"])
def test_a_damaged_snapshot_is_told_and_breaks_nothing(
    open_page: Open, labelled: Workbench, tmp_path: Path, file: str
) -> None:
    shutil.copytree(labelled.file.parent, tmp_path / "project")
    bench = load_workbench(tmp_path / "project" / "workbench.yaml")
    (table,) = (bench.home.root / "records" / "review").glob(f"*/{file}")
    cut(table)
    for view in ("Agreement", "Label next"):
        told = open_page("labelling", bench, view=view).calm()
        assert "DATASET_DAMAGED" in told.texts() or "Cannot be read" in told.texts()


def test_agreement_is_told_with_n_and_what_the_labels_may_be_used_for(open_page: Open, labelled: Workbench) -> None:
    (row,) = open_page("labelling", labelled, view="Agreement").tables()[0]
    assert row["question"] == "verdict" and int(row["n"]) > 50 and row["people"] == "3"
    assert row["what its labels may be used for"] == "may anchor a gate"


def test_disagreements_show_answers_without_names(open_page: Open, labelled: Workbench) -> None:
    page = open_page("labelling", labelled, view="Disagreements").calm()
    assert "Person 1: " in page.texts() and "they differ" in page.texts()
    assert "cyd" not in page.texts()


def test_what_to_label_next_has_a_reason_and_the_judge_says_what_it_needs(open_page: Open, labelled: Workbench) -> None:
    page = open_page("labelling", labelled, view="Label next").calm()
    rows = page.at.dataframe[0].value.to_dict("records")
    assert {row["way"] for row in rows} == {"random"} and all("of the lot" in row["why"] for row in rows)
    assert "221 answers alone leave" in page.texts()


@pytest.mark.parametrize("view", VIEWS)
def test_every_part_opens_and_shows_what_people_and_models_wrote_as_text(
    open_page: Open, labelled: Workbench, view: str
) -> None:
    page = open_page("labelling", labelled, view=view).calm()
    marked = [str(e.value) for kind in ("markdown", "caption", "info", "warning") for e in getattr(page.at, kind)]
    assert page.at.error == [] and not [text for text in marked for hostile in HOSTILE if hostile in text]
    assert all(not e.proto.allow_html for e in page.at.markdown)


def test_the_server_is_asked_when_somebody_asks_and_the_time_is_told(
    open_page: Open, labelled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = (AnnotatorProgress(":red[x]", 3, 1, 0),)
    live = Live(
        "review", "http://127.0.0.1:6900/dataset/d", "g/1", 2, DatasetProgress(9, 4, people), "2026-11-02T10:00"
    )
    queue = live._replace(name="review-adjudication", url="http://127.0.0.1:6900/dataset/q")
    monkeypatch.setattr(data_labels, "live", lambda name: (live, queue))
    page = open_page("labelling", labelled).calm()
    assert "On the server" not in page.texts()
    page.at.button(key="ask-argilla").click().run()
    assert "read 2026-11-02T10:00: 4 of 9 records" in page.calm().texts()

    page.at.segmented_control(key="view").set_value("Disagreements").run()
    told = "\n".join(element.proto.url for element in page.calm().at.get("link_button"))
    assert "http://127.0.0.1:6900/dataset/q?metadata=group.text" in told

    def away(name: str) -> tuple[Live, None]:
        raise LabellingError("Argilla does not let us in")

    monkeypatch.setattr(data_labels, "live", away)
    page = open_page("labelling", labelled)
    page.at.button(key="ask-argilla").click().run()
    assert "does not let us in" in page.calm().texts()


@pytest.mark.parametrize(
    ("group", "alone", "told"),
    [
        ("text:ab", True, "?metadata=group.text%253Aab"),
        ("text:ab", False, "?metadata=group.text%253Aab&search=why%253F%2520so~all"),
        ("a.b", True, "?search=why%253F%2520so~all"),
    ],
)
def test_a_records_address_names_its_family_where_that_can_be_written(group: str, alone: bool, told: str) -> None:
    assert record_address("http://a/dataset/d", group, "why?  so", alone=alone) == "http://a/dataset/d" + told


ACTS: dict[str, Any] = {
    "queue": lambda: labelling_differing.queue("review"),
    "send": lambda: labelling_next.send("run", _choice(), "next", "rag_review"),
}


@pytest.mark.parametrize("role", ["viewer", "annotator", "curator", "admin"])
@pytest.mark.parametrize("act", ACTS)
def test_acts_ask_for_the_role_by_themselves(
    role: Any, act: str, labelled: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(labelled.file, tmp_path / "workbench.yaml")
    monkeypatch.setenv("WORKBENCH_CONFIG", str(tmp_path / "workbench.yaml"))
    monkeypatch.setattr(access, "person", lambda: Person("ada", role))
    begun = list[tuple[str, ...]]()
    monkeypatch.setattr(acting.background, "start", lambda bench, argv, by: begun.append((by, *argv)))
    if role in ("curator", "admin"):
        ACTS[act]()
        assert begun[0][:2] == ("ada", "label")
    else:
        with pytest.raises(AccessRefused, match="ROLE"):
            ACTS[act]()
        assert not begun and not list(Home(tmp_path / ".workbench").root.glob("picks/*"))


def test_buttons_are_off_for_whom_they_are_not_for(
    open_page: Open, labelled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "person", lambda: Person("eve", "annotator"))
    assert open_page("labelling", labelled, view="Disagreements").at.button(key="adjudicate").disabled
    assert open_page("labelling", labelled, view="Label next").at.button(key="push-picks").disabled


def _choice() -> Any:
    from workbench.jobs.labelling_next import Choice
    from workbench.records import Message

    return Choice((), (Task(id="r", messages=(Message(role="user", content="?"),), group="g"),), 1)
