"""Real preferences become pairs and are linted: what is found in them is known, and stated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.real import pairs_made
from tests.real.pairs_made import Rows
from workbench.curation.pairs.building import build_pairs
from workbench.curation.pairs.columns import columns_of
from workbench.curation.pairs.findings import ScoreCard
from workbench.curation.pairs.flaw import Looking
from workbench.curation.pairs.from_labels import Labelled, judged
from workbench.curation.pairs.judgements import Judgement, Unused
from workbench.curation.pairs.linting import lint
from workbench.curation.pairs.policy import PairPolicy
from workbench.datasets import PreferencePair

pytestmark = pytest.mark.real
Read = Callable[[str], list[dict[str, Any]]]


@pytest.mark.parametrize(
    ("name", "make", "n", "flaws"),
    [
        ("pandalm", pairs_made.pandalm, 462, {"truncated_chosen", "looping_chosen", "length_skew"}),
        ("mtbench_llmeval2_pairs", pairs_made.mtbench, 263,
         {"near_identical_sides", "refusal_chosen", "truncated_chosen", "looping_chosen"}),
        ("llmbar", pairs_made.llmbar, 419,
         {"identical_sides", "near_identical_sides", "refusal_chosen", "truncated_chosen", "copied_prompt",
          "length_skew"}),
        ("ragchecker_pairs", pairs_made.ragchecker, 95, set()),
    ],
)  # fmt: skip
def test_real_preferences_are_built_and_linted(
    name: str,
    make: Callable[[Rows], Labelled],
    n: int,
    flaws: set[str],
    rows: Read,
    figure: Callable[[str], None],
) -> None:
    heard = list(judged(make(rows(name)), PairPolicy()))
    judgements = [h for h in heard if isinstance(h, Judgement)]
    built = build_pairs(judgements, [h for h in heard if isinstance(h, Unused)], PairPolicy())
    card = _card(list(built.pairs), name)
    figure(f"pairs of {name}: {built.told}; {_told(card)}")
    assert len(built.pairs) == n
    assert {finding.kind for finding in card.findings} == flaws


def test_published_dpo_pairs_are_linted(rows: Read, figure: Callable[[str], None]) -> None:
    card = _card(pairs_made.dpo_demo(rows("fmt_dpo_demo")), "fmt_dpo_demo")
    figure(f"pairs of fmt_dpo_demo: {_told(card)}")
    assert {f.kind: f.n for f in card.findings} == {"refusal_chosen": 1, "truncated_chosen": 2, "garbled": 1}


def _card(pairs: list[PreferencePair], name: str) -> ScoreCard:
    return lint(columns_of(pairs, "pairs"), Looking(leaks={}), name)


def _told(card: ScoreCard) -> str:
    longer = card.figures[0]
    flaws = ", ".join(f"{f.kind} {f.n}" for f in card.findings) or "no flaw"
    return f"chosen longer in {longer.value:.3f} of {longer.n}; {flaws}"
