"""Rows 50–56 of the catalogue of bad inputs: labels are checked against their question and the clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from workbench.reading.faults import Gravity, gravity
from workbench.reading.labels import LabelRow, Question, labels_of

QUESTIONS = {"verdict": Question(values=("chosen", "rejected")), "quality": Question(low=1, high=5)}
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def label(**changed: Any) -> dict[str, Any]:
    plain = {"record_id": "r", "question": "verdict", "value": "chosen", "annotator": "ann", "guideline": "1"}
    return {**plain, "at": "2026-01-31T12:00:00Z", **changed}


def read(tmp_path: Path, *rows: dict[str, Any], zone: str | None = None) -> list[LabelRow]:
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
    return list(labels_of(path, QUESTIONS, NOW, ZoneInfo(zone) if zone else None))


BAD: dict[str, tuple[dict[str, Any], Gravity, list[str]]] = {
    "38-missing": ({"guideline": None}, "set aside", ["labels.jsonl:2:guideline", "[FIELD_TYPE]"]),
    "50-not-in-schema": (
        {"value": "chozen"},
        "set aside",
        ["labels.jsonl:2:value", "(got 'chozen')", "chosen, rejected", "[LABEL_VALUE]"],
    ),
    "50-unknown-question": (
        {"question": "mood"},
        "set aside",
        ["(got 'mood')", "verdict, quality", "[UNKNOWN_QUESTION]"],
    ),
    "51-outside-scale": (
        {"question": "quality", "value": 6},
        "set aside",
        ["labels.jsonl:2:value", "scale 1 to 5", "(got 6)", "[LABEL_SCALE]"],
    ),
    "52-bool-as-score": ({"question": "quality", "value": True}, "set aside", ["(got True)", "[FIELD_TYPE]"]),
    "53-arabic-digits": ({"question": "quality", "value": "٣"}, "reject", ["(got '٣')", "[NUMBER_FORMAT]"]),
    "54-naive": ({"at": "2026-01-31T12:00:00"}, "reject", ["labels.jsonl:2:at: the time has no zone", "[TIME_NAIVE]"]),
    "54-no-time": ({"at": "yesterday"}, "reject", ["(got 'yesterday')", "[TIME_FORMAT]"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_label(case: str, tmp_path: Path) -> None:
    changed, expected, words = BAD[case]
    good, bad = read(tmp_path, label(), label(**changed))
    assert good.label is not None and good.problems == ()
    assert bad.label is None
    assert {gravity(p) for p in bad.problems} == {expected}
    for word in words:
        assert word in str(bad.problems[0])


def test_53_a_number_in_a_csv_must_be_plain(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    head = "record_id,question,value,annotator,guideline,at\n"
    rows = [f"r,quality,{value},ann,1,2026-01-31T12:00:00Z\n" for value in ("4", "4.5", "1_0", "١", "nan", "04")]
    path.write_text(head + "".join(rows), encoding="utf-8")
    found = list(labels_of(path, QUESTIONS, NOW))
    assert [row.label.value if row.label else row.problems[0].code for row in found] == [4, 4.5, *["NUMBER_FORMAT"] * 4]


def test_54_a_declared_zone_is_used_for_naive_times(tmp_path: Path) -> None:
    (row,) = read(tmp_path, label(at="2026-01-31T12:00:00"), zone="Europe/Berlin")
    assert row.label is not None
    assert row.label.at == datetime(2026, 1, 31, 11, tzinfo=UTC)


def test_55_a_time_in_the_future_is_kept_and_noted(tmp_path: Path) -> None:
    (row,) = read(tmp_path, label(at="2027-01-01T00:00:00+01:00"))
    assert row.label is not None
    assert [(p.code, gravity(p)) for p in row.problems] == [("FUTURE_TIME", "note")]


def test_56_both_sides_of_a_clock_change_keep_their_moment_in_utc(tmp_path: Path) -> None:
    summer, winter = read(tmp_path, label(at="2025-10-26T02:30:00+02:00"), label(at="2025-10-26T02:30:00+01:00"))
    assert summer.label is not None and winter.label is not None
    assert [summer.label.at.hour, winter.label.at.hour] == [0, 1]
    (row,) = read(tmp_path, label(at="2025-10-26T02:30:00"), zone="Europe/Berlin")
    assert row.label is None and row.problems[0].code == "TIME_AMBIGUOUS"


@pytest.mark.parametrize("fields", [{}, {"values": ("a",), "low": 1, "high": 2}, {"low": 1}])
def test_a_question_has_words_or_a_scale(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give either"):
        Question(**fields)
