"""Failures that are alike, put together: what each cluster is about, and which of its members stands for it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from workbench.failures.entries import AnswerId
from workbench.failures.failure import Failure, Wanted
from workbench.nouns import Many, Noun
from workbench.scoring.grounding import SMALL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Numbers = NDArray[np.int64]

By = Literal["all", "question", "answer", "reason", "note"]
"""What is compared: question and answer, one of them, what scorers said is wrong, or what coders wrote."""
PART = 100
"""Characters of a part that are compared: what matters comes first, and embedding takes time by length."""
WORD = re.compile(r"[^\W\d_]{3,}")
WORDS = 6
EMPTY = SMALL | frozenset((
    "also", "any", "can", "did", "does", "each", "had", "have", "her", "him", "his", "how", "into", "many", "more",
    "much", "she", "than", "them", "then", "there", "they", "was", "what", "when", "which", "who", "why", "would",
))  # fmt: skip
"""Words that tell nothing of a group."""
EMBEDDED = 1_200
"""Distinct texts that are embedded, drawn by a fixed lot; where others lie is foreseen from their words."""


class Cluster(Noun):
    """Some failures that are alike."""

    number: int = Field(ge=1)
    """Its number, from 1, the largest cluster first."""
    words: Many[str]
    """Words that it has and the others have not."""
    representative: AnswerId
    """The member nearest to its middle."""
    text: str
    """What was compared of that member."""
    members: Many[AnswerId]
    """All its answers, the representative first."""
    name: str = ""
    """What a model called it; empty: none was asked."""
    definition: str = ""
    """What the model said that it is."""


class Clustering(Noun):
    """The clusters of some failures of a run."""

    id: str
    """Name of the file that keeps it."""
    run: str
    """The run's id."""
    wanted: Wanted
    """Which failures."""
    by: By
    """What was compared."""
    embedding: str
    """The embedding model, or `words`."""
    at: str
    """When, ISO 8601, UTC."""
    n: int = Field(ge=0)
    """Failures in all."""
    n_embedded: int = Field(ge=0)
    """Distinct texts that were embedded; the others were put to their cluster by their words."""
    n_texts: int = Field(ge=0)
    """Distinct texts."""
    named_by: str = ""
    """The model that named them."""
    clusters: Many[Cluster]
    """The largest first."""


def compared_text(failure: Failure, by: By, note: str = "") -> str:
    """Return what is compared of a failure; where the wanted part is empty, its answer."""
    reason = " ".join(dict.fromkeys(f.reason for f in failure.faults if f.reason))
    answer = failure.output or failure.error or ""
    parts = {
        "question": failure.question,
        "answer": answer,
        "reason": reason or answer,
        "note": note or answer,
        "all": f"{_cut(failure.question)}\n{_cut(answer)}",
    }
    return parts[by] if by == "all" else parts[by][: 2 * PART]


def drawn(texts: Sequence[str], most: int = EMBEDDED) -> list[int]:
    """Return the places of the texts that are embedded: all, or so many by a lot that depends on the texts alone."""
    if len(texts) <= most:
        return list(range(len(texts)))
    lot = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in texts]
    return sorted(sorted(range(len(texts)), key=lot.__getitem__)[:most])


def describe(
    failures: Sequence[Failure], texts: Sequence[str], labels: Sequence[int], nearness: Sequence[float]
) -> tuple[Cluster, ...]:
    """Return the clusters that labels make, the largest first; `nearness` tells how near to its middle each text is."""
    groups: dict[int, list[int]] = {}
    for at, label in enumerate(labels):
        groups.setdefault(label, []).append(at)
    words = {label: _count([texts[at] for at in places]) for label, places in groups.items()}
    everywhere: Counter[str] = Counter()
    for counted in words.values():
        everywhere.update(counted)
    found = []
    order = sorted(groups.items(), key=lambda item: (-len(item[1]), min(item[1])))
    for number, (label, places) in enumerate(order, 1):
        best = max(places, key=lambda at: (nearness[at], -at))
        members = [best, *(at for at in places if at != best)]
        found.append(
            Cluster(
                number=number,
                words=_telling(words[label], everywhere, len(places), len(texts)),
                representative=failures[best].of,
                text=texts[best],
                members=tuple(failures[at].of for at in members),
            )
        )
    return tuple(found)


def _telling(mine: Counter[str], every: Counter[str], size: int, n: int) -> tuple[str, ...]:
    """Return the words that most texts of a cluster have and few others, by share here × log of share here / there."""
    import math

    scored = {w: k / size * math.log((k / size) / (every[w] / n)) for w, k in mine.items() if k > 1 or size < 3}
    ranked = sorted(scored or mine, key=lambda w: (-(scored or mine)[w], w))
    return tuple(ranked[:WORDS])


def _count(texts: Sequence[str]) -> Counter[str]:
    """Return in how many texts each word stands."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(set(WORD.findall(text.casefold())) - EMPTY)
    return found


def _cut(text: str) -> str:
    return text[:PART]
