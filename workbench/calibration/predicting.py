"""What people would say of all answers of a run, from what they said of some and the judge of all (PPI++)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.nouns import Noun
from workbench.statistics.intervals import Estimate
from workbench.statistics.ppi import predicted_mean

LEAST = 20
"""Labels below which nothing is predicted."""


@dataclass(frozen=True)
class Known:
    """An answer that people and the judge ruled on."""

    group: str
    """Its prompt family."""
    human: bool
    """Whether people pass it."""
    judge: float
    """What the judge said, on its own scale."""


class Predicted(Noun):
    """The share of a run's answers that people would pass."""

    metric: str
    """The judged metric."""
    estimate: Estimate
    """From labels and verdicts together."""
    alone: Estimate
    """From the labels alone, by the same formula: never narrower."""
    n_labels: int
    """Answers of the run that people ruled on; those of the calibration's test part."""
    n_judged: int
    """Answers that only the judge ruled on."""

    def sentence(self) -> str:
        """Return it in one line."""
        return (
            f"people pass {_told(self.estimate)}, predicted from {self.n_labels} labels of this run and "
            f"{self.n_judged} more verdicts (the labels alone: {_told(self.alone)})"
        )


def predict(metric: str, known: Sequence[Known], rest: Sequence[tuple[str, float]]) -> Predicted | None:
    """Return the predicted pass rate; `None` below 20 labels. `rest` holds family and verdict of the other answers."""
    if len(known) < LEAST or len(rest) < 2:
        return None
    human, judge = [float(k.human) for k in known], [k.judge for k in known]
    groups, more = [k.group for k in known], [group for group, _ in rest]

    def mean(judged: Sequence[float], others: Sequence[float]) -> Estimate:
        return predicted_mean(human, judged, others, groups=groups, more_groups=more, binary=True)

    estimate = mean(judge, [value for _, value in rest])
    alone = mean([0.0] * len(known), [0.0] * len(rest))
    return Predicted(metric=metric, estimate=estimate, alone=alone, n_labels=len(known), n_judged=len(rest))


def _told(estimate: Estimate) -> str:
    if estimate.value is None or estimate.interval is None:
        return f"unknown, {estimate.undefined}"
    low, high = (100 * min(1.0, max(0.0, bound)) for bound in (estimate.interval.low, estimate.interval.high))
    return f"{min(1.0, max(0.0, estimate.value)):.0%} [{low:.0f}, {high:.0f}]"
