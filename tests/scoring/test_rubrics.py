from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ConfigError
from workbench.scoring.rubrics import OrdinalScale, Rubric, parse_rubric

GOOD = '---\nname: correct\nversion: "1"\nscale: binary\n---\n\nPass when it is right.\n'


def test_a_rubric_is_front_matter_and_a_body() -> None:
    rubric = parse_rubric(GOOD, "r.md")
    assert rubric == Rubric(name="correct", version="1", scale="binary", body="Pass when it is right.")


def test_an_ordinal_scale_has_ends_and_maybe_a_word_for_each_step() -> None:
    text = GOOD.replace("binary", "{ordinal: {min: 1, max: 3, labels: [wrong, partly, right]}}")
    scale = parse_rubric(text, "r.md").scale
    assert isinstance(scale, OrdinalScale)
    assert (scale.ordinal.min, scale.ordinal.max, scale.ordinal.labels) == (1, 3, ("wrong", "partly", "right"))


def test_the_body_may_hold_rules_of_three_dashes() -> None:
    assert parse_rubric(GOOD + "---\nMore.\n", "r.md").body == "Pass when it is right.\n\n---\nMore.".replace(
        "\n\n", "\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Pass when right.", "r.md:1: no YAML front matter (got Pass when right.)"),
        ("", "r.md:1: no YAML front matter"),
        ("---\nname: a\n", "r.md:1: no YAML front matter"),
        (GOOD.replace("Pass when it is right.", ""), "r.md:6: no text below the front matter"),
        (GOOD.replace('"1"', "1.10"), "r.md:3:version: should be a valid string (got 1.1); quote it"),
        (GOOD.replace('"1"', "2026-11-22"), "r.md:3:version: should be a valid string"),
        (GOOD.replace("correct", "no"), "r.md:2:name: should be a valid string (got false); quote it"),
        (GOOD.replace("correct", "two words"), "r.md:2:name: "),
        (GOOD.replace("scale: binary\n", ""), "r.md:2:scale: required field is missing"),
        (GOOD.replace("binary", "likert"), "r.md:4:scale: should be 'binary' (got 'likert')"),
        (
            GOOD.replace("binary", "{ordinal: {min: 3, max: 3}}"),
            "r.md:4:scale.ordinal: max must lie 1 to 100 above min",
        ),
        (
            GOOD.replace("binary", "{ordinal: {min: 1, max: 2, labels: [a]}}"),
            "r.md:4:scale.ordinal: 1 labels for 2 steps",
        ),
        (
            GOOD.replace("binary", "{ordinal: {min: true, max: 2}}"),
            "r.md:4:scale.ordinal.min: should be a valid integer",
        ),
        (GOOD.replace("scale:", "scal: 7\nscale:"), "r.md:4:scal: unknown field (got 7); did you mean 'scale'?"),
        (GOOD.replace("scale:", "body: x\nscale:"), "r.md:4:body: unknown field; write it below ---"),
        (GOOD.replace("scale:", "name: b\nscale:"), "r.md:4:name: key is given twice"),
        (GOOD.replace("correct", "&a correct\nx: *a"), "r.md:3: aliases are not allowed (got a)"),
        (GOOD.replace("correct", "!!python/name:os.system x"), "r.md:2: could not determine a constructor"),
        (GOOD.replace("correct", "[unclosed"), "r.md:3: "),
        (GOOD.replace("correct", "a\n\tb: c"), "r.md:3: "),
        (GOOD.replace("correct", "'\x01'"), "r.md:2: not YAML"),
        ("---\n- a\n---\nx", "r.md:2: front matter is not a mapping"),
        ("---\n" + "[" * 3_000 + "\n---\nx", "r.md:2: nested deeper than 10 levels"),
        ("---\nname: " + "a" * 5_000 + "\n---\nx", "r.md:1: front matter is longer than 4000 characters"),
    ],
)
def test_a_faulty_rubric_is_refused_with_file_line_and_field(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rubric(text, "r.md")
    assert message in str(caught.value)


def test_all_faults_of_a_rubric_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rubric("---\nname: 1\nversion: 2\nscale: x\ny: z\n---\nBody", "r.md")
    assert [p.line for p in caught.value.problems] == [2, 3, 4, 5]


@given(st.text(alphabet="-\n:{}[]&*!|>'\"#% abcname12\t\x00\u2028", max_size=80))
def test_any_text_is_a_rubric_or_a_config_error(text: str) -> None:
    for rubric in (text, "---\n" + text + "\n---\nbody", GOOD.replace("binary", text)):
        try:
            parse_rubric(rubric, "r.md")
        except ConfigError:
            continue


def test_the_hash_follows_what_the_judge_sees_and_nothing_else() -> None:
    one = parse_rubric(GOOD, "r.md")
    assert one.hash() == parse_rubric(GOOD.replace("correct", "other"), "s.md").hash()
    assert one.hash() != parse_rubric(GOOD + "And polite.", "r.md").hash()
    assert one.hash() != parse_rubric(GOOD.replace("binary", "{ordinal: {min: 1, max: 2}}"), "r.md").hash()
