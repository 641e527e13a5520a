"""Notes are never edited, codes are counted honestly, and the taxonomy holds together."""

from __future__ import annotations

from itertools import count

import pytest
import yaml
from pydantic import ValidationError

from workbench.config.labelling_yaml import BUILT_IN
from workbench.config.yaml_source import load_yaml
from workbench.failures.counting import coder_agreement, pareto, saturation
from workbench.failures.entries import AnswerId, Entry, Note, Standing, Undo, standing
from workbench.failures.taxonomy import Mode, Taxonomy, as_yaml

IDS = count()
TAXONOMY = Taxonomy(
    version="2",
    modes=(
        Mode(value="reasoning", title="Reasoning", severity=4),
        Mode(value="units", title="Wrong unit", severity=5, parent="reasoning", includes=("kg for g", "unit")),
        Mode(value="format", severity=1),
    ),
)


def note(sample: str, *tags: str, by: str = "ada", text: str = "") -> Note:
    n = next(IDS)
    return Note(
        id=f"n{n}", by=by, at=f"2026-01-01T00:00:{n:09.3f}", of=AnswerId(run="r", sample=sample), tags=tags, text=text
    )


def held(*entries: Entry) -> Standing:
    return standing(entries)


def test_a_later_note_of_a_person_stands_for_the_earlier_and_anothers_stays() -> None:
    first, second, bobs = note("a", "x"), note("a", "y"), note("a", "z", by="bob")
    current = held(first, bobs, second).current()
    assert {n.id for n in current[first.of]} == {second.id, bobs.id}


def test_an_undo_is_a_line_and_can_be_undone() -> None:
    first, second = note("a", "x"), note("a", "y")
    undo = Undo(id="u1", by="ada", at="t", undoes=second.id)
    again = Undo(id="u2", by="ada", at="t", undoes="u1")
    assert held(first, second, undo).current()[first.of] == [first]
    assert held(first, second, undo, again).current()[first.of] == [second]


def test_the_ranking_counts_an_answer_once_and_its_groups_too() -> None:
    book = held(
        note("a", "unit"),
        note("a", "kg for g", by="bob"),
        note("b", "format"),
        note("c", "odd"),
        note("d", text="no tag"),
    )
    bars = {b.code: b for b in pareto(book, TAXONOMY)}
    assert {code: (b.k, b.n) for code, b in bars.items()} == {
        "units": (1, 3),
        "reasoning": (1, 3),
        "format": (1, 3),
        "odd": (1, 3),
    }
    assert [b.code for b in pareto(book, TAXONOMY)] == ["units", "reasoning", "format", "odd"]
    units = bars["units"]
    assert units.weight == pytest.approx(5 / 3) and units.low is not None and units.high is not None
    assert units.low == pytest.approx(5 * units.interval.low) and units.low < units.weight < units.high
    assert not bars["odd"].known and bars["odd"].weight is None, (
        "a tag without a severity has no weight, not a made-up one"
    )
    assert pareto(book, TAXONOMY, runs=["other"]) == []


def test_saturation_tells_new_codes_by_answer_and_what_may_be_unseen() -> None:
    book = held(note("a", "unit"), note("b", "kg for g"), note("c", "odd", "unit"), note("d", "odd"))
    seen = saturation(book, TAXONOMY)
    assert [(p.n, p.new, p.codes) for p in seen.points] == [(1, 1, 1), (2, 0, 1), (3, 1, 2), (4, 0, 2)]
    assert (seen.since, seen.unseen) == (1, 0.0), "no code was given once only"
    assert saturation(held(), None).unseen is None


def test_coders_who_say_the_same_agree_and_one_coder_says_nothing_of_it() -> None:
    pairs = [note(s, t, by=by) for s, t in (("a", "x"), ("b", "y"), ("c", "x"), ("d", "y")) for by in ("ada", "bob")]
    whole = next(a for a in coder_agreement(held(*pairs, note("e", "x")), None, {}) if not a.code)
    assert (whole.alpha.value, whole.alpha.n) == (1.0, 4)
    assert coder_agreement(held(note("a", "x")), None, {}) == []


def test_synonyms_agree_where_the_taxonomy_says_that_they_mean_one_code() -> None:
    words = (("a", "unit", "kg for g"), ("b", "format", "format"), ("c", "units", "unit"))
    book = held(*(n for s, one, two in words for n in (note(s, one), note(s, two, by="bob"))))
    assert [a.alpha.value for a in coder_agreement(book, TAXONOMY, {}) if not a.code] == [1.0]


def test_the_built_in_taxonomy_is_one_and_the_export_reads_back_the_same(tmp_path) -> None:
    built_in = load_yaml(BUILT_IN / "taxonomy.yaml", Taxonomy)
    for taxonomy in (built_in, TAXONOMY):
        file = tmp_path / "taxonomy.yaml"
        file.write_text(as_yaml(taxonomy))
        assert load_yaml(file, Taxonomy) == taxonomy
    assert yaml.safe_load(as_yaml(TAXONOMY))["modes"][1]["includes"] == ["kg for g", "unit"]


@pytest.mark.parametrize(
    ("modes", "why"),
    [
        ([Mode(value="a"), Mode(value="a")], "stands twice"),
        ([Mode(value="a", parent="b"), Mode(value="c")], "is no mode"),
        ([Mode(value="a", parent="b"), Mode(value="b", parent="a")], "its own parent"),
        ([Mode(value="a", includes=("x",)), Mode(value="b", includes=("x",))], "means two modes"),
    ],
)
def test_a_taxonomy_that_does_not_hold_together_is_refused(modes: list[Mode], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Taxonomy(version="1", modes=tuple(modes))
