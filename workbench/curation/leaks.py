"""The firewall's eyes: what of a gate set can be recognised in what is learnt from.

Two texts are kin when they are of one family, have the same words, share a run of 13 words, are near-duplicates by
their word triples, or one's triples are nearly all in the other. Embeddings, where given, see paraphrases besides.
What a text is recognised by are its marks; they may be kept, and freed of what says nothing, such as a set's template.
Curation, training, judges' examples and calibration all ask here, so that "no leak" means the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from workbench.curation.near_duplicates import MEETINGS_AT_ONCE, TAIL_BITS, THRESHOLD, beginnings, n_shared
from workbench.curation.shingles import Shingles, normalised, shingle_sets
from workbench.nouns import fingerprint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.curation.shingles import Hashes, Offsets

    Vectors = NDArray[np.float32]

RUN = 13
"""Words in a row that two texts hardly share by chance (Brown and others 2020, appendix C)."""
TRIPLES = 3
"""Words of the shingles by which near copies are told."""
CONTAINED = 0.9
"""Share of the smaller text's triples in the other from which they are kin: a copy that was cut, or set into more."""
HOLDERS = 20
"""Guarded texts that one run of words is looked for in; one that stands in more tells little of each."""
TELLING = 6
"""Triples, freed of a set's template, that two texts with a run of `RUN` words in common must share: more than half."""
LEAST_TRIPLES = 3
"""Triples a text needs to be recognised by them; shorter ones are kin only when all words are the same."""
COSINE = 0.95
"""Likeness of embeddings from which two texts are kin."""

How = Literal["source", "family", "words", "run", "triples", "meaning"]


class Guarded(NamedTuple):
    """A text of one of the two sides."""

    id: str
    """Name of the row it is of."""
    group: str
    """Its prompt family."""
    text: str
    """What is compared; a row with several texts stands several times."""
    whole: bool = False
    """Whether it is compared by all its words alone, such as a prompt with passages that others have too."""


class Leak(NamedTuple):
    """A text that is learnt from and can be recognised on the guarded side."""

    learnt: Guarded
    """What is learnt from."""
    guarded: Guarded
    """What it is kin to: of several, the one with the strongest sign."""
    how: How
    """Made from it, one family, the same words, 13 words in a row, word triples, or near embeddings."""
    likeness: float
    """1 for source, family, words and run; else the share of the smaller text's triples, or the cosine."""


class Marks(NamedTuple):
    """What the texts of one side are recognised by."""

    words: tuple[str, ...]
    """Hash of each text's words; empty for a text without any."""
    runs: Shingles
    """Their runs of `RUN` words."""
    triples: Shingles
    """Their runs of `TRIPLES` words."""


Kin = dict[int, tuple[int, float]]
"""From a learnt text to the guarded one it is most like, and how much."""


def leaks(
    learnt: Sequence[Guarded],
    guarded: Sequence[Guarded],
    *,
    threshold: float = THRESHOLD,
    marks: tuple[Marks, Marks] | None = None,
    vectors: tuple[Vectors, Vectors] | None = None,
    cosine: float = COSINE,
) -> tuple[Leak, ...]:
    """Return the learnt texts that are kin to a guarded one, each with its strongest sign, in their order.

    `threshold` is the Jaccard similarity of triples that makes near-duplicates, at most `CONTAINED`. `marks` are those
    of the two sides, where they are known; `vectors` holds a row of length 1 for each text of the two sides.
    """
    ours, theirs = marks or (marks_of(learnt), marks_of(guarded))
    signs: dict[How, Kin] = {
        "family": _equal([one.group for one in learnt], [one.group for one in guarded]),
        "words": _equal(ours.words, theirs.words),
        "run": _runs(ours, theirs, 0 if marks is None else TELLING),
        "triples": _triples(ours.triples, theirs.triples, threshold),
        "meaning": {} if vectors is None else _meanings(*vectors, cosine),
    }
    found = []
    for place, text in enumerate(learnt):
        for how, kin in signs.items():
            if place in kin:
                other, likeness = kin[place]
                found.append(Leak(text, guarded[other], how, likeness))
                break
    return tuple(found)


def marks_of(side: Sequence[Guarded]) -> Marks:
    """Return what texts are recognised by."""
    words = tuple(fingerprint(" ".join(found)) if (found := _words(one.text)) else "" for one in side)
    texts = ["" if one.whole else one.text for one in side]
    return Marks(words, shingle_sets(texts, RUN), shingle_sets(texts, TRIPLES))


def without(marks: Marks, runs: Hashes, triples: Hashes) -> Marks:
    """Return marks freed of runs and triples that tell no text from others."""
    return Marks(marks.words, _freed(marks.runs, runs), _freed(marks.triples, triples))


def _words(text: str) -> list[str]:
    return normalised(text).decode("utf-8", "replace").split()


def _freed(shingles: Shingles, ignored: Hashes) -> Shingles:
    import numpy as np

    if not len(ignored):
        return shingles
    kept = ~np.isin(shingles.hashes, ignored)
    before = np.concatenate([np.zeros(1, np.int64), kept.cumsum()])
    return Shingles(shingles.hashes[kept], before[shingles.starts])


