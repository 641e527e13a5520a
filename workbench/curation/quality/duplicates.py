"""Rows that say the same: exactly, nearly (word triples), or in meaning (embeddings). One of each cluster is kept.

Two rows are duplicates when *every* part of one is that of the other, prompt, answer and passages each by itself: one
prompt with two answers, or chosen and rejected exchanged, are no duplicates. Neither are rows that differ in a number,
a sign of arithmetic or a thumb. A row is dropped only for a kept one that is like it directly, not by way of a third.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from workbench.curation.near_duplicates import THRESHOLD, n_shared, near_duplicates
from workbench.curation.quality.views import Part, View
from workbench.curation.shingles import HASH_BITS, Shingles, shingle_sets
from workbench.datasets import Conversation
from workbench.nouns import fingerprint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

Keep = Literal["labels", "longest", "first"]
"""Which row of a cluster is kept: the one that most people's word stands behind, the one with the longest answer, the
first. Ties go on to the next rule."""
KEEP: dict[Keep, str] = {
    "labels": "the row with most annotators, of equals the longest answer, of equals the first",
    "longest": "the row with the longest answer, of equals the first",
    "first": "the first row",
}
By = Literal["row", "prompt"]
"""What must be alike: the whole row, or its prompt alone."""
COSINE = 0.95
"""Cosine of embeddings from which two parts mean the same."""
TRIPLES = 3
PARTS: dict[By, tuple[Part, ...]] = {
    "row": ("prompt", "answer", "rejected", "context", "reference"),
    "prompt": ("prompt",),
}
AT_ONCE = 512
"""Rows compared with all kept ones at once."""

Embed = Callable[[Sequence[str]], "Vectors"]
"""Texts → one vector of length 1 each."""
_MARKS = re.compile(r"\d+|[+*/=<>^%≠≤≥×÷−]|-(?=\s?\d)")


class Twin(NamedTuple):
    """A row that says what a kept one says."""

    dropped: int
    """Its place."""
    kept: int
    """The place of the row it is like."""
    likeness: float
    """1, the lowest Jaccard similarity of word triples of any part, or the lowest cosine."""


def exact(rows: Sequence[View], keep: Keep, by: By = "row") -> list[Twin]:
    """Return the rows whose texts, thumb and tools are those of another, character by character."""
    order = preferred(rows, keep)
    first: dict[str, int] = {}
    twins = []
    for place in order:
        texts = [(t.part, t.text) for t in rows[place].texts if by == "row" or t.part in ("prompt", "system")]
        kept = first.setdefault(fingerprint([texts, _thumb(rows[place])]), place)
        if kept != place:
            twins.append(Twin(place, kept, 1.0))
    return sorted(twins)


def near(
    rows: Sequence[View], keep: Keep, by: By = "row", threshold: float = THRESHOLD, numbers: bool = True
) -> list[Twin]:
    """Return the rows each part of which shares at least `threshold` of its word triples with a kept row's.

    `numbers`: rows that differ in a number or a sign of arithmetic are no duplicates.
    """
    import numpy as np

    parts = [shingle_sets((row.part(part) for row in rows), TRIPLES) for part in PARTS[by]]
    found = near_duplicates(_together(parts), threshold)
    lowest = np.ones(len(found.first))
    for part in parts:
        sizes = part.sizes()
        shared = n_shared(part, found.first, found.second)
        both = sizes[found.first] + sizes[found.second] - shared
        # A part without words on either side is compared by the signature.
        lowest = np.minimum(lowest, np.where(both > 0, shared / np.maximum(both, 1), 1.0))
    edges = np.flatnonzero(lowest >= threshold)
    pairs = zip(found.first[edges].tolist(), found.second[edges].tolist(), lowest[edges].tolist(), strict=True)
    # A row without any word is like nothing to the shingles; its signature holds its characters.
    words = np.where(sum(part.sizes() for part in parts) > 0, found.same, -1).tolist()
    return _stars(preferred(rows, keep), words, _signatures(rows, parts, by, numbers), pairs)


def semantic(
    rows: Sequence[View], embed: Embed, keep: Keep, by: By = "row", cosine: float = COSINE, numbers: bool = True
) -> list[Twin]:
    """Return the rows each part of which lies within `cosine` of a kept row's. Every row meets every kept one."""
    import numpy as np

    texts = [[row.part(part) for row in rows] for part in PARTS[by]]
    parts = [_vectors(some, embed) for some in texts if any(map(str.strip, some))]
    marks = np.array(_grouped(_signatures(rows, [], by, numbers)), np.int64)
    order = np.array(preferred(rows, keep))
    kept = np.zeros(0, np.int64)
    twins = []
    for start in range(0, len(order), AT_ONCE):
        block = order[start : start + AT_ONCE]
        others = np.concatenate([kept, block])
        likeness = _likeness(parts, marks, block, others)
        likeness[:, len(kept) :] = np.tril(likeness[:, len(kept) :] + 1, -1) - 1  # only rows before count
        for row, place in enumerate(block.tolist()):
            best = int(likeness[row].argmax())
            if likeness[row, best] >= cosine:
                twins.append(Twin(place, int(others[best]), min(1.0, float(likeness[row, best]))))
                likeness[:, len(kept) + row] = -1.0  # dropped: nothing is dropped for it
        kept = np.setdiff1d(others, [twin.dropped for twin in twins], assume_unique=True)
    return sorted(twins)


