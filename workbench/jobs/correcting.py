"""What a finished run's judged metrics likely are: beside the judge's numbers, by the calibrations that hold.

Every run asks this when it ends, so what a correction needs loads where a calibration was found (`jobs.corrected`).
"""

from __future__ import annotations

from workbench.calibration.book import calibrations, current
from workbench.calibration.calibrated import Calibrated
from workbench.calibration.correction import Correction
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.judged_metrics import info_of, inputs_of, judged_metrics
from workbench.runs import EvalRun
from workbench.store.book import Book
from workbench.store.home import RunFolder


def corrections(bench: Workbench, run: EvalRun, folder: RunFolder) -> list[Correction]:
    """Return what is known of each judged metric of pass and fail beside the judge's number, and of others that were
    calibrated. Empty, and nothing is read, for a run without judges.
    """
    metrics = judged_metrics(run, binary=False)
    if not metrics:
        return []
    book = calibrations(bench.home.root)
    known = {c.subject.metric for c in book.records()}
    return [
        _correction(bench, run, folder, metric, book)
        for metric in metrics
        if info_of(run, metric).binary or metric in known
    ]


def _correction(bench: Workbench, run: EvalRun, folder: RunFolder, metric: str, book: Book[Calibrated]) -> Correction:
    found, why = current(book, metric, inputs_of(run, metric))
    if found is None:
        return Correction(metric=metric, why_not=why)
    from workbench.jobs.corrected import correction_by

    return correction_by(found, bench, run, folder)
