"""How many labels the interval of a judge's corrected pass rate still needs."""

from __future__ import annotations

from math import ceil

from pydantic import Field

from workbench.nouns import Noun
from workbench.statistics.intervals import normal_quantile
from workbench.statistics.prevalence import Calibration


class Needed(Noun):
    """Labels still to be made, or why no number of them is enough."""

    half_width: float | None
    """Half the present interval, in [0, 1]; `None` where the judge cannot be corrected."""
    labels: int | None = Field(ge=0)
    """Labels to add, random ones, at the present share of human passes; `None` when labels alone cannot do it."""
    why: str
    """One sentence."""


def labels_needed(passes: int, n: int, judge: Calibration, half_width: float, *, level: float = 0.95) -> Needed:
    """Return how many more random labels bring the interval of the corrected rate to ± `half_width`.

    `passes` of `n` answers passed the judge. From the variance of Rogan and Gladen's estimate: the part of the judged
    answers stays, the parts of TPR and TNR shrink with the labels (`corrected_rate` gives the formula).
    """
    if not 0 < half_width < 1:
        raise ValueError(f"half a width lies between 0 and 1, not {half_width}")
    p, tpr, tnr = passes / n, judge.tpr(), judge.tnr()
    j = tpr + tnr - 1
    if j <= 0:
        why = (
            f"the judge does not tell good from bad (TPR {tpr:.2f}, TNR {tnr:.2f}); mend its rubric before labelling on"
        )
        return Needed(half_width=None, labels=None, why=why)
    theta = min(1.0, max(0.0, (p + tnr - 1) / j))
    z = normal_quantile(level)
    answers = p * (1 - p) / n / j**2
    m = judge.human_passes + judge.human_fails
    share = judge.human_passes / m
    # Rates of 0 and 1 are not known to be so: half a label of the other kind is added, as Jeffreys' prior does.
    spread = [(k + 0.5) * (size - k + 0.5) / (size + 1) ** 2 for k, size in _counts(judge)]
    per_label = (theta**2 * spread[0] / share + (1 - theta) ** 2 * spread[1] / (1 - share)) / j**2
    now = z * (answers + per_label / m) ** 0.5
    if now <= half_width:
        return Needed(half_width=now, labels=0, why=f"±{now:.3f} is within ±{half_width:g} already")
    room = (half_width / z) ** 2 - answers
    if room <= 0:
        why = f"{n} answers alone leave ±{z * answers**0.5:.3f}, however many are labelled; judge more answers"
        return Needed(half_width=now, labels=None, why=why)
    more = max(1, ceil(per_label / room - m))
    return Needed(half_width=now, labels=more, why=f"{m:g} labels give ±{now:.3f}; {more} more give ±{half_width:g}")


def _counts(judge: Calibration) -> tuple[tuple[float, float], tuple[float, float]]:
    return (judge.judged_passes, judge.human_passes), (judge.judged_fails, judge.human_fails)
