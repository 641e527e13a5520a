"""A judge's test labels are used once, a changed judge's calibration is void, and few labels are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.calibration.made import judged
from workbench.calibration.book import calibrations, current
from workbench.calibration.calibrated import Calibrated, Subject, calibrate
from workbench.calibration.judged import PARTS, Judged, part_of
from workbench.errors import DataError

NOW = "2026-11-23T00:00:00+00:00"


def subject(version: str = "1") -> Subject:
    inputs = {"scorer": f"rubric-{version}", "judge": "model-1"}
    return Subject(metric="correct", judge="judge", inputs=inputs, labels="l", question="verdict", guideline="g/1")


def made(rows: list[Judged], earlier: list[Calibrated], version: str = "1", open_test: bool = True) -> Calibrated:
    return calibrate(rows, subject(version), earlier, open_test=open_test, who="ada", at=NOW)


def test_families_are_divided_once_whatever_else_is_labelled() -> None:
    few, many = (made(judged(n, size=2), [], open_test=False) for n in (400, 800))
    assert set(few.parts) == set(PARTS) and sum(few.parts.values()) == 400
    assert {part_of(f"g{i}", "verdict") for i in range(400)} == set(PARTS)
    assert all(many.parts[part] > few.parts[part] for part in PARTS)
    assert few.test is None and not few.opened and "not opened" in few.valid_for(subject().inputs)


def test_the_test_part_is_measured_apart_from_the_part_to_work_on() -> None:
    rows = judged(600)
    found = made(rows, [])
    test = [row for row in rows if part_of(row.group, "verdict") == "test"]
    assert found.test is not None and found.test.n == len(test) == found.parts["test"]
    right = [row for row in test if row.human and row.judge]
    assert (found.test.tpr.k, found.test.tpr.n) == (len(right), sum(row.human for row in test))


def test_another_version_of_the_judge_finds_the_test_part_used_up() -> None:
    rows = judged(600)
    first = made(rows, [])
    with pytest.raises(DataError, match="used up by another version of this judge"):
        made(rows, [first], version="2")
    more = made(judged(1200), [first], version="2")
    assert more.n_spent == first.parts["test"]
    assert more.test is not None and not set(more.opened) & set(first.opened)
    assert made(rows, [first]).opened == first.opened


def test_a_calibration_is_void_when_rubric_or_model_changed() -> None:
    found = made(judged(400), [])
    assert found.valid_for(subject().inputs) == ""
    assert found.valid_for(subject("2").inputs) == "the rubric or prompt changed since"
    assert found.valid_for({**subject().inputs, "judge": "model-2"}) == "the judging model changed since"


def test_few_labels_of_one_verdict_are_refused_before_the_test_part_is_opened() -> None:
    with pytest.raises(DataError, match=r"the test part has .* that they fail.* are the least"):
        made(judged(200, share=0.97), [])


def test_the_book_gives_the_latest_calibration_that_holds_or_says_why_none_does(tmp_path: Path) -> None:
    book = calibrations(tmp_path)
    assert current(book, "correct", subject().inputs) == (None, "its judge was never calibrated")
    found = made(judged(400), [])
    book.add(found)
    assert current(book, "correct", subject().inputs) == (found, "")
    none, why = current(book, "correct", subject("2").inputs)
    assert none is None and why == "the calibration of 2026-11-23 is void: the rubric or prompt changed since"


def test_a_record_of_the_book_that_was_edited_is_found(tmp_path: Path) -> None:
    book = calibrations(tmp_path)
    book.add(made(judged(400), []))
    book.file.write_bytes(book.file.read_bytes().replace(b'"grade":"usable"', b'"grade":"good"'))
    book.file.write_bytes(book.file.read_bytes().replace(b'"grade":"poor"', b'"grade":"good"'))
    book.file.write_bytes(book.file.read_bytes().replace(b"ada", b"eve"))
    with pytest.raises(DataError, match="this record was edited"):
        book.records()


@pytest.mark.parametrize(("tpr", "tnr", "grade"), [(1.0, 1.0, "good"), (0.86, 1.0, "usable"), (1.0, 0.6, "poor")])
def test_a_judge_is_graded_by_the_worse_of_its_rates(tpr: float, tnr: float, grade: str) -> None:
    found = made(judged(4000, tpr=tpr, tnr=tnr), [])
    assert found.grade == grade
    assert ("TPR" in found.why) or grade != "usable"
