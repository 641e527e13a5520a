"""Answers that belong to other prompts: rows that slipped against each other, found by the rare words they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workbench.curation.pairs.columns import Columns
from workbench.curation.pairs.flaw import Found, Looking, rows_with

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

RARE, FEW = 24, 10
"""Texts in which a word may stand to be called rare; in a small set fewer, so many are always allowed."""
SHARED, ASKED = 3, 2
"""Rare words that an answer must share with another row, so many of them with its prompt, to be called that row's."""
TELLING = 20
"""A word in about one of so many rows, or in fewer, tells that a side belongs to its own prompt."""
SLOT_BITS = 26
"""Bits of a hash by which words are told; two that share them look more common than they are."""
MANY = 1 << 22
"""Words from which on they are counted in a place for every slot rather than sorted."""
ROWS_AT_ONCE = 20_000


class Words(NamedTuple):
    """The telling words of all texts: prompts, then chosen, then rejected sides, in their order."""

    text: Numbers
    word: Numbers
    often: Numbers
    """In how many texts the word stands."""

    def of(self, text: int, most: int) -> frozenset[int]:
        """Return the words of one text that stand in at most so many."""
        import numpy as np

        start, end = np.searchsorted(self.text, [text, text + 1])
        return frozenset(self.word[start:end][self.often[start:end] <= most].tolist())


def answers_of_others(columns: Columns, looking: Looking) -> Found:
    """Find sides that share no telling word with their own prompt or its other side, but rare ones with another row's.

    Rows of the same family are no others.
    """
    n, n_sides = len(columns), 2 if columns.rejected else 1
    words = _words(columns, n)
    rare, telling = max(FEW, min(RARE, n // 50)), max(FEW, 3 * n // TELLING)
    notes: dict[int, str] = {}
    for side in range(1, n_sides + 1):
        for ours, theirs in _suspects(words, columns, side, rare):
            mine = words.of(ours + side * n, telling)
            own = [words.of(ours + part * n, telling) for part in range(n_sides + 1) if part != side]
            if mine & frozenset().union(*own):
                continue
            mine = words.of(ours + side * n, rare)
            count = len(mine & frozenset().union(*(words.of(theirs + part * n, rare) for part in range(n_sides + 1))))
            if count >= max(SHARED, len(mine) / 2):
                notes[ours] = f"the {_name(side, n_sides)} shares {count} rare words with {columns.ids[theirs]}"
    return rows_with(sorted(notes), n, notes)


def _words(columns: Columns, n: int) -> Words:
    """Return the words of all texts but those that stand in so many that they tell nothing, which most do."""
    import numpy as np

    sets = columns.single_words
    text = np.repeat(np.arange(len(sets.starts) - 1), sets.sizes())
    word = (sets.hashes & np.uint64((1 << SLOT_BITS) - 1)).astype(np.int64)
    often = how_often(word)
    kept = often <= max(FEW, 3 * n // TELLING)
    return Words(text[kept], word[kept], often[kept])


def how_often(word: Numbers) -> Numbers:
    """Return how often each word stands among the words."""
    import numpy as np

    if len(word) > MANY:
        return np.bincount(word)[word]
    # A place for every slot would take half a gigabyte, which for few words is most of the time.
    _, place, counts = np.unique(word, return_inverse=True, return_counts=True)
    found: Numbers = counts[place]
    return found


def _suspects(words: Words, columns: Columns, side: int, rare: int) -> list[tuple[int, int]]:
    """Return (row, other row) where a side shares `ASKED` rare words or more with a prompt of another family."""
    import numpy as np
    from scipy.sparse import csr_array

    n = len(columns)
    few = (words.often <= rare) & (words.often > 1)
    part = words.text // n
    mine, asked = few & (part == side), few & (part == 0)
    if not mine.any() or not asked.any():
        return []
    _, word = np.unique(words.word[few], return_inverse=True)
    numbers = np.zeros(len(few), np.int64)
    numbers[few] = word
    shape = (n, int(word.max()) + 1)
    left, right = (
        csr_array((np.ones(int(some.sum()), np.int32), (words.text[some] % n, numbers[some])), shape=shape)
        for some in (mine, asked)
    )
    found = []
    for start in range(0, n, ROWS_AT_ONCE):
        block = (left[start : start + ROWS_AT_ONCE] @ right.T).tocoo()
        many = block.data >= ASKED
        both = zip((block.row[many] + start).tolist(), block.col[many].tolist(), strict=True)
        found += [pair for pair in both if columns.families[pair[0]] != columns.families[pair[1]]]
    return sorted(found)


def _name(side: int, n_sides: int) -> str:
    return "answer" if n_sides == 1 else ("chosen side" if side == 1 else "rejected side")
