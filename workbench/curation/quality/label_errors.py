"""Labels that are probably wrong, by confident learning (Northcutt, Jiang and Chuang 2021, JAIR 70).

A classifier that never saw a row says how probable each label is for it. The threshold of a label is the mean
probability that the classifier gives it where it was given. A row counts for the most probable of the labels that reach
their threshold; where that is another than its own, its own is suspected. The counts are the confident joint, an
estimate of how often which label is given for which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Probabilities = NDArray[np.float64]
    Numbers = NDArray[np.int64]

LEAST = 10
"""Rows that a label needs, so that a classifier can learn it from the other folds."""


class Suspicion(NamedTuple):
    """A label that is probably wrong."""

    place: int
    """The row."""
    given: str
    """Its label."""
    likely: str
    """The label that the classifier holds for right."""
    probability: float
    """Of the given label, out of sample."""


def suspected(given: Sequence[str], names: Sequence[str], probabilities: Probabilities) -> list[Suspicion]:
    """Return the rows whose label is suspected, the least probable first.

    `probabilities` has a row for each label given and a column for each of `names`, out of sample; rows add up to 1.
    """
    import numpy as np

    number = {name: place for place, name in enumerate(names)}
    labels = np.array([number[label] for label in given], np.int64)
    likely = confident(labels, probabilities)
    places = np.flatnonzero((likely >= 0) & (likely != labels))
    own = probabilities[places, labels[places]]
    order = np.argsort(own, kind="stable")
    return [Suspicion(int(p), given[p], names[likely[p]], float(probabilities[p, labels[p]])) for p in places[order]]


def confident(labels: Numbers, probabilities: Probabilities) -> Numbers:
    """Return for each row the most probable label of those that reach their threshold, or −1 where none does."""
    import numpy as np

    n_labels = probabilities.shape[1]
    thresholds = np.array([_mean(probabilities[labels == k, k]) for k in range(n_labels)])
    reached = probabilities >= thresholds - 1e-6
    best: Numbers = np.where(reached, probabilities, -1.0).argmax(axis=1)
    best[~reached.any(axis=1)] = -1
    return best


def _mean(values: Probabilities) -> float:
    return float(values.mean()) if len(values) else 2.0  # a label nobody gave is reached by none
