"""Flaws that the loop plants are the lint's own kinds, and it finds each with the rows that have it."""

from __future__ import annotations

import pytest

from tests.curation.pairs.made import card_of, clean_pairs, kinds
from workbench.curation.pairs.findings import ScoreCard
from workbench.curation.pairs.flaw import Looking
from workbench.curation.pairs.flaws import FLAWS
from workbench.records import Turn
from workbench.simulated.planted_flaws import SKEWS, plant_rows, plant_skews

GATE = (Turn(role="user", content="WHAT DOES THE GATE ASK?"),)


def seen(card: ScoreCard) -> dict[str, int]:
    return {finding.kind: finding.n for finding in card.findings}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_planted_row_is_found_and_nothing_else(seed: int) -> None:
    pairs = clean_pairs(seed, 60)
    rows, planted = plant_rows(pairs, GATE)
    found = seen(card_of(rows, Looking(leaks=dict.fromkeys(planted["leak"], "the same words as 'g1'"))))
    assert found == {kind: len(ids) for kind, ids in planted.items()}
    assert not kinds(card_of(pairs)), "what they were planted in is clean"


def test_each_planted_skew_is_found(seed: int = 4) -> None:
    rows, planted = plant_skews(clean_pairs(seed, 60))
    assert set(planted) <= set(seen(card_of(rows)))


def test_more_than_twenty_of_the_lints_own_kinds_are_planted() -> None:
    _, planted = plant_rows(clean_pairs(5, 20), GATE)
    assert len({*planted, *SKEWS}) > 20
    assert {*planted, *SKEWS} <= {flaw.kind for flaw in FLAWS}
