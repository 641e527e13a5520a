"""How far raters agree beyond chance: Krippendorff's alpha, Cohen's and Fleiss' kappa, with intervals over records.

A table has a row per record and a column per rater; `None` is a rating that was not given. All three coefficients are 1
for perfect agreement, 0 for what chance gives and below 0 for systematic disagreement; all are undefined where every
rating is the same, because chance would then agree as well. Intervals are bootstraps over families of records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from workbench.statistics.bootstrap import bootstrap
from workbench.statistics.intervals import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.statistics.bootstrap import Rows, Statistic

    Counts = NDArray[np.float64]

Rating = str | int | float
Row = Sequence[Rating | None]
Scale = Literal["nominal", "ordinal", "interval"]
"""How far apart two ratings are: equal or not, by rank, or by their difference."""
DRAWS = 1000
"""Resamples behind an interval."""


def krippendorff_alpha(
    table: Sequence[Row], scale: Scale, groups: Sequence[str], *, seed: int, order: Sequence[Rating] = ()
) -> Estimate:
    """Return alpha = 1 - observed / expected disagreement over all pairs of ratings of one record (Krippendorff 2011).

    Records with fewer than two ratings pair nothing and are left out. `groups` names each row's family. `order` ranks
    the ratings of an ordinal scale; without it they are sorted, and must be numbers.
    """
    values = _values(table, scale, order)
    counts, kept = _paired(table, values, groups)
    positions = _positions(values, scale, order)
    return _estimate(_alpha(counts, scale, positions), counts, kept, seed)


def fleiss_kappa(table: Sequence[Row], groups: Sequence[str], *, seed: int) -> Estimate:
    """Return Fleiss' kappa (1971) for records that were all rated equally often; refused, with why, where not."""
    values = _values(table, "nominal", ())
    counts, kept = _paired(table, values, groups)
    times = sorted({int(m) for m in counts.sum(axis=1)})
    if len(times) > 1:
        why = f"records have {times[0]} to {times[-1]} ratings, and Fleiss' kappa needs as many for each; see alpha"
        return Estimate(value=None, n=len(kept), undefined=why)
    return _estimate(_fleiss(counts), counts, kept, seed)


def cohen_kappa(
    first: Row, second: Row, groups: Sequence[str], *, seed: int, scale: Scale = "nominal", order: Sequence[Rating] = ()
) -> Estimate:
    """Return Cohen's kappa of two raters over the records that both rated.

    Disagreements weigh the same on a nominal scale (Cohen 1960), by their distance in ranks on an ordinal one and by
    their squared difference on an interval one (Cohen 1968).
    """
    import numpy as np

    both = [row for row, pair in enumerate(zip(first, second, strict=True)) if None not in pair]
    table = [(first[row], second[row]) for row in both]
    values = _values(table, scale, order)
    code = {value: number for number, value in enumerate(values)}
    codes = np.array([[code[rating] for rating in pair if rating is not None] for pair in table], dtype=np.int64)
    weights = _weights(_positions(values, scale, order), scale)
    counts, kept = _paired(table, values, [groups[row] for row in both])
    return _estimate(_cohen(codes.reshape(-1, 2), weights), counts, kept, seed)


def pair_agreement(table: Sequence[Row], groups: Sequence[str], *, seed: int) -> Estimate:
    """Return the share of pairs of ratings of one record that are equal, which chance alone can make high."""
    values = _values(table, "nominal", ())
    counts, kept = _paired(table, values, groups)
    m = counts.sum(axis=1)
    equal, pairs = (counts * (counts - 1)).sum(axis=1), m * (m - 1)
    if not kept:
        return Estimate(value=None, n=0, undefined="no record has two ratings")
    return bootstrap(lambda rows: float(equal[rows].sum() / pairs[rows].sum()), kept, seed=seed, draws=DRAWS)


def _estimate(statistic: Statistic, counts: Counts, kept: list[str], seed: int) -> Estimate:
    """Return the coefficient with its interval, or why there is none."""
    if not kept:
        return Estimate(value=None, n=0, undefined="no record has two ratings")
    if (counts.sum(axis=0) > 0).sum() < 2:
        why = "every rating is the same, so that chance agrees as well as the raters do"
        return Estimate(value=None, n=len(kept), undefined=why)
    return bootstrap(statistic, kept, seed=seed, draws=DRAWS)


