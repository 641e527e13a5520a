"""Several evalsets in one command: what of it was finished when it was interrupted is not run again.

While such a command is under way, a file in the home names its runs. It is removed when the last of them is finished:
whoever finds it has typed a command again that did not come to its end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from workbench.config.workbench_yaml import Workbench
from workbench.errors import DataError
from workbench.evaluation.run import read_run
from workbench.jobs.evaluating import Job
from workbench.jobs.planning import Plan, changes
from workbench.nouns import Many, Noun, canonical_bytes
from workbench.runs import EvalRun
from workbench.store.files import write_atomic
from workbench.store.home import RunFolder


class _Runs(Noun):
    """The runs of a command that is under way."""

    runs: Many[str]
    """Their ids, one an evalset."""


class Interrupted:
    """The record of one command: the same evalsets, use, model, limit and repeats."""

    def __init__(self, bench: Workbench, plans: Sequence[Plan]) -> None:
        self._runs = bench.home.runs
        asked = [[p.spec.evalset, p.spec.use, p.spec.model_name, p.spec.limit, p.spec.repeats] for p in plans]
        name = hashlib.sha256(canonical_bytes(asked)).hexdigest()[:16]
        # A command with one evalset needs no record: its run is either finished, or is found and gone on with.
        self._file: Path | None = bench.home.root / "commands" / f"{name}.json" if len(plans) > 1 else None

    def finished(self, plan: Plan) -> tuple[RunFolder, EvalRun] | None:
        """Return the run that the interrupted command finished of a plan, `None` if it has to be made."""
        for folder in self._folders():
            try:
                run = read_run(folder)
            except DataError:
                continue  # not finished, or damaged
            if not changes(run.spec, plan.spec):
                return folder, run
        return None

    def begin(self, finished: Sequence[RunFolder], jobs: Sequence[Job]) -> None:
        """Write down the runs of the command, before the first of those that are left begins."""
        if self._file is not None:
            folders = [*finished, *(job.folder for job in jobs)]
            write_atomic(self._file, _Runs(runs=tuple(folder.id for folder in folders)).json_bytes())

    def end(self) -> None:
        """Forget the command: each of its runs is finished."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def _folders(self) -> list[RunFolder]:
        if self._file is None:
            return []
        try:
            runs = _Runs.model_validate_json(self._file.read_bytes()).runs
        except (FileNotFoundError, ValidationError):
            return []  # a damaged record costs a run that could have been spared
        return [RunFolder(self._runs / run_id) for run_id in runs]
