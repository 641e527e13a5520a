from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.runs import ScoreFailure
from workbench.scoring.numeric import find_numbers


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("A: 18", "18"),
        ("She makes $1,234.50.", "1234.5"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("−7 degrees", "-7"),
        ("16 - 3 = <<16-3=13>>13", "13"),
        ("16-3=13", "13"),
        ("50%", "50"),
        ("5kg", "5"),
        ("the 3rd", "3"),
        (".5", "0.5"),
        ("+4", "4"),
        ("1e3", "1000"),
        ("1,000,000", "1000000"),
        ("007", "7"),
        ("(42)", "42"),
        ("7-year-old", "7"),
        ("18.", "18"),
        ("18.0", "18"),
        ("one is 5, the other 6", "6"),
    ],
)
def test_the_last_number_is_read_as_people_write_numbers(spec, score, answer, number) -> None:
    assert score(spec("numeric"), answer, number).value == 1
    assert score(spec("numeric"), answer, str(Fraction(number) + 1).split("/")[0]).value == 0


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("١٢", "digits other than"),
        ("１２", "digits other than"),
        ("1_000", "underscores"),
        ("3,5", "thousands"),
        ("1,00", "thousands"),
        ("1.000.000", "thousands"),
        ("1'000", "thousands"),
        ("1/2", "fraction"),
        ("12:30", "ratio"),
        ("5-10", "range"),
        ("5–10", "range"),
        ("10²", "power"),
        ("2½", "fraction"),
        ("9" * 401, "longer"),
        ("1e9999", "thousands"),
    ],
)
def test_a_number_without_a_definite_value_fails_and_says_why(spec, score, answer, word) -> None:
    for reference in ("12", "1000", "3.5", "35", "2", "30", "10", "5"):
        got = score(spec("numeric"), answer, reference)
        assert got.value == 0
        assert word in got.reason


@pytest.mark.parametrize("answer", ["", "none", "A1", "x2", "infinity", "NaN", "¹", "twelve"])
def test_an_answer_without_a_number_fails(spec, score, answer) -> None:
    got = score(spec("numeric"), answer, "1")
    assert (got.value, got.reason) == (0, "no number in the answer")


def test_extract_decides_which_number_counts(spec, score) -> None:
    answer = "First 3, then 5, so A: 8 (not 9)"
    assert score(spec("numeric", extract="first"), answer, "3").value == 1
    assert score(spec("numeric", extract="last"), answer, "9").value == 1
    assert score(spec("numeric", extract="pattern", pattern=r"A:\s*(\S+)"), answer, "8").value == 1
    assert score(spec("numeric", extract="pattern", pattern=r"A:\s*\S+"), answer, "8").value == 1
    assert score(spec("numeric", extract="pattern", pattern=r"Z:(.)"), answer, "8").reason == "no number in the answer"
    assert score(spec("numeric", extract="only"), answer, "8").reason == "several numbers in the answer"
    assert score(spec("numeric", extract="only"), "It is 8.", "8").value == 1


@pytest.mark.parametrize(
    ("fields", "answer", "value"),
    [
        ({}, "10.1", 0),
        ({"absolute": 0.1}, "10.1", 1),  # 10.1 - 10 is above 0.1 in binary floats
        ({"absolute": 0.1}, "10.11", 0),
        ({"relative": 0.01}, "9.9", 1),
        ({"relative": 0.01}, "9.89", 0),
        ({"relative": 0.01, "absolute": 2}, "8", 1),
    ],
)
def test_tolerances_are_exact_and_the_wider_holds(spec, score, fields, answer, value) -> None:
    assert score(spec("numeric", **fields), answer, "10").value == value


def test_any_reference_may_match_and_those_without_a_number_are_passed_over(spec, score) -> None:
    assert score(spec("numeric"), "4", "unknown", "4").value == 1
    got = score(spec("numeric"), "4", "unknown", "1/2")
    assert isinstance(got, ScoreFailure)
    assert got.kind == "not_applicable"
    assert score(spec("numeric"), "4").kind == "not_applicable"


@pytest.mark.parametrize(
    "fields",
    [{"extract": "pattern"}, {"pattern": "x"}, {"absolute": -1}, {"relative": 1.5}, {"absolute": float("nan")},
     {"extract": "pattern", "pattern": "("}],
)  # fmt: skip
def test_settings_that_contradict_are_refused(spec, fields) -> None:
    with pytest.raises(ValidationError):
        spec("numeric", **fields)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3))
def test_any_decimal_is_found_with_its_exact_value_with_and_without_thousands_separators(number) -> None:
    for written in (f"{number:f}", f"{number:,f}"):
        [found] = find_numbers(f"The result is {written}.")
        assert found.problem == ""
        assert found.value() == Fraction(number)


@given(st.text(max_size=60), st.text(alphabet="0123456789.,-_/:$%eE ١², \n", max_size=40))
def test_no_text_breaks_the_reader_and_what_has_no_problem_has_a_value(text: str, numberish: str) -> None:
    for found in find_numbers(text + numberish):
        if not found.problem:
            assert isinstance(found.value(), Fraction)
