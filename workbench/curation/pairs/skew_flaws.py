"""Skews: what a model could learn instead of what is better, such as length, layout, or who wrote it.

A skew is a flaw when the whole 99.9 % interval, clustered by family, lies beyond what is tolerated.
"""

from __future__ import annotations

import re
from collections import defaultdict
from math import sqrt
from typing import TYPE_CHECKING

from workbench.curation.pairs.columns import Columns
from workbench.curation.pairs.flaw import FEWEST, Found, Looking, Unknown, beyond, measured
from workbench.runs import Interval
from workbench.statistics.intervals import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LENGTH = 0.05
"""Tolerated distance of the share chosen-longer, and of the length-only AUC, from a half."""
LAYOUT = 0.1
"""Tolerated difference of the shares of chosen and rejected answers with Markdown."""
PLACE = 0.05
"""Tolerated distance of the share chosen-seen-first from a half."""
ONE_MODEL = 0.65
"""Share of pairs whose better side the writers' names alone may tell."""
CONTESTED, CONTESTED_SHARE = 2 / 3, 0.05
"""Votes for the chosen answer below which a pair is contested, and how many contested pairs are tolerated."""
NOISE = 0.1
"""Tolerated chance that one vote is wrong."""
LAYOUT_MARKS = re.compile(r"^\s{0,3}(?:[-*+] |\d+\. |#{1,6} |\|.+\||```)|\*\*[^*\n]+\*\*", re.MULTILINE)


def longer_chosen(columns: Columns, looking: Looking) -> Found:
    """Find that length tells which side was chosen: within pairs (share longer) or over all (AUC)."""
    share, sure, auc, auc_sure = _lengths(columns)
    alarm = beyond(sure, 0.5, LENGTH) or beyond(auc_sure, 0.5, LENGTH)
    told = f"length-only AUC {_number(auc)}"
    longer = (share.value or 0.5) >= 0.5
    places = [
        at
        for at, (a, b) in enumerate(zip(columns.chosen, columns.rejected, strict=True))
        if (len(a) > len(b) if longer else len(a) < len(b))
    ]
    return Found(places if alarm else [], len(columns), alarm, share.value, share.interval, told)


def length_figures(columns: Columns) -> tuple[Estimate, Estimate]:
    """Return the share of pairs whose chosen side is longer (equal: a half), and the length-only AUC."""
    share, _, auc, _ = _lengths(columns)
    return share, auc


def _lengths(columns: Columns) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    import numpy as np

    chosen, rejected = (np.fromiter(map(len, side), np.int64) for side in (columns.chosen, columns.rejected))
    rows = range(len(columns))
    share = measured(np.where(chosen == rejected, 0.5, chosen > rejected).tolist(), rows, columns)
    return *share, *measured(_placements(chosen, rejected).tolist(), rows, columns, None, None)