def _alpha(counts: Counts, scale: Scale, positions: Counts) -> Statistic:
    """Return alpha as a function of the chosen rows; sums of a record's pairs are taken once where they can be."""
    m = counts.sum(axis=1)
    unequal = (counts * (m[:, None] - counts)).sum(axis=1) / (m - 1)

    def nominal(rows: Rows) -> float:
        totals = counts[rows].sum(axis=0)
        n = totals.sum()
        return _share(unequal[rows].sum() / n, (n * n - totals @ totals) / (n * (n - 1)))

    def metric(rows: Rows) -> float:
        chosen = counts[rows]
        totals = chosen.sum(axis=0)
        # Krippendorff's distance of two ranks is that of their mid-ranks in these very rows.
        place = totals.cumsum() - totals / 2 if scale == "ordinal" else positions
        n, times = totals.sum(), m[rows]
        within = 2 * (times * (chosen @ place**2) - (chosen @ place) ** 2) / (times - 1)
        return _share(within.sum() / n, 2 * (n * (totals @ place**2) - (totals @ place) ** 2) / (n * (n - 1)))

    return nominal if scale == "nominal" else metric


def _fleiss(counts: Counts) -> Statistic:
    m = counts.sum(axis=1)
    disagreement = 1 - (counts * (counts - 1)).sum(axis=1) / (m * (m - 1))

    def kappa(rows: Rows) -> float:
        shares = counts[rows].sum(axis=0) / m[rows].sum()
        return _share(disagreement[rows].mean(), 1 - shares @ shares)

    return kappa


def _cohen(codes: NDArray[np.int64], weights: Counts) -> Statistic:
    import numpy as np

    size = len(weights)

    def kappa(rows: Rows) -> float:
        joint = np.bincount(codes[rows, 0] * size + codes[rows, 1], minlength=size * size).reshape(size, size)
        n = len(rows)
        chance = np.outer(joint.sum(axis=1), joint.sum(axis=0)) / n
        return _share((joint * weights).sum() / n, (chance * weights).sum() / n)

    return kappa


def _share(observed: float, expected: float) -> float:
    """Return 1 - observed / expected, and 1 for a resample in which all ratings are equal: it has no disagreement."""
    return 1.0 if expected <= 1e-12 else float(1 - observed / expected)


def _values(table: Sequence[Row], scale: Scale, order: Sequence[Rating]) -> list[Rating]:
    """Return the distinct ratings in the scale's order. Raises `ValueError` for a rating the scale cannot place."""
    given = {rating for row in table for rating in row if rating is not None}
    if order:
        strange = sorted(map(str, given - set(order)))
        if strange:
            raise ValueError(f"{', '.join(strange)} is not in the order {', '.join(map(str, order))}")
        return [rating for rating in order if rating in given]
    if scale == "nominal":
        return sorted(given, key=lambda rating: (str(type(rating)), str(rating)))
    words = sorted(rating for rating in given if isinstance(rating, str))
    if words:
        raise ValueError(f"an {scale} scale needs numbers, or the order of its words; got {', '.join(words)}")
    return sorted(given, key=float)


def _positions(values: Sequence[Rating], scale: Scale, order: Sequence[Rating]) -> Counts:
    """Return where each value lies on its scale: the number itself, or its rank among all that could be given."""
    import numpy as np

    if scale == "interval":
        return np.array([float(value) for value in values])
    rank = {value: number for number, value in enumerate(order or values)}
    return np.array([float(rank[value]) for value in values])


def _weights(positions: Counts, scale: Scale) -> Counts:
    distance: Counts = abs(positions[:, None] - positions[None, :])
    if scale == "nominal":
        return (distance > 0).astype(float)
    return distance if scale == "ordinal" else distance**2


def _paired(table: Sequence[Row], values: Sequence[Rating], groups: Sequence[str]) -> tuple[Counts, list[str]]:
    """Return how often each record got each value, and its family, for the records with at least two ratings."""
    import numpy as np

    code = {value: number for number, value in enumerate(values)}
    counts = np.zeros((len(table), max(1, len(values))))
    for number, row in enumerate(table):
        for rating in row:
            if rating is not None:
                counts[number, code[rating]] += 1
    enough = counts.sum(axis=1) >= 2
    return counts[enough], [group for group, two in zip(groups, enough, strict=True) if two]
