"""Many comparisons at once: adjusted p-values, in the order in which the p-values were given."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm's rule: rejecting those below alpha errs once with probability alpha (1979).

    For the metrics of a gate, or several runs against one baseline.
    """
    _refuse_impossible(p_values)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that those below q hold at most a share q of false discoveries, in expectation.

    For a dashboard's slices, which are exploratory (Benjamini and Hochberg 1995).
    """
    _refuse_impossible(p_values)
    m, adjusted, running = len(p_values), [1.0] * len(p_values), 1.0
    order = sorted(range(m), key=p_values.__getitem__)
    for rank in range(m, 0, -1):
        index = order[rank - 1]
        running = min(running, p_values[index] * m / rank)
        adjusted[index] = running
    return adjusted


def _refuse_impossible(p_values: Sequence[float]) -> None:
    for at, p in enumerate(p_values):
        if not 0 <= p <= 1:
            raise ValueError(f"p-value {p} at position {at} is not within [0, 1]")