def _placements(chosen: NDArray[np.int64], rejected: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a value for each pair whose mean is the AUC and whose spread is the AUC's (DeLong and others 1988).

    Both sides of a pair are drawn together, so that their two placements are added before the spread is taken.
    """
    import numpy as np

    n = max(1, len(chosen))
    others, ours = np.sort(rejected), np.sort(chosen)
    above = (np.searchsorted(others, chosen) + np.searchsorted(others, chosen, side="right")) / (2 * n)
    below = 1 - (np.searchsorted(ours, rejected) + np.searchsorted(ours, rejected, side="right")) / (2 * n)
    found: NDArray[np.float64] = above + below - above.mean() if len(chosen) else above
    return found


def layout(columns: Columns, looking: Looking) -> Found:
    """Find that one side has Markdown more often than the other."""
    marks = [[LAYOUT_MARKS.search(text) is not None for text in side] for side in (columns.chosen, columns.rejected)]
    gaps = [float(a) - float(b) for a, b in zip(*marks, strict=True)]
    shown, sure = measured(gaps, range(len(columns)), columns, -1.0, 1.0)
    alarm = beyond(sure, 0.0, LAYOUT)
    side = 1.0 if (shown.value or 0) > 0 else -1.0
    n = max(1, len(columns))
    told = f"Markdown in {sum(marks[0]) / n:.0%} of the chosen and {sum(marks[1]) / n:.0%} of the rejected"
    places = [at for at, gap in enumerate(gaps) if gap == side] if alarm else []
    return Found(places, len(columns), alarm, shown.value, shown.interval, told)


def one_model(columns: Columns, looking: Looking) -> Found | Unknown:
    """Find that the writers' names alone tell which side was chosen.

    Each pair is guessed from all other pairs of the same two models, so that chance guesses half of them. Corrections
    are left out: there a person's text is always the better one.
    """
    rows = [
        at
        for at, (a, b) in enumerate(columns.models)
        if a and b and a != b and columns.rules[at] != "edit"
    ]  # fmt: skip
    if not rows:
        return Unknown("no pair names two different models")
    wins: dict[tuple[str, str], int] = defaultdict(int)
    for at in rows:
        wins[columns.models[at]] += 1
    right = []
    for at in rows:
        a, b = columns.models[at]
        ours, theirs = wins[a, b] - 1, wins[b, a]
        right.append(0.5 if ours == theirs else float(ours > theirs))
    shown, sure = measured(right, rows, columns)
    alarm = beyond(sure, 0.5, ONE_MODEL - 0.5) and (shown.value or 0) > 0.5
    (best, worst), n = max(wins.items(), key=lambda item: (item[1], item[0]))
    told = f"most often {best} over {worst}: {n:,} of {n + wins.get((worst, best), 0):,} pairs of the two"
    places = [at for at, ok in zip(rows, right, strict=True) if ok == 1.0] if alarm else []
    return Found(places, len(rows), alarm, shown.value, shown.interval, told)


def first_place(columns: Columns, looking: Looking) -> Found | Unknown:
    """Find that the answer that was seen first is chosen more, or less, often than the other."""
    rows = [at for at, first in enumerate(columns.seen_first) if first is not None]
    if not rows:
        return Unknown("no pair tells which answer was seen first")
    flags = [float(bool(columns.seen_first[at])) for at in rows]
    shown, sure = measured(flags, rows, columns)
    alarm = beyond(sure, 0.5, PLACE)
    first = (shown.value or 0) > 0.5
    places = [at for at in rows if columns.seen_first[at] is first] if alarm else []
    return Found(places, len(rows), alarm, shown.value, shown.interval)


def contested(columns: Columns, looking: Looking) -> Found | Unknown:
    """Find that many pairs were chosen by fewer than two thirds of the votes."""
    rows = [at for at, votes in enumerate(columns.votes) if votes and votes.chosen + votes.rejected + votes.ties > 1]
    if not rows:
        return Unknown("no pair has two votes")
    notes = {}
    for at in rows:
        votes = columns.votes[at]
        assert votes is not None
        n = votes.chosen + votes.rejected + votes.ties
        if votes.chosen < CONTESTED * n - 1e-9:
            notes[at] = f"{votes.chosen} for, {votes.rejected} against, {votes.ties} for neither"
    flags = [float(at in notes) for at in rows]
    shown, sure = measured(flags, rows, columns)
    alarm = sure.interval is not None and len(rows) >= FEWEST and sure.interval.low > CONTESTED_SHARE
    return Found(list(notes), len(rows), alarm, shown.value, shown.interval, notes=notes)


def noisy(columns: Columns, looking: Looking) -> Found | Unknown:
    """Find that single votes are often wrong, as their disagreement tells."""
    estimate = label_noise(columns)
    if estimate.value is None:
        return Unknown(estimate.undefined)
    sure = _noise_of(_disagreements(columns)[1])
    alarm = sure.interval is not None and estimate.n >= FEWEST and sure.interval.low > NOISE
    split = [at for at, votes in enumerate(columns.votes) if votes and votes.chosen and votes.rejected]
    told = "of votes on pairs that were kept; what people could not decide is not among them"
    return Found(split if alarm else [], estimate.n, alarm, estimate.value, estimate.interval, told)


def label_noise(columns: Columns) -> Estimate:
    """Return the chance that one vote is wrong, from how often two votes on one pair differ.

    Two people who each err with chance e, independently, differ with chance d = 2 e (1 - e), so that
    e = (1 - √(1 - 2 d)) / 2 (Dawid and Skene 1979, for two equal raters). Votes for neither say nothing here.
    """
    return _noise_of(_disagreements(columns)[0])


def _disagreements(columns: Columns) -> tuple[Estimate, Estimate]:
    rows, values = [], []
    for at, votes in enumerate(columns.votes):
        n = votes.chosen + votes.rejected if votes else 0
        if votes and n > 1:
            rows.append(at)
            values.append(2 * votes.chosen * votes.rejected / (n * (n - 1)))
    if not rows:
        none = Estimate(value=None, n=0, undefined="no pair has two votes")
        return none, none
    return measured(values, rows, columns)


def _noise_of(differ: Estimate) -> Estimate:
    if differ.value is None:
        return differ
    interval = differ.interval
    if interval is not None:
        ends = {"low": _error(interval.low), "high": _error(interval.high)}
        interval = Interval(**ends, level=interval.level, method=interval.method)
    return differ.model_copy(update={"value": _error(differ.value), "interval": interval, "se": None})


def _error(differ: float) -> float:
    return (1 - sqrt(max(0.0, 1 - 2 * min(differ, 0.5)))) / 2


def _number(estimate: Estimate) -> str:
    value = "—" if estimate.value is None else f"{estimate.value:.3f}"
    i = estimate.interval
    return value if i is None else f"{value} [{i.low:.3f}, {i.high:.3f}]"
