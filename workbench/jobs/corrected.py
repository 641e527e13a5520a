"""A judged metric of a run by a calibration that holds: corrected, and predicted from the run's own labels (PPI++)."""

from __future__ import annotations

from workbench.calibration.calibrated import Calibrated, hashed
from workbench.calibration.correcting import corrected
from workbench.calibration.correction import Correction, named
from workbench.calibration.predicting import Known, Predicted, predict
from workbench.config.workbench_yaml import Workbench
from workbench.evaluation.arms import Finished, sample_scores
from workbench.jobs.human_verdicts import human_verdicts
from workbench.jobs.judged_metrics import info_of, judged_values, passes
from workbench.jobs.run_answers import run_answers
from workbench.runs import EvalRun
from workbench.store.home import RunFolder


def correction_by(found: Calibrated, bench: Workbench, run: EvalRun, folder: RunFolder) -> Correction:
    """Return what a calibration makes of the metric that it is of."""
    metric, pass_from = found.subject.metric, found.subject.pass_from
    info = info_of(run, metric)
    scores = sample_scores([Finished(run, folder)], metric).values()
    there = [s for s in scores if s.values]
    if not there:
        return Correction(metric=metric, why_not="nothing was judged")
    shares = [sum(passes(value, info, pass_from) for value in s.values) / len(s.values) for s in there]
    return Correction(
        metric=metric,
        corrected=corrected(metric, shares, [s.family for s in there], found),
        predicted=_predicted(bench, run, folder, found),
        calibration=named(found),
    )


def _predicted(bench: Workbench, run: EvalRun, folder: RunFolder, found: Calibrated) -> Predicted | None:
    """Predict a metric from those labels of this run that the calibration was measured on.

    A judge may have been shaped by the other labels, so that its verdicts on them are no fair sample of its verdicts.
    """
    human, info = human_verdicts(bench), info_of(run, found.subject.metric)
    if human.fingerprint() != found.subject.labels:
        return None
    opened, known, rest = set(found.opened), list[Known](), list[tuple[str, float]]()
    values = judged_values(folder, info)
    for answer in run_answers(folder):
        if (value := values.get(answer.id)) is None:
            continue
        said = human.passed.get((answer.id, (answer.output.text,)))
        if said is None:
            rest.append((answer.group, value))
        elif hashed(answer.group) in opened:
            known.append(Known(answer.group, said, value))
    return predict(info.name, known, rest)
