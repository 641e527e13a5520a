"""Agreement of the people who labelled a pulled dataset."""

from __future__ import annotations

from workbench.config.workbench_yaml import Workbench
from workbench.jobs.labelling import snapshots
from workbench.labelling.agreement import Agreement
from workbench.labelling.agreement_by_question import agreements
from workbench.labelling.snapshot import latest_snapshot


def dataset_agreement(bench: Workbench, name: str) -> tuple[Agreement, ...]:
    """Return the agreement on every question of what was pulled last. Raises `DataError`."""
    snapshot = latest_snapshot(snapshots(bench, name))
    questions = snapshot.manifest.form.questions
    return agreements(snapshot.labels(), questions, snapshot.tasks(), adjudicated=snapshot.resolved())
