"""Preferences that go in a circle: strongly connected answers of one prompt."""

from __future__ import annotations

from collections.abc import Sequence

Direction = tuple[bytes, bytes, bytes]
"""Prompt, better and worse answer, as keys."""


def in_circles(directions: Sequence[Direction]) -> frozenset[int]:
    """Return the places of the preferences that lie on a circle such as A > B > C > A; A > B > A is one too.

    Two answers are on a common circle when each leads to the other (strongly connected components, Tarjan 1972).
    """
    if not directions:
        return frozenset()
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers: dict[tuple[bytes, bytes], int] = {}
    better = [numbers.setdefault((prompt, a), len(numbers)) for prompt, a, _ in directions]
    worse = [numbers.setdefault((prompt, b), len(numbers)) for prompt, _, b in directions]
    n = len(numbers)
    graph = coo_array(([1] * len(better), (better, worse)), shape=(n, n))
    _, part = connected_components(graph, directed=True, connection="strong")
    return frozenset(at for at, (a, b) in enumerate(zip(better, worse, strict=True)) if part[a] == part[b])
