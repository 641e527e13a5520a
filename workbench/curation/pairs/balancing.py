"""Length-matched resampling: a part of the pairs in which length no longer tells which side was chosen."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from workbench.curation.pairs.columns import Columns

STEPS = 12
"""Classes of the ratio of lengths, so wide that about as many pairs lie in each."""


def balanced(columns: Columns, seed: int = 0) -> list[int]:
    """Return the places of the pairs that are kept, in order.

    Pairs are put into classes by how far the lengths of their sides differ (the longer by the shorter, in classes of
    like size); within each class as many are kept where the longer side was chosen as where the shorter one was, drawn
    by lot. Pairs of equal lengths are all kept.
    """
    ratios = [_ratio(len(a), len(b)) for a, b in zip(columns.chosen, columns.rejected, strict=True)]
    kept = [at for at, ratio in enumerate(ratios) if ratio == 0]
    order = sorted((at for at, ratio in enumerate(ratios) if ratio), key=lambda at: (abs(ratios[at]), columns.ids[at]))
    classes: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for rank, at in enumerate(order):
        classes[rank * STEPS // len(order), ratios[at] > 0].append(at)
    draw = random.Random(seed)
    for step in range(STEPS):
        kept += _as_many(classes[step, True], classes[step, False], draw, columns.ids)
    return sorted(kept)


def _as_many(longer: Sequence[int], shorter: Sequence[int], draw: random.Random, ids: Sequence[str]) -> list[int]:
    n = min(len(longer), len(shorter))
    return [at for some in (longer, shorter) for at in draw.sample(sorted(some, key=lambda at: ids[at]), n)]


def _ratio(chosen: int, rejected: int) -> float:
    """Return how much longer the longer side is, below 0 where it is the rejected one."""
    if chosen == rejected:
        return 0.0
    larger, smaller = max(chosen, rejected) + 1, min(chosen, rejected) + 1
    return (larger / smaller) * (1 if chosen > rejected else -1)
