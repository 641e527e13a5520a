"""Answers that belong to other prompts: rows that slipped against each other, found by the rare words they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.curation.pairs.columns import Columns
from workbench.curation.pairs.flaw import Found, Looking, rows_with

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Truths = NDArray[np.bool_]

RARE = 12
"""Rows in which a word may stand to be called rare; at most one in fifty of a small set, but four."""
SHARED = 3
"""Rare words that an answer must share with another row, and none with its own, to be called that row's."""
TELLING = 20
"""A word in at most one of so many rows tells that a side belongs to its own prompt."""
ROWS_AT_ONCE = 20_000


def answers_of_others(columns: Columns, looking: Looking) -> Found:
    """Find sides that share no rare word with their own prompt or its other side, but several with another row's.

    Rows of the same family are no others.
    """
    import numpy as np

    n = len(columns)
    n_sides = 2 if columns.rejected else 1
    text, word, often = _words(columns, n)
    part, row = text // n, text % n  # part 0: prompt, 1: chosen, 2: rejected
    rare = (often > 1) & (often <= max(4, min(RARE, n // 50)))
    telling = often <= max(2, n // TELLING)
    notes: dict[int, str] = {}
    for side in range(1, n_sides + 1):
        mine, others = part == side, part != side
        own = _met(row, word, mine & telling, others & telling)
        n_rare = np.bincount(row[mine & rare], minlength=n)
        # A conversation's answer is also held against the answers of others; its own is no other.
        context = (others if n_sides == 2 else np.ones(len(part), bool)) & rare
        met = _products((row[mine & rare], word[mine & rare]), (row[context], word[context]), n)
        for ours, theirs, count in met:
            other = columns.families[ours] != columns.families[theirs]
            if other and ours not in own and count >= max(SHARED, n_rare[ours] / 2):
                notes[ours] = f"the {_name(side, n_sides)} shares {count} rare words with {columns.ids[theirs]}"
    return rows_with(sorted(notes), n, notes)


def _words(columns: Columns, n: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return text, word, and in how many rows the word stands, of every word of every text.

    Texts are prompts, then chosen, then rejected sides.
    """
    import numpy as np

    sets = columns.single_words
    text = np.repeat(np.arange(len(sets.starts) - 1), sets.sizes())
    _, word = np.unique(sets.hashes, return_inverse=True)
    word = word.astype(np.int64)
    in_rows = np.unique(word * max(1, n) + text % max(1, n)) // max(1, n)
    return text, word, np.bincount(in_rows, minlength=int(word.max(initial=0)) + 1)[word]


def _met(row: Numbers, word: Numbers, mine: Truths, others: Truths) -> frozenset[int]:
    """Return the rows whose side shares a word with their own prompt or other side."""
    import numpy as np

    width = int(word.max(initial=0)) + 1
    key = row * width + word
    there = np.isin(key[mine], key[others])
    return frozenset(row[mine][there].tolist())


def _products(ours: tuple[Numbers, Numbers], theirs: tuple[Numbers, Numbers], n: int) -> list[tuple[int, int, int]]:
    """Return (row, other row, shared words) where they share `SHARED` or more."""
    import numpy as np
    from scipy.sparse import csr_array

    if not len(ours[0]) or not len(theirs[0]):
        return []
    width = int(max(ours[1].max(), theirs[1].max())) + 1
    left = csr_array((np.ones(len(ours[0]), np.int32), ours), shape=(n, width))
    right = csr_array((np.ones(len(theirs[0]), np.int32), theirs), shape=(n, width))
    right.data[:] = 1
    right = right.T.tocsr()
    found = []
    for start in range(0, n, ROWS_AT_ONCE):
        block = (left[start : start + ROWS_AT_ONCE] @ right).tocoo()
        many = block.data >= SHARED
        rows, others, counts = block.row[many] + start, block.col[many], block.data[many]
        found += list(zip(rows.tolist(), others.tolist(), counts.tolist(), strict=True))
    return found


def _name(side: int, n_sides: int) -> str:
    return "answer" if n_sides == 1 else ("chosen side" if side == 1 else "rejected side")