def preferred(rows: Sequence[View], keep: Keep) -> list[int]:
    """Return the places of the rows, the one that is rather kept first."""
    if keep not in get_args(Keep):
        raise ValueError(f"no rule is called {keep!r}")
    if keep == "first":
        return list(range(len(rows)))
    labels = [row.n_labels if keep == "labels" else 0 for row in rows]
    lengths = [sum(len(t.text) for t in row.answers()) for row in rows]
    return sorted(range(len(rows)), key=lambda place: (-labels[place], -lengths[place], place))


def _stars(
    order: Sequence[int], words: Sequence[int], marks: Sequence[object], pairs: Iterable[tuple[int, int, float]]
) -> list[Twin]:
    """Return each row that a kept one is like, by going through the rows from the most preferred.

    `words` gives for each row the first with its words, and `pairs` joins those; rows of other marks never meet.
    """
    groups = _grouped(list(zip(words, marks, strict=True)))
    by_marks: dict[int, dict[object, int]] = {}
    for word, mark, group in zip(words, marks, groups, strict=True):
        by_marks.setdefault(word, {})[mark] = group
    beside: dict[int, list[tuple[int, float]]] = {}
    for one, two, likeness in pairs:
        for mark in by_marks[one].keys() & by_marks[two].keys():
            first, second = by_marks[one][mark], by_marks[two][mark]
            beside.setdefault(first, []).append((second, likeness))
            beside.setdefault(second, []).append((first, likeness))
    kept: dict[int, int] = {}
    twins = []
    for place in order:
        group = groups[place]
        if group in kept:
            twins.append(Twin(place, kept[group], 1.0))
        elif near_kept := [(likeness, -kept[other]) for other, likeness in beside.get(group, ()) if other in kept]:
            likeness, other = max(near_kept)
            twins.append(Twin(place, -other, likeness))
        else:
            kept[group] = place
    return sorted(twins)


def _grouped(keys: Sequence[object]) -> list[int]:
    first: dict[object, int] = {}
    return [first.setdefault(key, place) for place, key in enumerate(keys)]


def _together(parts: Sequence[Shingles]) -> Shingles:
    """Return each row's shingles of all parts as one set, in which a part's shingles meet that part's alone."""
    import numpy as np

    n = len(parts[0].starts) - 1
    rows = np.concatenate([np.repeat(np.arange(n), part.sizes()) for part in parts])
    mask = (1 << HASH_BITS) - 1
    salts = [np.uint64((number * 0x9E3779B97F4A7C15) & mask) for number in range(len(parts))]
    hashes = np.concatenate([part.hashes ^ salt for part, salt in zip(parts, salts, strict=True)])
    order = np.lexsort((hashes, rows))
    sizes = np.bincount(rows, minlength=n)
    return Shingles(hashes[order], np.concatenate([[0], sizes.cumsum()]).astype(np.int64))


def _signatures(rows: Sequence[View], parts: Sequence[Shingles], by: By, numbers: bool) -> list[tuple[object, ...]]:
    """Return what must be equal in duplicates: thumb, numbers and signs, and texts that have no words."""
    wordless = [part.sizes() == 0 for part in parts]
    found: list[tuple[object, ...]] = []
    for place, row in enumerate(rows):
        texts = {part: row.part(part) for part in PARTS[by]}
        marks = tuple(" ".join(_MARKS.findall(text)) for text in texts.values()) if numbers else ()
        bare = tuple(
            " ".join(text.split()) for text, none in zip(texts.values(), wordless, strict=False) if none[place]
        )
        found.append((_thumb(row), marks, bare))
    return found


def _thumb(row: View) -> bool | None:
    return row.row.good if isinstance(row.row, Conversation) else None


def _vectors(texts: Sequence[str], embed: Embed) -> Vectors:
    """Return a vector a text; all texts without any have one and the same, which is no other's."""
    import numpy as np

    places = [place for place, text in enumerate(texts) if text.strip()]
    given = embed([texts[place] for place in places]) if places else np.zeros((0, 1), np.float32)
    vectors = np.zeros((len(texts), given.shape[1] + 1), np.float32)
    vectors[:, -1] = 1.0
    vectors[places, :-1], vectors[places, -1] = given, 0.0
    return vectors


def _likeness(
    parts: Sequence[Vectors], marks: NDArray[np.int64], some: NDArray[np.int64], others: NDArray[np.int64]
) -> Vectors:
    """Return the lowest cosine of any part between some rows and others; −1 where their marks differ."""
    import numpy as np

    lowest = np.minimum.reduce([vectors[some] @ vectors[others].T for vectors in parts])
    return np.where(marks[some][:, None] == marks[others][None, :], lowest, np.float32(-1.0))
