"""Out-of-sample label probabilities by scikit-learn: logistic regression, no family on two sides of a fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.errors import MissingExtra

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Probabilities = NDArray[np.float64]

FOLDS = 5


def out_of_sample(
    vectors: Vectors, labels: Sequence[str], families: Sequence[str], seed: int = 0
) -> tuple[tuple[str, ...], Probabilities]:
    """Return the labels' names and, for each row, their probabilities by a model that saw nothing of its family.

    Every label needs members of at least two families. Raises `MissingExtra`.
    """
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedGroupKFold
    except ImportError as exc:
        raise MissingExtra("scikit-learn", "rag") from exc
    import numpy as np

    names, given = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)
    probabilities = np.zeros((len(given), len(names)))
    folds = StratifiedGroupKFold(min(FOLDS, len(set(families))), shuffle=True, random_state=seed)
    for learnt, held_out in folds.split(vectors, given, families):
        model = LogisticRegression(max_iter=1000).fit(vectors[learnt], given[learnt])
        # A label that all lies in the held-out fold is unknown to this model and keeps probability 0.
        probabilities[np.ix_(held_out, model.classes_)] = model.predict_proba(vectors[held_out])
    return tuple(map(str, names)), probabilities
