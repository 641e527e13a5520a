"""A judged metric of a run from the labels of its own answers and the judge's verdicts on all (PPI++)."""

from __future__ import annotations

from workbench.calibration.calibrated import Calibrated, hashed
from workbench.calibration.predicting import Known, Predicted, predict
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.human_verdicts import human_verdicts
from workbench.jobs.judged_metrics import info_of, judged_values
from workbench.jobs.run_answers import run_answers
from workbench.runs import EvalRun
from workbench.store.home import RunFolder


def predicted(bench: Workbench, run: EvalRun, folder: RunFolder, found: Calibrated) -> Predicted | None:
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
