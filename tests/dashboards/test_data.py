"""The data page over full, empty and damaged homes: rows, lineage, quality, differences; hostile text stays text."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dashboards import access, acting, data_sets
from dashboards.access import Person
from dashboards.lineage_graph import dot
from dashboards.views import data_quality
from tests.dashboards.conftest import Open, Opened, cut
from tests.dashboards.labelled_home import HOSTILE
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.errors import AccessRefused
from workbench.jobs.lineage import Family, Node

KINDS = ("support-train", "prefs-train", "questions-dev")
VIEWS = ("Datasets", "Rows", "Lineage", "Quality", "Duplicates", "Personal data", "Diff")


@pytest.mark.parametrize(("view", "dataset"), [*zip(VIEWS, KINDS * 3, strict=False), ("Rows", KINDS[2])])
def test_every_part_opens_for_every_kind(open_page: Open, labelled: Workbench, view: str, dataset: str) -> None:
    page = open_page("data", labelled, view=view, dataset=dataset).calm()
    assert page.at.error == [] and not _marked_up(page)


def test_an_empty_home_names_the_command_that_brings_data_in(open_page: Open, empty: Workbench) -> None:
    assert "workbench data import" in open_page("data", empty).calm().texts()


@pytest.mark.parametrize("view", ["Datasets", "Rows", "Lineage"])
def test_a_damaged_dataset_is_told_and_breaks_nothing(
    open_page: Open, labelled: Workbench, tmp_path: Path, view: str
) -> None:
    shutil.copytree(labelled.file.parent, tmp_path / "project")
    bench = load_workbench(tmp_path / "project" / "workbench.yaml")
    for table in (bench.home.datasets / "support-train").glob("*/rows.parquet"):
        cut(table)
    for manifest in (bench.home.datasets / "quiz-gate").glob("*/manifest.json"):
        cut(manifest)
    page = open_page("data", bench, view=view, dataset="support-train").calm()
    assert "quiz-gate" in page.texts()
    if view != "Datasets":
        assert "DATASET_DAMAGED" in page.texts() or "DAMAGED_TABLE" in page.texts()


def test_rows_are_found_by_words_and_shown_plain(open_page: Open, labelled: Workbench) -> None:
    page = open_page("data", labelled, view="Rows", dataset="support-train", q="room number 13?")
    assert page.at.dataframe[0].value["id"].tolist() == ["c13"]
    assert "1 rows with these words" in page.texts()
    assert "Room 13 is the one with the blue door." in [e.value for e in page.at.text]
    wanted = open_page("data", labelled, view="Rows", dataset="support-train", q="' OR 1=1 --")
    assert "0 rows with these words" in wanted.calm().texts()


def test_a_row_is_walked_back_to_who_said_what(open_page: Open, labelled: Workbench) -> None:
    page = open_page("data", labelled, view="Rows", dataset="prefs-train").calm()
    (told,) = [e.value for e in page.at.text if e.value.startswith("row ")]
    assert "record review@" in told and "label verdict: " in told and "ann, 2026-11-01" in told


def test_what_a_dataset_was_made_from_is_a_graph_that_nothing_breaks_out_of(
    open_page: Open, labelled: Workbench
) -> None:
    page = open_page("data", labelled, view="Lineage", dataset="prefs-train").calm()
    drawn = page.at.get("graphviz_chart")[0].proto.spec
    assert "snapshot\\nreview@" in drawn and "annotator\\n:green-badge[bo]" in drawn
    nasty = Node(kind="file", name='x" URL="javascript:alert(1)\\', note="a\nb <b>&lt;")
    told = dot(Family(dataset=nasty, parents=(nasty,), children=()))
    assert 'x\\" URL=\\"javascript:alert(1)\\\\' in told and told.count(" URL=") == 2


def test_duplicates_are_shown_as_clusters_and_personal_data_is_masked(open_page: Open, labelled: Workbench) -> None:
    first = {"dataset": "support-train", "version": _versions(labelled)[0]}
    doubles = open_page("data", labelled, view="Duplicates", **first).calm()
    assert "workbench data dedupe" in doubles.texts() and "rows say what another one says" in doubles.texts()
    found = open_page("data", labelled, view="Personal data", **first).calm()
    shown = "\n".join(str(frame.value) for frame in found.at.dataframe) + found.texts()
    assert "<email:1>" in shown and "@firm-" not in shown


def test_two_versions_differ_row_by_row_and_word_by_word(open_page: Open, labelled: Workbench) -> None:
    page = open_page("data", labelled, view="Diff", dataset="support-train").calm()
    assert "60 rows → 59: 0 added, 1 removed, 1 changed, 58 the same" in page.texts()
    assert [row["row"] for row in page.tables()[0]] == ["c1"]


def test_a_large_set_is_looked_through_by_a_job_that_asks_for_the_role(
    open_page: Open, labelled: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(labelled.file.parent, tmp_path / "project")
    bench = load_workbench(tmp_path / "project" / "workbench.yaml")
    shutil.rmtree(bench.home.cache / "quality", ignore_errors=True)
    monkeypatch.setattr(data_sets, "AT_ONCE", 10)
    page = open_page("data", bench, view="Quality", dataset="support-train").calm()
    assert "too many to be looked through" in page.texts() and not page.at.button(key="stats").disabled
    begun = list[tuple[str, ...]]()
    monkeypatch.setattr(acting.background, "start", lambda bench, argv, by: begun.append((by, *argv)))
    for role, allowed in (("viewer", False), ("annotator", False), ("curator", True), ("admin", True)):
        monkeypatch.setattr(access, "person", lambda role=role: Person("ada", role))
        if allowed:
            data_quality.look_through("support-train")
        else:
            with pytest.raises(AccessRefused, match="ROLE"):
                data_quality.look_through("support-train")
    assert begun == [("ada", "data", "stats", "support-train")] * 2


def _versions(bench: Workbench) -> list[str]:
    from workbench.curation.stored_datasets import versions_in

    found = versions_in(bench.home.datasets / "support-train")
    return [f"{v.version} · {v.path.name[:12]} · {v.at[:16].replace('T', ' ')} · {v.manifest.n:,} rows" for v in found]


def _marked_up(page: Opened) -> list[Any]:
    kinds = ("markdown", "caption", "info", "warning")
    marked = [str(e.value) for kind in kinds for e in getattr(page.at, kind)]
    return [text for text in marked for hostile in HOSTILE if hostile in text]
