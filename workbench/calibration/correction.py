"""All that is known of a judged metric of a run beside the judge's own number."""

from __future__ import annotations

from workbench.calibration.calibrated import Calibrated
from workbench.calibration.correcting import Corrected
from workbench.calibration.predicting import Predicted
from workbench.nouns import Noun


class Correction(Noun):
    """A judged pass rate as it likely is, or why nobody knows."""

    metric: str
    """The judged metric."""
    corrected: Corrected | None = None
    """The rate corrected by a calibration that holds."""
    why_not: str = ""
    """Why there is none."""
    predicted: Predicted | None = None
    """The rate from this run's own labels and verdicts, where there are some."""
    calibration: str = ""
    """By which calibration: when, by whom, TPR and TNR, grade."""

    def sentence(self) -> str:
        """Return it in one line."""
        if self.corrected is None:
            return f"not corrected, for {self.why_not}"
        more = f"; {self.predicted.sentence()}" if self.predicted else ""
        return self.corrected.sentence() + more


def named(found: Calibrated) -> str:
    """Return the words by which a calibration is known."""
    assert found.test is not None
    rates = f"TPR {found.test.tpr.value or 0:.2f}, TNR {found.test.tnr.value or 0:.2f}"
    passes = "" if found.subject.pass_from is None else f", passes from {found.subject.pass_from:g}"
    return f"calibration of {found.at[:10]} by {found.who or 'unknown'}: {rates}, {found.grade}{passes}"
