"""Lint finds every planted flaw of the table, says which rows have it, and raises no alarm on clean sets."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.curation.pairs.made import (
    PLANTED,
    answer,
    card_of,
    clean_conversations,
    clean_pairs,
    conversation,
    kinds,
    side,
    with_text,
)
from workbench.curation.pairs.balancing import balanced
from workbench.curation.pairs.columns import columns_of
from workbench.curation.pairs.findings import Finding, ScoreCard
from workbench.curation.pairs.flaw import Looking
from workbench.curation.pairs.flaws import FLAWS
from workbench.curation.pairs.linting import lint
from workbench.curation.pairs.skew_flaws import label_noise, length_figures
from workbench.datasets import Votes

SOME = {"other_prompt"}
"""Kinds of which the lint tells that rows slipped, and most rows, but not every one."""
OF_CONVERSATIONS = tuple(f.kind for f in FLAWS if "conversations" in f.of and f.kind in PLANTED)
IN_REJECTED = {"template_tokens", "too_long", "other_prompt"}
"""Kinds that are planted in the rejected side, which a conversation has not."""


def test_the_table_has_more_than_twenty_kinds_and_each_is_planted_here() -> None:
    of_pairs = [flaw.kind for flaw in FLAWS if "pairs" in flaw.of]
    assert len(of_pairs) > 20
    assert set(of_pairs) == set(PLANTED)
    assert len({flaw.kind for flaw in FLAWS}) == len(FLAWS)


@pytest.mark.parametrize(("seed", "n"), [(1, 50), (2, 120), (3, 400)])
@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_flaw_is_found_with_the_rows_that_have_it(kind: str, seed: int, n: int) -> None:
    pairs = clean_pairs(1000 + seed, n)
    planted = PLANTED[kind](pairs, random.Random(seed))
    card = card_of(pairs, Looking(leaks=dict.fromkeys(planted, "the same words as 'g1'") if kind == "leak" else {}))
    finding = found(card, kind)
    assert finding.share is not None and finding.todo
    if kind in SOME:
        assert finding.n >= len(planted) / 3
    elif planted:
        assert finding.n == len(planted)
        assert {example.id for example in finding.examples} <= planted


@pytest.mark.parametrize("kind", [k for k in OF_CONVERSATIONS if k not in IN_REJECTED])
def test_a_planted_flaw_is_found_in_conversations_too(kind: str) -> None:
    pairs = clean_pairs(7, 200)
    planted = PLANTED[kind](pairs, random.Random(7))
    if kind == "empty":
        with_text(pairs, 0, "chosen", "  ")
    rows = [conversation(pair) for pair in pairs]
    assert kind in kinds(card_of(rows, Looking(leaks=dict.fromkeys(planted, "leak"))))


def test_thumbs_that_all_point_one_way_are_found() -> None:
    rows = [row.model_copy(update={"good": True}) for row in clean_conversations(3, 60)]
    assert "one_class" in kinds(card_of(rows))
    mixed = [row.model_copy(update={"good": at % 2 == 0}) for at, row in enumerate(rows)]
    assert "one_class" not in kinds(card_of(mixed))


@given(seed=st.integers(0, 2**32), n=st.integers(50, 500))
@settings(max_examples=20)
def test_a_clean_set_raises_no_alarm(seed: int, n: int) -> None:
    assert kinds(card_of(clean_pairs(seed, n))) == set()


@given(seed=st.integers(0, 2**32), n=st.integers(50, 300))
@settings(max_examples=10)
def test_a_clean_set_of_conversations_raises_no_alarm(seed: int, n: int) -> None:
    assert kinds(card_of(clean_conversations(seed, n))) == set()


@pytest.mark.long
def test_of_a_thousand_clean_sets_hardly_one_raises_an_alarm() -> None:
    draw = random.Random(5)
    alarms = [kinds(card_of(clean_pairs(seed, draw.randint(50, 500)))) for seed in range(10_000, 11_000)]
    assert sum(map(bool, alarms)) <= 10, [found for found in alarms if found]


@given(seed=st.integers(0, 1000))
@settings(max_examples=5)
def test_the_order_of_the_rows_does_not_matter(seed: int) -> None:
    pairs = clean_pairs(seed, 80)
    draw = random.Random(seed)
    for kind in ("contradiction", "circle", "length_skew", "empty"):
        PLANTED[kind](pairs, draw)
    shuffled = random.Random(seed + 1).sample(pairs, len(pairs))
    one, other = (
        [(f.kind, f.n, f.of, round(f.share or 0, 9), f.examples) for f in card_of(rows).findings]
        for rows in (pairs, shuffled)
    )
    assert one == other


def test_a_corrections_near_identical_sides_are_meant() -> None:
    pairs = clean_pairs(4, 60)
    PLANTED["near_identical_sides"](pairs, random.Random(4))
    assert "near_identical_sides" not in kinds(card_of([p.model_copy(update={"rule": "edit"}) for p in pairs]))


def test_what_cannot_be_looked_for_is_told_and_is_not_clean() -> None:
    bare = [
        p.model_copy(update={"votes": None, "seen_first": None, "chosen": side(p.chosen.text()),
                             "rejected": side(p.rejected.text())})
        for p in clean_pairs(6, 60)
    ]  # fmt: skip
    card = card_of(bare, Looking(leaks=None))
    assert set(card.unknown) == {"leak", "rater_conflict", "label_noise", "position_bias", "single_model"}
    assert not set(card.unknown) & set(card.clean)


def test_an_accepted_flaw_is_told_and_blocks_nothing() -> None:
    pairs = clean_pairs(8, 60)
    PLANTED["empty"](pairs, random.Random(8))
    assert [f.kind for f in card_of(pairs).blocking()] == ["empty"]
    card = lint(columns_of(pairs, "pairs"), Looking(leaks={}), "made", accepted=["empty"])
    assert card.findings[0].accepted and not card.blocking(strict=True)


def test_warnings_block_only_where_that_is_asked_for() -> None:
    pairs = clean_pairs(9, 100)
    PLANTED["length_skew"](pairs, random.Random(9))
    card = card_of(pairs)
    assert not card.blocking() and [f.kind for f in card.blocking(strict=True)] == ["length_skew"]


def test_the_token_limit_counts_with_the_given_tokenizer() -> None:
    def words(texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    card = card_of(clean_pairs(10, 50), Looking(max_tokens=20, count=words, leaks={}))
    assert found(card, "too_long").n > 0 and "limit 20" in found(card, "too_long").told


def test_the_length_auc_is_the_share_of_all_chosen_and_rejected_that_are_in_that_order() -> None:
    pairs = clean_pairs(11, 60)
    columns = columns_of(pairs, "pairs")
    lengths = [(len(a), len(b)) for a, b in zip(columns.chosen, columns.rejected, strict=True)]
    by_hand = sum((a > b) + (a == b) / 2 for a, _ in lengths for _, b in lengths) / len(lengths) ** 2
    share, auc = length_figures(columns)
    assert auc.value == pytest.approx(by_hand)
    assert share.value == pytest.approx(sum((a > b) + (a == b) / 2 for a, b in lengths) / len(lengths))


def test_the_auc_interval_holds_a_half_in_about_19_of_20_clean_sets() -> None:
    held = 0
    for seed in range(200):
        interval = length_figures(columns_of(clean_pairs(20_000 + seed, 60), "pairs"))[1].interval
        assert interval is not None
        held += interval.low <= 0.5 <= interval.high
    # Binomial(200, .95): fewer than 178 or more than 199 has a chance below 1 in 1,000.
    assert 178 <= held <= 199


def test_label_noise_is_told_back_from_overlap() -> None:
    draw = random.Random(12)
    truth, pairs = 0.15, []
    for pair in clean_pairs(12, 3000):
        n_for = sum(draw.random() > truth for _ in range(2))
        votes = Votes(chosen=max(1, n_for), rejected=2 - max(1, n_for))
        pairs.append(pair.model_copy(update={"votes": votes}))
    noise = label_noise(columns_of(pairs, "pairs"))
    assert noise.interval is not None and noise.interval.low <= truth <= noise.interval.high


@given(seed=st.integers(0, 1000))
@settings(max_examples=8)
def test_a_balanced_part_has_no_length_skew_and_keeps_what_it_can(seed: int) -> None:
    pairs = clean_pairs(seed, 300)
    draw = random.Random(seed)
    for at, pair in enumerate(pairs):
        if draw.random() < 0.5 and len(pair.chosen.text()) < len(pair.rejected.text()):
            pairs[at] = pair.model_copy(update={"chosen": pair.rejected, "rejected": pair.chosen})
    kept = [pairs[at] for at in balanced(columns_of(pairs, "pairs"), seed)]
    share, auc = length_figures(columns_of(kept, "pairs"))
    assert share.value == pytest.approx(0.5) and auc.value == pytest.approx(0.5, abs=0.06)
    shorter = sum(len(p.chosen.text()) < len(p.rejected.text()) for p in pairs)
    assert len(kept) >= shorter
    assert "length_skew" not in kinds(card_of(kept))


def test_hostile_text_is_never_taken_for_more_than_text() -> None:
    pairs = clean_pairs(13, 50)
    with_text(pairs, 0, "chosen", "\ud800 <script>alert(1)</script> \u202e " + answer(random.Random(1), ["kazet"] * 6))
    card_of(pairs)  # a lone surrogate must not end the lint


def found(card: ScoreCard, kind: str) -> Finding:
    return next(finding for finding in card.findings if finding.kind == kind)
