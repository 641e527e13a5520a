"""Pairs of texts whose word n-grams overlap, found exactly: none missed, none false, without comparing all with all.

Two sets of Jaccard ≥ t share at least t of the larger one's members, so that in any one order of all shingles the first
(1 - t) of both must have one in common (prefix filtering: Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant
2007). With the rarest first, these beginnings meet almost only where texts are alike; every meeting is counted in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from workbench.curation.shingles import HASH_BITS, TEXTS_AT_ONCE, Shingles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.curation.shingles import Hashes, Offsets

    Shares = NDArray[np.float64]

THRESHOLD = 0.7
"""Jaccard similarity from which two texts are near-duplicates."""
LONGEST_RUN = 500
"""Texts that share a rare shingle are all compared with each other up to so many; beyond, with the nearest in size."""
MEETINGS_AT_ONCE = 4_000_000
"""Pairs held in memory while they are looked for."""
RARE_BITS = 12
"""Bits for how often a shingle was seen, where the rarest are sorted to the front."""
TAIL_BITS = HASH_BITS - RARE_BITS
"""Bits of a hash that are left beside it; enough to meet by, and every meeting is counted in full."""


class NearDuplicates(NamedTuple):
    """Pairs of near-duplicates among distinct texts, and which texts are the same."""

    first: Offsets
    """Number of the earlier text of each pair."""
    second: Offsets
    """Number of the later text."""
    jaccard: Shares
    """Their similarity: shared shingles by all shingles of either, at least the threshold, at most 1."""
    same: Offsets
    """For each text the number of the first with exactly its shingles: its own where there is none before it."""

    def clusters(self) -> Offsets:
        """Return for each text the smallest number in its cluster: all that pairs connect, directly or not."""
        import numpy as np
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = len(self.same)
        rows, columns = np.concatenate([self.first, np.arange(n)]), np.concatenate([self.second, self.same])
        graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(n, n))
        _, label = connected_components(graph, directed=False)
        smallest: Offsets = np.full(n, n)
        np.minimum.at(smallest, label, np.arange(n))
        clusters: Offsets = smallest[label]
        return clusters


def near_duplicates(shingles: Shingles, threshold: float = THRESHOLD) -> NearDuplicates:
    """Return all pairs of Jaccard ≥ `threshold` (above 0, at most 1) among the texts with distinct shingle sets.

    Texts without words are like nothing. Memory: some 40 bytes a shingle.
    """
    import numpy as np

    if not 0 < threshold <= 1:
        raise ValueError(f"a threshold of similarity lies above 0 and at most at 1, not {threshold}")
    same = _same(shingles)
    sizes = shingles.sizes()
    alone = (same == np.arange(len(same))) & (sizes > 0)
    found: list[tuple[Offsets, Offsets, Shares]] = [(np.zeros(0, np.int64),) * 2 + (np.zeros(0),)]
    for first, second in _meetings(*beginnings(shingles, alone, threshold), sizes, threshold):
        shared = n_shared(shingles, first, second)
        jaccard = shared / (sizes[first] + sizes[second] - shared)
        near = jaccard >= threshold
        found.append((first[near], second[near], jaccard[near]))
    first, second, jaccard = (np.concatenate(parts) for parts in zip(*found, strict=True))
    _, once = np.unique(first * len(same) + second, return_index=True)
    return NearDuplicates(first[once], second[once], jaccard[once], same)


def _same(shingles: Shingles) -> Offsets:
    """Return for each text the first with the same set, told by its size and two sums over its hashes."""
    import numpy as np

    n = len(shingles.starts) - 1
    keys = np.zeros((n, 3), np.uint64)
    keys[:, 0] = shingles.sizes()
    filled = np.flatnonzero(keys[:, 0])
    if len(filled):
        hashes, starts = shingles.hashes, shingles.starts[filled]
        keys[filled, 1] = np.add.reduceat(hashes * (hashes | np.uint64(1)), starts)
        keys[filled, 2] = np.bitwise_xor.reduceat(hashes, starts)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    same = first[inverse.ravel()].astype(np.int64)
    same[keys[:, 0] == 0] = np.flatnonzero(keys[:, 0] == 0)
    return same


def beginnings(shingles: Shingles, alone: NDArray[np.bool_], threshold: float) -> tuple[Hashes, Offsets]:
    """Return the rarest shingles of each text by which it can meet others (shortened hashes), and their texts."""
    import numpy as np

    sizes = shingles.sizes()
    slots = np.uint64((1 << min(24, max(8, len(shingles.hashes).bit_length() + 1))) - 1)
    seen = np.bincount((shingles.hashes & slots).astype(np.int64), minlength=int(slots) + 1)
    # How often is a bound from above where two shingles share a slot; any fixed order will do.
    seen = np.minimum(seen, (1 << RARE_BITS) - 1).astype(np.uint64)
    needed = sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1
    tails, texts = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for begin in range(0, len(sizes), TEXTS_AT_ONCE):
        end = min(begin + TEXTS_AT_ONCE, len(sizes))
        text = np.repeat(np.arange(end - begin), sizes[begin:end])
        hashes = shingles.hashes[shingles.starts[begin] : shingles.starts[end]]
        often = seen[(hashes & slots).astype(np.int64)]
        key = text.astype(np.uint64) << np.uint64(HASH_BITS) | often << np.uint64(TAIL_BITS)
        key |= hashes & np.uint64((1 << TAIL_BITS) - 1)
        key.sort()
        place = np.arange(len(key)) - (shingles.starts[begin:end] - shingles.starts[begin])[text]
        often = key >> np.uint64(TAIL_BITS) & np.uint64((1 << RARE_BITS) - 1)
        kept = (place < needed[begin:end][text]) & (often > 1) & alone[begin:end][text]
        tails.append(key[kept] & np.uint64((1 << TAIL_BITS) - 1))
        texts.append(text[kept] + begin)
    return np.concatenate(tails), np.concatenate(texts)


def _meetings(tails: Hashes, texts: Offsets, sizes: Offsets, threshold: float) -> Iterator[tuple[Offsets, Offsets]]:
    """Yield pairs of texts that share a beginning and are near enough in size, each once in a block."""
    import numpy as np

    order = np.lexsort((sizes[texts], tails))
    tails, texts = tails[order], texts[order]
    new = np.ones(len(tails), bool)
    new[1:] = tails[1:] != tails[:-1]
    begins = np.flatnonzero(new)
    lengths = np.diff(np.append(begins, len(tails)))
    # After the member at a place come the others of its run; pairs reach ahead by 1, 2, 3, ...
    left = np.repeat(begins + lengths, lengths) - np.arange(len(tails)) - 1
    places = np.arange(len(tails))
    held: list[Offsets] = []
    n_held = 0
    for ahead in range(1, min(LONGEST_RUN, int(lengths.max(initial=1)))):
        places = places[left[places] >= ahead]
        a, b = texts[places], texts[places + ahead]
        # Sorted by size within a run: who is too large now is too large for all that come.
        fits = sizes[a] >= threshold * sizes[b] - 1e-9
        places, a, b = places[fits], a[fits], b[fits]
        if not len(places):
            break
        held.append(np.minimum(a, b) * len(sizes) + np.maximum(a, b))
        n_held += len(a)
        if n_held >= MEETINGS_AT_ONCE:
            yield _once(held, len(sizes))
            held, n_held = [], 0
    if held:
        yield _once(held, len(sizes))


def _once(keys: list[Offsets], n: int) -> tuple[Offsets, Offsets]:
    import numpy as np

    both = np.unique(np.concatenate(keys))
    return both // n, both % n


def n_shared(shingles: Shingles, first: Offsets, second: Offsets) -> Offsets:
    """Return how many shingles the two texts of each pair have in common."""
    import numpy as np

    sizes = shingles.sizes()
    shared = np.zeros(len(first), np.int64)
    for begin in range(0, len(first), TEXTS_AT_ONCE):
        a, b = first[begin : begin + TEXTS_AT_ONCE], second[begin : begin + TEXTS_AT_ONCE]
        members = np.concatenate([_members(shingles, a, sizes), _members(shingles, b, sizes)])
        members.sort()
        twice = members[1:][members[1:] == members[:-1]] >> np.uint64(HASH_BITS)
        shared[begin : begin + len(a)] = np.bincount(twice.astype(np.int64), minlength=len(a))
    return shared


def _members(shingles: Shingles, texts: Offsets, sizes: Offsets) -> Hashes:
    """Return the shingles of the texts, each with its pair's number in front of its hash."""
    import numpy as np

    lengths = sizes[texts]
    pair = np.repeat(np.arange(len(texts)), lengths)
    offset = np.arange(len(pair)) - np.repeat(lengths.cumsum() - lengths, lengths)
    hashes: Hashes = shingles.hashes[shingles.starts[texts][pair] + offset]
    return pair.astype(np.uint64) << np.uint64(HASH_BITS) | hashes
