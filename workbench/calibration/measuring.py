"""A pass/fail judge against people: TPR, TNR and kappa with intervals, by slice too, and whether it may be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from workbench.calibration.judged import Judged
from workbench.nouns import Many, Noun
from workbench.runs import Interval
from workbench.statistics.intervals import t_interval
from workbench.statistics.means import clustered_se, degrees_of_freedom, group_codes, mean_interval

TARGET = 0.9
"""TPR and TNR that a judge should reach."""
LEAST = 0.8
"""TPR and TNR below which it should not be used."""
FEW = 20
"""Labels of a class below which its rate is told with a warning."""

Grade = Literal["good", "usable", "poor", "unknown"]


class Share(Noun):
    """A share of answers, with what it rests on."""

    value: float | None
    """The share, in [0, 1]; `None` when there is nothing to share."""
    k: int = Field(ge=0)
    """How many."""
    n: int = Field(ge=0)
    """Of how many."""
    se: float | None
    """Standard error, clustered where a family has several answers; `None` where it cannot be told."""
    interval: Interval | None
    """By Wilson, clustered likewise; `None` where it cannot be made."""


class Trust(Noun):
    """How a judge did on some answers."""

    slice: str = ""
    """`name=value` of the tag; empty for all."""
    n: int = Field(ge=0)
    """Answers with a human verdict and the judge's."""
    n_unjudged: int = Field(ge=0)
    """Answers with a human verdict on which the judge gave none; in no share."""
    tpr: Share
    """Of the answers that people pass, those that the judge passes."""
    tnr: Share
    """Of the answers that people fail, those that the judge fails."""
    balanced: float | None
    """Mean of both: .5 is a coin."""
    balanced_interval: Interval | None = None
    """Its interval, by t over families; `None` where a class is missing, or nothing varies."""
    accuracy: Share
    """Equal verdicts. Misleads when one class is rare."""
    kappa: float | None
    """Cohen's: agreement beyond chance; `None` where one of the two knows one class only."""
    disagree: Many[str] = ()
    """Ids on which they differ, first those that the judge passes and people fail."""

    def grade(self) -> tuple[Grade, str]:
        """Return whether the judge may be used, by the targets .9 and .8 of both rates, and why."""
        if self.tpr.value is None or self.tnr.value is None:
            return "unknown", f"no answer that people {'pass' if self.tpr.value is None else 'fail'} was judged"
        worst = min(self.tpr.value, self.tnr.value)
        few = min(self.tpr.n, self.tnr.n)
        but = f"; only {few} labels of one class" if few < FEW else ""
        if worst >= TARGET:
            return "good", f"TPR and TNR reach {TARGET:g}{but}"
        which = "TPR" if self.tpr.value <= self.tnr.value else "TNR"
        if worst >= LEAST:
            return "usable", f"{which} {worst:.2f} lies between {LEAST:g} and {TARGET:g}{but}"
        return "poor", f"{which} {worst:.2f} lies below {LEAST:g}{but}"


def measure(rows: Sequence[Judged], slice_name: str = "") -> Trust:
    """Return how a judge did on answers. The order of the rows has no meaning but for the list of disagreements."""
    ruled = [row for row in rows if row.judge is not None]
    passes, fails = [r for r in ruled if r.human], [r for r in ruled if not r.human]
    tpr, tnr = _share(passes, True), _share(fails, False)
    false_passes = [r.id for r in fails if r.judge]
    false_fails = [r.id for r in passes if not r.judge]
    both = None if tpr.value is None or tnr.value is None else (tpr.value + tnr.value) / 2
    return Trust(
        slice=slice_name,
        n=len(ruled),
        n_unjudged=len(rows) - len(ruled),
        tpr=tpr,
        tnr=tnr,
        balanced=both,
        balanced_interval=_balanced_interval(passes, fails),
        accuracy=_share(ruled, None),
        kappa=cohen(tpr.k, len(false_fails), tnr.k, len(false_passes)),
        disagree=(*false_passes, *false_fails),
    )


def by_slice(rows: Sequence[Judged]) -> list[Trust]:
    """Return how a judge did on each tag's values, by name and value."""
    slices: dict[str, list[Judged]] = {}
    for row in rows:
        for name, value in row.tags.items():
            slices.setdefault(f"{name}={value}", []).append(row)
    return [measure(members, name) for name, members in sorted(slices.items())]


def share_of(hits: Sequence[bool], groups: Sequence[str]) -> Share:
    """Return the share of hits with Wilson's interval, clustered where groups repeat."""
    found = mean_interval([float(hit) for hit in hits], groups, binary=True)
    return Share(value=found.value, k=sum(hits), n=len(hits), se=found.se, interval=found.interval)


def cohen(tp: int, fn: int, tn: int, fp: int) -> float | None:
    """Return (p_o - p_e) / (1 - p_e) (Cohen 1960), where p_e is the agreement of two who label by chance."""
    n = tp + fn + tn + fp
    if not n or not (tp + fn and tn + fp and tp + fp and tn + fn):
        return None
    by_chance = ((tp + fn) * (tp + fp) + (tn + fp) * (tn + fn)) / n**2
    return ((tp + tn) / n - by_chance) / (1 - by_chance)


def _balanced_interval(passes: Sequence[Judged], fails: Sequence[Judged]) -> Interval | None:
    """Return the 95 % interval of (TPR + TNR) / 2, both estimated: each answer's distance from its class' rate.

    A family may have answers of both classes, so that the two rates are not independent.
    """
    import numpy as np

    rows = [*passes, *fails]
    codes = group_codes([row.group for row in rows], len(rows))
    if not passes or not fails or codes.max() < 1:
        return None
    hits = [np.array([row.judge == row.human for row in some], dtype=float) for some in (passes, fails)]
    distances = np.concatenate([(hit - hit.mean()) * len(rows) / (2 * len(hit)) for hit in hits])
    se = clustered_se(distances, codes)
    if not se:
        return None
    value = float(sum(hit.mean() for hit in hits)) / 2
    found = t_interval(value, se, degrees_of_freedom(distances, codes, se))
    return found.model_copy(update={"low": max(0.0, found.low), "high": min(1.0, found.high)})


def _share(rows: Sequence[Judged], verdict: bool | None) -> Share:
    """Return how many rows the judge gives `verdict`, or people's own where that is `None`."""
    hits = [bool(r.judge) == (r.human if verdict is None else verdict) for r in rows]
    return share_of(hits, [r.group for r in rows])
