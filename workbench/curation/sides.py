"""Prompts that lie on two sides of one evalset's firewall though they are the same, or nearly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from workbench.curation.near_duplicates import near_duplicates
from workbench.curation.shingles import shingle_sets

THRESHOLD = 0.8
"""Jaccard similarity of word triples from which two prompts are one for the firewall."""
TRIPLES = 3


class Prompt(NamedTuple):
    """A sample, as far as the firewall looks at it."""

    side: str
    """Side of the firewall."""
    id: str
    """The sample's id."""
    text: str
    """What is asked, without the system prompt, which many samples share."""


class Overlap(NamedTuple):
    """Two samples on two sides whose prompts are one."""

    first: Prompt
    second: Prompt
    likeness: float
    """Jaccard similarity of their word triples; 1 for the same words."""


def overlaps(sides: Mapping[str, Sequence[tuple[str, str]]]) -> list[Overlap]:
    """Return all pairs across sides, given as (id, text) by side, that are the same or near-duplicates; none is missed.

    Of prompts with the same words, one of each side stands for all.
    """
    prompts = [Prompt(side, name, text) for side, rows in sides.items() for name, text in rows]
    if len({p.side for p in prompts}) < 2:
        return []
    found = near_duplicates(shingle_sets((p.text for p in prompts), TRIPLES), THRESHOLD)
    same = found.same.tolist()
    # A text without words is like nothing to the shingles; there, its characters must be the same.
    keys = [p.text.split() if same[i] == i else prompts[same[i]].text.split() for i, p in enumerate(prompts)]
    equal = _equal(prompts, keys)
    pairs = zip(found.first.tolist(), found.second.tolist(), found.jaccard.tolist(), strict=True)
    near = [Overlap(prompts[a], prompts[b], j) for a, b, j in _one_a_side(prompts, same, pairs)]
    return [*equal, *near]


def _equal(prompts: Sequence[Prompt], keys: Sequence[Sequence[str]]) -> list[Overlap]:
    """Return pairs of the same text, one sample a side."""
    first: dict[tuple[str, ...], dict[str, Prompt]] = {}
    for prompt, key in zip(prompts, keys, strict=True):
        first.setdefault(tuple(key), {}).setdefault(prompt.side, prompt)
    return [Overlap(a, b, 1.0) for by_side in first.values() for a, b in pairwise(by_side.values())]


def _one_a_side(
    prompts: Sequence[Prompt], same: Sequence[int], pairs: Iterator[tuple[int, int, float]]
) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs that lie on two sides; each text stands for all with its words, on whatever side they lie."""
    alike: dict[int, dict[str, int]] = {}
    for i, representative in enumerate(same):
        alike.setdefault(representative, {}).setdefault(prompts[i].side, i)
    for a, b, j in pairs:
        crossing = ((x, y) for s, x in alike[a].items() for t, y in alike[b].items() if s != t)
        yield from ((x, y, j) for x, y in list(crossing)[:1])
