"""From what a judge says to what is likely true: pass rates corrected for its measured error."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.calibration.calibrated import Calibrated
from workbench.calibration.measuring import Share
from workbench.nouns import Noun
from workbench.runs import Interval
from workbench.statistics.intervals import Estimate
from workbench.statistics.means import mean_interval
from workbench.statistics.prevalence import Calibration, corrected_rate

SEED = 20_261_123
"""Of the bootstrap; fixed, so that the same run and labels give the same interval."""


class Corrected(Noun):
    """A judged pass rate, as the judge says it and as it likely is."""

    metric: str
    """The judged metric."""
    raw: float
    """The judge's rate."""
    raw_interval: Interval | None
    """Its interval, which knows nothing of the judge's error."""
    n: int
    """Samples that were judged."""
    estimate: Estimate
    """The corrected rate with an interval over samples and labels, or why there is none."""
    n_labels: int
    """Human labels it rests on."""
    calibrated_at: str
    """When the judge was calibrated."""

    def sentence(self) -> str:
        """Return it in one line."""
        told = f"judge says {self.raw:.0%}"
        interval = self.estimate.interval
        if self.estimate.value is None or interval is None:
            return f"{told}; not corrected: {self.estimate.undefined}"
        low, high = (f"{100 * bound:.0f}" for bound in (interval.low, interval.high))
        return f"{told}, corrected {self.estimate.value:.0%} [{low}, {high}], {self.n_labels} labels"


def corrected(metric: str, passes: Sequence[float], groups: Sequence[str], calibrated: Calibrated) -> Corrected:
    """Return a judged pass rate corrected for the judge's error, by families of samples and of labels.

    `passes` holds each sample's share of passes in [0, 1], `groups` its family. Where families have several members,
    each count is made smaller to what as many independent ones would tell (Kish's design effect).
    """
    if calibrated.test is None:
        raise ValueError("only an opened calibration corrects")
    counts = effective_counts(calibrated.test.tpr, calibrated.test.tnr)
    found = mean_interval(passes, groups, binary=True)
    if found.value is None:
        raise ValueError("no sample was judged")
    n = effective_n(found.value, found.se, len(passes))
    estimate = corrected_rate(found.value * n, n, counts, seed=SEED)
    return Corrected(
        metric=metric,
        raw=found.value,
        raw_interval=found.interval,
        n=len(passes),
        estimate=estimate.model_copy(update={"n": len(passes), "n_groups": found.n_groups}),
        n_labels=calibrated.test.n,
        calibrated_at=calibrated.at,
    )


def effective_counts(tpr: Share, tnr: Share) -> Calibration:
    """Return the counts of a calibration as independent labels would give them."""
    passes, fails = (effective_n(share.value or 0.0, share.se, share.n) for share in (tpr, tnr))
    return Calibration(
        human_passes=passes,
        judged_passes=passes * (tpr.value or 0.0),
        human_fails=fails,
        judged_fails=fails * (tnr.value or 0.0),
    )


def effective_n(share: float, se: float | None, n: int) -> float:
    """Return how many independent answers would know a share as well: p (1 - p) / SE², never more than n."""
    if not se or not 0 < share < 1:
        return float(n)
    return min(float(n), max(1.0, share * (1 - share) / se**2))
