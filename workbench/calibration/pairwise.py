"""A judge that prefers one of two answers, asked in both orders: a flip is a tie."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from workbench.calibration.biases import Bias, pair_biases
from workbench.calibration.judged import Choice, JudgedPair
from workbench.calibration.measuring import Share, share_of
from workbench.nouns import Many, Noun
from workbench.runs import Interval
from workbench.statistics.means import mean_interval

CONSISTENT = 0.9
"""Share of equal verdicts in both orders that a judge should reach."""


class PairTrust(Noun):
    """How a judge did on pairs."""

    slice: str = ""
    """`name=value` of the tag; empty for all."""
    n: int = Field(ge=0)
    """Pairs with a human preference."""
    n_unjudged: int = Field(ge=0)
    """Pairs for which the judge gave no verdict in at least one order."""
    accuracy: float | None
    """Share of the two orders' verdicts that are people's; one that is missing is wrong. The usual published figure."""
    accuracy_interval: Interval | None
    """Its interval, clustered by family."""
    consistency: Share
    """Of the pairs judged in both orders, those judged equally."""
    settled: Share
    """Of all pairs, those where both orders say what people say: a flip is a tie, and right where people tie."""
    biases: Many[Bias] = ()
    """Length, family and place."""


def settled(pair: JudgedPair) -> Choice | None:
    """Return the verdict over both orders: what both say, a tie where they differ, `None` where one is missing."""
    if pair.forward is None or pair.backward is None:
        return None
    return pair.forward if pair.forward == pair.backward else "tie"


def measure_pairs(pairs: Sequence[JudgedPair], judge: str, slice_name: str = "") -> PairTrust:
    """Return how a judge, which is called `judge`, did on pairs."""
    both = [p for p in pairs if p.forward is not None and p.backward is not None]
    right = [((p.forward == p.human) + (p.backward == p.human)) / 2 for p in pairs]
    found = mean_interval(right, [p.group for p in pairs], low=0, high=1)
    return PairTrust(
        slice=slice_name,
        n=len(pairs),
        n_unjudged=len(pairs) - len(both),
        accuracy=found.value,
        accuracy_interval=found.interval,
        consistency=share_of([p.forward == p.backward for p in both], [p.group for p in both]),
        settled=share_of([settled(p) == p.human for p in pairs], [p.group for p in pairs]),
        biases=tuple(pair_biases(pairs, judge)),
    )


def pairs_by_slice(pairs: Sequence[JudgedPair], judge: str) -> list[PairTrust]:
    """Return how a judge did on each tag's values, by name and value."""
    slices: dict[str, list[JudgedPair]] = {}
    for pair in pairs:
        for name, value in pair.tags.items():
            slices.setdefault(f"{name}={value}", []).append(pair)
    return [measure_pairs(members, judge, name) for name, members in sorted(slices.items())]