def _equal(ours: Sequence[str], theirs: Sequence[str]) -> Kin:
    """Return which are the same and not empty."""
    first: dict[str, int] = {}
    for place, one in enumerate(theirs):
        first.setdefault(one, place)
    return {place: (first[one], 1.0) for place, one in enumerate(ours) if one and one in first}


def _runs(ours: Marks, theirs: Marks, telling: int) -> Kin:
    """Return which share `RUN` words in a row; a shorter text is one run, so that it must be the same.

    Of texts longer than that, at least `telling` triples must be shared too.
    """
    import numpy as np

    learnt, guarded = ours.runs, theirs.runs
    order = np.argsort(guarded.hashes)
    known = guarded.hashes[order]
    begins, ends = np.searchsorted(known, learnt.hashes), np.searchsorted(known, learnt.hashes, side="right")
    counts = np.minimum(ends - begins, HOLDERS)
    mine = np.repeat(np.repeat(np.arange(len(ours.words)), learnt.sizes()), counts)
    within = np.arange(len(mine)) - np.repeat(counts.cumsum() - counts, counts)
    theirs_of = np.repeat(np.arange(len(theirs.words)), guarded.sizes())
    other = theirs_of[order[np.repeat(begins, counts) + within]]
    if telling and len(mine):
        both = _together(ours.triples, theirs.triples)
        enough = n_shared(both, mine, other + len(ours.words)) >= telling
        mine, other = mine[enough], other[enough]
    return {int(one): (int(two), 1.0) for one, two in zip(mine[::-1], other[::-1], strict=True)}


def _triples(ours: Shingles, theirs: Shingles, threshold: float) -> Kin:
    """Return which are near-duplicates by their triples, or hold nearly all of the smaller one's in common."""
    import numpy as np

    n = len(ours.starts) - 1
    both = _together(ours, theirs)
    sizes = both.sizes()
    enough = sizes >= LEAST_TRIPLES
    rare, rare_text = beginnings(both, enough, min(threshold, CONTAINED))
    text = np.repeat(np.arange(len(sizes)), sizes)
    every, every_text = (both.hashes & np.uint64((1 << TAIL_BITS) - 1))[enough[text]], text[enough[text]]
    is_ours, is_rare_ours = every_text < n, rare_text < n
    best: Kin = {}
    # The smaller of two kin meets the larger one with one of its rarest triples, whichever side it is on.
    for mine, side in ((is_rare_ours, ~is_ours), (~is_rare_ours, is_ours)):
        for one, two in _joined(rare[mine], rare_text[mine], every[side], every_text[side]):
            first, second = np.minimum(one, two), np.maximum(one, two)
            shared = n_shared(both, first, second)
            share = shared / np.minimum(sizes[first], sizes[second])
            jaccard = shared / (sizes[first] + sizes[second] - shared)
            near = np.flatnonzero((share >= CONTAINED - 1e-9) | (jaccard >= threshold - 1e-9))
            for row in near[np.argsort(-share[near], kind="stable")]:
                place, likeness = int(first[row]), float(share[row])
                if place not in best or likeness > best[place][1]:
                    best[place] = (int(second[row]) - n, likeness)
    return best


def _together(ours: Shingles, theirs: Shingles) -> Shingles:
    """Return the sets of both sides, ours first."""
    import numpy as np

    starts = np.concatenate([ours.starts, theirs.starts[1:] + len(ours.hashes)])
    return Shingles(np.concatenate([ours.hashes, theirs.hashes]), starts)


def _joined(rare: Hashes, rare_text: Offsets, every: Hashes, every_text: Offsets) -> Iterator[tuple[Offsets, Offsets]]:
    """Yield the pairs of texts that have a hash in common, each once in a block."""
    import numpy as np

    order = np.argsort(rare)
    rare, rare_text = rare[order], rare_text[order]
    begins, ends = np.searchsorted(rare, every), np.searchsorted(rare, every, side="right")
    met = np.flatnonzero(ends > begins)
    counts = (ends - begins)[met]
    block = counts.cumsum() // MEETINGS_AT_ONCE
    n = int(max(rare_text.max(initial=0), every_text.max(initial=0))) + 1
    for number in np.unique(block):
        some = block == number
        lengths = counts[some]
        within = np.arange(int(lengths.sum())) - np.repeat(lengths.cumsum() - lengths, lengths)
        one = rare_text[np.repeat(begins[met][some], lengths) + within]
        pairs = np.unique(one * n + np.repeat(every_text[met][some], lengths))
        yield pairs // n, pairs % n


def _meanings(ours: Vectors, theirs: Vectors, cosine: float) -> Kin:
    """Return which lie near each other, a thousand texts at a time."""
    best: Kin = {}
    for start in range(0, len(ours) if len(theirs) else 0, 1000):
        likeness = ours[start : start + 1000] @ theirs.T
        nearest = likeness.argmax(axis=1)
        for row, other in enumerate(nearest.tolist()):
            if likeness[row, other] >= cosine:
                best[start + row] = (other, float(likeness[row, other]))
    return best
