"""The judges page over full, empty and damaged homes; a cell leads to its samples, and an unopened test stays shut."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dashboards import access, acting
from dashboards.access import Person
from dashboards.views import judges
from tests.dashboards.conftest import Open, cut
from tests.dashboards.labelled_home import HOSTILE
from workbench.calibration.book import calibrations
from workbench.calibration.judged import part_of
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.errors import AccessRefused
from workbench.jobs.judged_cells import judged_cells

VIEWS = ("Trust", "Confusion", "Biases", "Drift", "Injection", "Corrected")


@pytest.mark.parametrize("view", VIEWS)
def test_every_part_opens_over_a_full_home_and_shows_text_as_text(
    open_page: Open, labelled: Workbench, view: str
) -> None:
    page = open_page("judges", labelled, view=view).calm()
    assert page.at.error == []
    marked = [str(e.value) for kind in ("markdown", "caption", "info", "warning") for e in getattr(page.at, kind)]
    assert not [text for text in marked for hostile in HOSTILE if hostile in text]


def test_a_home_without_judges_names_the_next_command(open_page: Open, empty: Workbench, full: Workbench) -> None:
    for bench in (empty, full):
        assert "workbench eval run" in open_page("judges", bench).calm().texts()


def test_rates_stand_with_interval_and_n_and_the_grade(open_page: Open, labelled: Workbench) -> None:
    page = open_page("judges", labelled)
    assert [m.label.partition(":")[0] for m in page.at.metric][:3] == ["TPR", "TNR", "accuracy"]
    found = calibrations(labelled.home.root).records()[-1]
    assert found.test is not None
    assert f"· n {found.test.tpr.n} · failed 0" in page.texts()


def test_every_cell_of_the_matrix_lists_its_answers(open_page: Open, labelled: Workbench) -> None:
    run = labelled.home.run_ids()[0]
    found = judged_cells(labelled, run, "correct")
    cells = {"people fail, judge passes": (False, True), "both pass": (True, True)}
    for name, cell in cells.items():
        page = open_page("judges", labelled, view="Confusion", cell=name).calm()
        shown = {row["answer"] for row in page.at.dataframe[0].value.to_dict("records")}
        assert shown == {row.id.partition("/")[2] for row in found.cell(*cell)} and shown


def test_an_answer_of_a_test_part_that_was_not_opened_is_not_shown(labelled: Workbench, tmp_path: Path) -> None:
    bench = _copy(labelled, tmp_path)
    run = bench.home.run_ids()[0]
    before = judged_cells(bench, run, "correct")
    shutil.rmtree(bench.home.root / "judges")
    after = judged_cells(bench, run, "correct")
    assert before.opened and not after.opened
    assert {part_of(row.group, after.subject.question) for row in after.rows} == {"dev"}
    assert len(before.rows) > len(after.rows) and after.n_withheld > before.n_withheld


def test_damaged_books_and_tables_are_told(open_page: Open, labelled: Workbench, tmp_path: Path) -> None:
    bench = _copy(labelled, tmp_path)
    cut(bench.home.root / "judges" / "calibrations.jsonl")
    cut(bench.home.runs / bench.home.run_ids()[0] / "scores.parquet")
    for view in ("Confusion", "Corrected"):
        page = open_page("judges", bench, view=view).calm()
        assert "A book of the judges cannot be read." in page.texts()


def test_injection_without_an_attack_names_its_command(open_page: Open, labelled: Workbench, tmp_path: Path) -> None:
    bench = _copy(labelled, tmp_path)
    (bench.home.root / "judges" / "attacks.jsonl").unlink()
    (bench.home.root / "judges" / "attacks.head").unlink()
    assert "workbench judge attack" in open_page("judges", bench, view="Injection").calm().texts()


@pytest.mark.parametrize("role", ["viewer", "annotator", "curator", "admin"])
def test_opening_the_test_part_asks_for_the_role_by_itself(
    role: Any, open_page: Open, labelled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CONFIG", str(labelled.file))
    monkeypatch.setattr(access, "person", lambda: Person("ada", role))
    begun = list[tuple[str, ...]]()
    monkeypatch.setattr(acting.background, "start", lambda bench, argv, by: begun.append((by, *argv)))
    allowed = role in ("curator", "admin")
    if role in ("annotator", "curator"):  # the last role without the button, and the first with it
        assert open_page("judges", labelled).at.button(key="open-test").disabled is not allowed
    if allowed:
        judges.open_test("r", "correct")
        assert begun == [("ada", "judge", "calibrate", "r", "--judge", "correct", "--test")]
    else:
        with pytest.raises(AccessRefused, match="ROLE"):
            judges.open_test("r", "correct")
        assert not begun


def _copy(bench: Workbench, folder: Path) -> Workbench:
    shutil.copytree(bench.file.parent, folder / "project")
    return load_workbench(folder / "project" / "workbench.yaml")
