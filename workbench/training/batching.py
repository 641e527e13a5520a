"""In which order rows are learnt: one for a seed and an epoch, so that a resumed run goes on as if never stopped."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

MEGA = 50
"""Batches' worth of rows among which rows of like length are sought: more would spoil the chance of the draw."""


def epoch_order(lengths: Sequence[int], batch: int, seed: int, epoch: int, by_length: bool) -> list[int]:
    """Return the places of all rows in the order of one epoch; each run of `batch` places is one batch.

    By length, rows are shuffled, sorted within `MEGA` batches' worth, cut into batches, and the batches shuffled; the
    very longest row's batch comes first, so that memory that does not suffice shows at once. A batch that is not full
    comes last.
    """
    draw = Random(seed * 1_000_003 + epoch)
    order = list(range(len(lengths)))
    draw.shuffle(order)
    if not by_length:
        return order
    groups: list[list[int]] = []
    for start in range(0, len(order), MEGA * batch):
        mega = sorted(order[start : start + MEGA * batch], key=lambda place: (-lengths[place], place))
        groups += [mega[at : at + batch] for at in range(0, len(mega), batch)]
    rest = [groups.pop()] if groups and len(groups[-1]) < batch else []
    draw.shuffle(groups)
    if groups:
        longest = max(range(len(groups)), key=lambda at: lengths[groups[at][0]])
        groups[0], groups[longest] = groups[longest], groups[0]
    return [place for group in [*groups, *rest] for place in group]
