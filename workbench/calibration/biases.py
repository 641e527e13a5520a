"""What a judge goes by that people do not: length, its own family, the place at which an answer stands."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Literal

from workbench.calibration.judged import Judged, JudgedPair
from workbench.nouns import Noun
from workbench.runs import Interval
from workbench.statistics.intervals import t_interval
from workbench.statistics.means import clustered_se, degrees_of_freedom, group_codes, mean_interval

TOO_FEW = 10
"""Answers below which nothing is said of a bias."""


class Bias(Noun):
    """By how much a judge favours something that people do not."""

    kind: Literal["length", "family", "place"]
    """What is favoured: long answers, answers of the judge's own family, the answer that stands first."""
    what: str
    """What the number is, in words."""
    value: float | None
    """The excess over people, as a difference of shares; 0 is none. `None` with `undefined`."""
    interval: Interval | None = None
    """95 % interval, clustered by family."""
    n: int
    """Answers, or pairs, it rests on."""
    undefined: str = ""
    """Why there is no number."""

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval is not None and (self.interval.low > 0 or self.interval.high < 0)


def biases(rows: Sequence[Judged], judge: str) -> list[Bias]:
    """Return length and family bias of a pass/fail judge, which is called `judge`."""
    ruled = [row for row in rows if row.judge is not None]
    return [_length(ruled), _family(ruled, judge)]


def pair_biases(pairs: Sequence[JudgedPair], judge: str) -> list[Bias]:
    """Return length, family and place bias of a judge that prefers one of two."""
    return [_longer(pairs), _own_family(pairs, judge), _place(pairs)]


def same_family(judge: str, model: str) -> bool:
    """Tell whether two models' names begin with the same word, as `gpt-4o` and `gpt-4-turbo` do."""
    return bool(model) and _stem(judge) == _stem(model)


def _stem(name: str) -> str:
    last = name.rpartition("/")[2].casefold()
    end = next((i for i, c in enumerate(last) if not c.isalpha()), len(last))
    return last[:end] or last


def _length(rows: Sequence[Judged]) -> Bias:
    """Regress the judge's excess, its verdict minus people's, on the doublings of the answer's length."""
    what = "more passes than people give, for each doubling of the length"
    known = [r for r in rows if r.length]
    return _slope("length", what, [(_excess(r), log2(r.length or 1), r.group) for r in known])


def _longer(pairs: Sequence[JudgedPair]) -> Bias:
    """Regress the judge's excess on the doublings by which the first answer is longer, over both orders."""
    what = "more wins than people give, for each doubling of the length"
    points = [
        (_won(verdict) - _won(pair.human), log2(pair.lengths[0] / pair.lengths[1]), pair.group)
        for pair in pairs
        if pair.lengths and all(pair.lengths)
        for verdict in (pair.forward, pair.backward)
        if verdict is not None
    ]
    return _slope("length", what, points)


def _family(rows: Sequence[Judged], judge: str) -> Bias:
    """Compare the judge's excess on answers of its own family with that on others'."""
    what = "more passes than people give, for answers of its own family over others'"
    own = [(_excess(r), float(same_family(judge, r.model)), r.group) for r in rows if r.model]
    return _slope("family", what, own)


def _own_family(pairs: Sequence[JudgedPair], judge: str) -> Bias:
    what = "more wins than people give, for answers of its own family over others'"
    points = [
        (_won(verdict) - _won(pair.human), same_family(judge, pair.models[0]) - same_family(judge, pair.models[1]),
         pair.group)
        for pair in pairs
        if pair.models
        for verdict in (pair.forward, pair.backward)
        if verdict is not None
    ]  # fmt: skip
    return _slope("family", what, [(y, float(x), g) for y, x, g in points])


def _place(pairs: Sequence[JudgedPair]) -> Bias:
    """Return how much more often an answer wins at the first place than at the second: 0 for a fair judge."""
    what = "wins of an answer shown first minus its wins shown second"
    both = [p for p in pairs if p.forward is not None and p.backward is not None]
    if len(both) < TOO_FEW:
        return Bias(kind="place", what=what, value=None, n=len(both), undefined=_few(len(both)))
    gains = [_won(p.forward) - _won(p.backward) for p in both]
    found = mean_interval(gains, [p.group for p in both], low=-1, high=1)
    return Bias(kind="place", what=what, value=found.value, interval=found.interval, n=len(both))


def _slope(kind: Literal["length", "family"], what: str, points: Sequence[tuple[float, float, str]]) -> Bias:
    """Return the least-squares slope of the first on the second, its error clustered by the third (Liang, Zeger 1986).

    The slope is the mean of the residuals' influences, so that the clustered error of a mean serves for it.
    """
    import numpy as np

    n = len(points)
    y, x = (np.array([p[i] for p in points], dtype=float) for i in (0, 1))
    if n < TOO_FEW or float(x.std()) == 0:
        why = _few(n) if n < TOO_FEW else "all are the same in this"
        return Bias(kind=kind, what=what, value=None, n=n, undefined=why)
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    influence = centred * (y - y.mean() - slope * centred) / float(centred @ centred / n)
    codes = group_codes([p[2] for p in points], n)
    if int(codes.max()) < 1:
        return Bias(kind=kind, what=what, value=slope, n=n, undefined="all are of one family")
    se = clustered_se(influence, codes)
    interval = t_interval(slope, se, degrees_of_freedom(influence, codes, se), 0.95)
    return Bias(kind=kind, what=what, value=slope, interval=interval, n=n)


def _excess(row: Judged) -> float:
    return float(bool(row.judge)) - float(row.human)


def _won(choice: str | None) -> float:
    """Return the first answer's share of a verdict."""
    return {"1": 1.0, "2": 0.0}.get(choice or "", 0.5)


def _few(n: int) -> str:
    return f"{n} are too few; {TOO_FEW} are the least"
