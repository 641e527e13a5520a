"""What a judge and people said of the same answers of a run, answer by answer, without a look at an unopened test."""

from __future__ import annotations

from typing import NamedTuple

from workbench.calibration.book import calibrations
from workbench.calibration.calibrated import Subject, hashed
from workbench.calibration.judged import Judged, part_of
from workbench.calibration.measuring import Trust, measure
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.calibrating import Asked, judged_answers


class Cells(NamedTuple):
    """The answers that may be looked at."""

    subject: Subject
    """Which judge, which labels."""
    rows: tuple[Judged, ...]
    """Answers of the part to work on and, where this judge's test part was opened, of that too."""
    opened: bool
    """Whether the test part is among them."""
    n_withheld: int
    """Labelled answers that are not shown: few-shot examples, and an unopened test part."""

    def cell(self, human: bool, judge: bool | None) -> list[Judged]:
        """Return the answers of one cell; `None`: the judge gave no verdict."""
        return [row for row in self.rows if (row.human, row.judge) == (human, judge)]

    def trust(self) -> Trust:
        """Return how the judge did on them."""
        return measure(self.rows)


def judged_cells(bench: Workbench, run_id: str, metric: str, *, every: bool = False) -> Cells:
    """Return the labelled answers of a run beside a judge's verdicts; with `every` those that were picked too.

    Raises `DataError` and `ConfigError` as `judge calibrate` does.
    """
    subject, found = judged_answers(bench, [run_id], Asked(metric, every=every))
    book = calibrations(bench.home.root).records()
    open_ones = {
        family for c in book if c.test is not None and c.subject.inputs == subject.inputs for family in c.opened
    }
    shown = tuple(
        row
        for row in found
        if (part := part_of(row.group, subject.question)) == "dev"
        or (part == "test" and hashed(row.group) in open_ones)
    )
    return Cells(subject, shown, bool(open_ones), len(found) - len(shown))
