"""Several rankings made one, by rank alone: scores of different searches have no common unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.rag.pipeline import Found

DAMPING = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009)."""


def fused(lists: Sequence[Sequence[Found]]) -> list[Found]:
    """Return all chunks by the sum of 1 / (60 + rank) over the lists, which becomes their score."""
    total: dict[str, float] = {}
    chunk_of: dict[str, Found] = {}
    for found in lists:
        for rank, chunk in enumerate(found, 1):
            total[chunk.id] = total.get(chunk.id, 0.0) + 1 / (DAMPING + rank)
            chunk_of.setdefault(chunk.id, chunk)
    order = sorted(total, key=lambda id: -total[id])
    return [chunk_of[id].model_copy(update={"score": total[id]}) for id in order]
