"""Thresholds on a judged pass rate, corrected for the judge's measured error: the bound covers samples and labels.

The corrected rate is θ = (p + TNR - 1) / (TPR + TNR - 1). It falls as TPR grows and rises with p and TNR, so that
bounds of the three give bounds of it. The level is shared out, half to p and a quarter to each rate, so that all hold
together (Bonferroni); TPR and TNR have exact bounds. A model at the limit then passes no more often than promised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workbench.calibration.calibrated import Calibrated
from workbench.calibration.correcting import effective_counts
from workbench.gate.claim import Judge, unknown
from workbench.runs import Interval
from workbench.statistics.intervals import Estimate, clopper_pearson
from workbench.statistics.noninferiority import Decision, decide
from workbench.statistics.paired import Better
from workbench.statistics.prevalence import Calibration, corrected_rate

SEED = 0
"""Of the bootstrap whose interval is not used here; only its point and its refusal are."""


@dataclass(frozen=True)
class Holding:
    """The calibration that holds for a metric's judge, or why none does."""

    calibrated: Calibrated | None
    why_not: str = ""


Calibrations = Mapping[str, Holding]
"""By metric."""


def corrected_judge(
    held: Holding | None, metric: str, raw: Callable[[float], Decision], limit: float, better: Better
) -> Judge:
    """Return the judge of a claim about a corrected rate. `raw` decides the uncorrected one at a two-sided level."""
    if held is None or held.calibrated is None or held.calibrated.test is None:
        why = held.why_not if held else "its judge was never calibrated"
        return unknown(f"'{metric}' cannot be corrected: {why}; workbench judge calibrate --judge {metric} --test")
    test = held.calibrated.test
    counts, labels = effective_counts(test.tpr, test.tnr), test.n

    def judge(alpha: float) -> Decision:
        said = raw(1 - alpha)
        estimate, interval = said.estimate, said.estimate.interval
        if estimate.value is None or interval is None:
            return said
        point = corrected_rate(estimate.value * estimate.n, estimate.n, counts, seed=SEED, draws=1)
        if point.value is None:
            return Decision(
                verdict="inconclusive", estimate=Estimate(value=None, n=estimate.n, undefined=point.undefined),
                limit=limit, reason=point.undefined,
            )  # fmt: skip
        low, high = corrected_bounds(interval, counts, alpha / 4)
        bounds = Interval(
            low=min(low, point.value), high=max(high, point.value), level=1 - 2 * alpha,
            method=f"{interval.method}; judge's error: clopper-pearson",
        )  # fmt: skip
        made = decide(estimate.model_copy(update={"value": point.value, "interval": bounds}), limit, better)
        told = f"judge says {estimate.value:.3g}, corrected {point.value:.3g} by {labels} labels: {made.reason}"
        return made.model_copy(update={"reason": told})

    return judge


def corrected_bounds(p: Interval, counts: Calibration, tail: float) -> tuple[float, float]:
    """Return bounds of the corrected rate from bounds of the raw one; TPR and TNR err beyond theirs by `tail` each."""
    level = 1 - 2 * tail
    tpr = clopper_pearson(counts.judged_passes, counts.human_passes, level)
    tnr = clopper_pearson(counts.judged_fails, counts.human_fails, level)
    worst, best = tpr.high + tnr.low - 1, tpr.low + tnr.high - 1
    low = (p.low + tnr.low - 1) / worst if worst > 0 else 0.0
    high = (p.high + tnr.high - 1) / best if best > 0 else 1.0
    return min(1.0, max(0.0, low)), min(1.0, max(0.0, high))
