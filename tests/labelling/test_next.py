"""What to label next: numbers add up, reasons are true, and the lot stays a fair sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from workbench.labelling.next import Candidate, Wanted, Way, lot_sample, next_records

WAYS: tuple[Way, ...] = ("random", "uncertain", "disagreement", "diverse", "slice", "threshold")


def candidates(n: int = 60) -> list[Candidate]:
    rng = np.random.default_rng(3)
    return [
        Candidate(
            record_id=f"r{number}",
            group=f"g{number // 2}",
            tags={"topic": "rare" if number % 10 == 0 else "common"},
            verdicts=tuple(float(v) for v in rng.integers(0, 2, size=3)),
            score=float(rng.random()),
            labelled=number % 7 == 0,
        )
        for number in range(n)
    ]


def vectors(n: int = 60) -> NDArray[np.float32]:
    made: NDArray[np.float32] = np.random.default_rng(4).normal(size=(n, 8)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def only(way: Way, n: int = 5) -> Wanted:
    return Wanted(n=n, shares={way: 1.0}, slice="topic", threshold=0.5)


shares = st.dictionaries(st.sampled_from(WAYS), st.floats(0.01, 5), min_size=1)


@given(st.integers(1, 80), shares)
def test_picks_are_unlabelled_distinct_and_as_many_as_were_asked_or_left(n: int, parts: dict[Way, float]) -> None:
    rows = candidates()
    wanted = Wanted(n=n, shares=parts, slice="topic", threshold=0.5)
    picks = next_records(rows, wanted, seed=1, vectors=vectors())
    free = {row.record_id for row in rows if not row.labelled}
    assert len({pick.record_id for pick in picks}) == len(picks) == min(n, len(free))
    assert {pick.record_id for pick in picks} <= free


def test_the_same_seed_picks_the_same_whatever_the_order_of_the_records() -> None:
    rows, turned = candidates(), candidates()[::-1]
    wanted = Wanted(n=20, shares={"random": 1, "uncertain": 1, "slice": 1}, slice="topic")
    assert next_records(rows, wanted, seed=1) == next_records(turned, wanted, seed=1)
    assert next_records(rows, wanted, seed=1) != next_records(rows, wanted, seed=2)


def test_shares_are_kept_by_largest_remainder_and_the_lot_falls_first() -> None:
    picks = next_records(
        candidates(), Wanted(n=10, shares={"uncertain": 1, "random": 2, "threshold": 1}, threshold=0.5), seed=1
    )
    assert [pick.way for pick in picks][:5] == ["random"] * 5
    assert sum(pick.way in ("uncertain", "threshold") for pick in picks) == 5


def test_unsure_picks_are_those_whose_verdicts_are_nearest_to_a_half() -> None:
    rows = [Candidate(record_id=name, group=name, verdicts=v) for name, v in
            {"sure": (1.0,), "split": (0.0, 1.0), "leaning": (1.0, 1.0, 0.0)}.items()]  # fmt: skip
    picks = next_records(rows, only("uncertain", 3), seed=1)
    assert [(pick.record_id, pick.way) for pick in picks] == [
        ("split", "uncertain"),
        ("leaning", "uncertain"),
        ("sure", "random"),
    ]
    assert picks[0].reason == "the judge is unsure: 0, 1, where 0 fails and 1 passes"


def test_where_no_judges_differ_the_lot_fills_up() -> None:
    rows = [Candidate(record_id=f"r{n}", group=f"g{n}", verdicts=(1.0, 1.0)) for n in range(4)]
    assert {pick.way for pick in next_records(rows, only("disagreement", 3), seed=1)} == {"random"}


def test_slices_are_filled_evenly() -> None:
    rows = candidates()
    picks = next_records(rows, only("slice", 8), seed=1)
    tags = {row.record_id: row.tags["topic"] for row in rows}
    rare_left = sum(row.tags["topic"] == "rare" and not row.labelled for row in rows)
    assert sum(tags[pick.record_id] == "rare" for pick in picks) == rare_left
    assert any("topic=rare has only" in pick.reason for pick in picks)


def test_spread_out_picks_avoid_copies_of_what_is_labelled() -> None:
    space = np.repeat(np.eye(4, dtype=np.float32), 5, axis=0)
    rows = [Candidate(record_id=f"r{n}", group=f"g{n}", labelled=n == 0) for n in range(20)]
    picks = next_records(rows, only("diverse", 3), seed=1, vectors=space)
    assert {int(pick.record_id[1:]) // 5 for pick in picks} == {1, 2, 3}
    assert picks[0].reason == "unlike what was labelled: the nearest has a cosine of 0.00"


def test_one_family_is_asked_twice_only_when_no_other_is_left() -> None:
    rows = [Candidate(record_id=f"r{n}", group=f"g{n // 4}", score=0.5) for n in range(12)]
    picks = next_records(rows, only("threshold", 4), seed=1)
    assert [int(pick.record_id[1:]) // 4 for pick in picks[:3]] in [list(order) for order in _orders()]


def _orders() -> list[tuple[int, ...]]:
    from itertools import permutations

    return list(permutations(range(3)))


@given(st.sets(st.integers(0, 59)), st.integers(1, 30))
def test_the_labelled_beginning_of_the_lot_grows_whatever_else_was_labelled(done: set[int], n: int) -> None:
    rows = [row.model_copy(update={"labelled": number in done}) for number, row in enumerate(candidates())]
    before = lot_sample(rows, seed=1)
    picks = next_records(rows, Wanted(n=n, shares={"random": 1, "uncertain": 1}), seed=1)
    names = {pick.record_id for pick in picks}
    after = lot_sample(
        [row.model_copy(update={"labelled": row.labelled or row.record_id in names}) for row in rows], seed=1
    )
    drawn = sum(pick.way == "random" for pick in picks)
    assert after[: len(before)] == before
    assert len(after) >= len(before) + drawn


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("diverse", "to pick by 'diverse', vectors of the records must be given"),
        ("slice", "to pick by 'slice', the name of a tag must be given"),
        ("threshold", "to pick by 'threshold', the gate's threshold must be given"),
    ],
)
def test_a_way_that_lacks_what_it_needs_is_refused(way: Way, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        next_records(candidates(), Wanted(n=3, shares={way: 1}), seed=1)
