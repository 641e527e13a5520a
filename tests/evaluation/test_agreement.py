"""A judge beside gold labels: rates and kappa, and a warning where the labels know one class only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.made import RIGHT, Cell, made, numbered
from workbench.cli.show import show_judge_check
from workbench.evaluation.agreement import JudgeCheck, check_judge

JUDGE = RIGHT.model_copy(update={"name": "judge"})


def checked(tmp_path: Path, gold: list[Cell], judge: list[Cell], better: str = "higher") -> JudgeCheck:
    by_judge = JUDGE.model_copy(update={"better": better})
    finished = made(tmp_path, numbered(gold), {by_judge: numbered(judge)})
    return check_judge(finished.run, finished.folder, "judge", "right")


def test_kappa_is_the_agreement_beyond_chance(tmp_path: Path) -> None:
    gold: list[Cell] = [1.0] * 45 + [0.0] * 40 + [1.0] * 5 + [0.0] * 10
    judge: list[Cell] = [1.0] * 45 + [0.0] * 40 + [0.0] * 5 + [1.0] * 10
    found = checked(tmp_path, gold, judge)
    assert found.kappa == pytest.approx(0.7) and found.warning == ""
    assert (found.tpr.value, found.tnr.value) == (0.9, 0.8)


def test_a_judge_of_harm_is_turned_around(tmp_path: Path) -> None:
    found = checked(tmp_path, [1.0, 1.0, 0.0], [0.0, 0.0, 1.0], better="lower")
    assert (found.accuracy.value, found.kappa) == (1.0, 1.0)


@pytest.mark.parametrize(("label", "lacking"), [(1.0, "TNR"), (0.0, "TPR")])
def test_one_class_is_a_warning_and_no_kappa(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], label: float, lacking: str
) -> None:
    found = checked(tmp_path, [label] * 5, [1.0, 0.0, 1.0, 1.0, 0.0])
    assert found.kappa is None and f"{lacking} and kappa cannot be told" in found.warning
    assert {"TNR": found.tnr.value, "TPR": found.tpr.value}[lacking] is None
    show_judge_check(found)
    said = capsys.readouterr().out
    assert "kappa: n/a" in said and "warning: every gold label is" in said


def test_a_judge_that_says_one_thing_has_no_kappa_and_the_labels_are_not_to_blame(tmp_path: Path) -> None:
    found = checked(tmp_path, [1.0, 0.0], [1.0, 1.0])
    assert found.kappa is None and found.warning == ""
