"""Everything that a build of an evalset is offered: of pulled labels, failures of runs, and stored samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.config.workbench_yaml import Workbench
from workbench.curation.evalsets.choosing import Candidate, Left
from workbench.curation.stored_datasets import find_dataset
from workbench.jobs.evalset_sources import from_dataset, from_failures, from_labels
from workbench.jobs.labelling import snapshots
from workbench.labelling.snapshot import latest_snapshot


@dataclass(frozen=True)
class Sources:
    """Where samples come from."""

    labels: tuple[str, ...] = ()
    """Pulled datasets."""
    failures: tuple[str, ...] = ()
    """Finished runs."""
    datasets: tuple[str, ...] = ()
    """Stored samples."""
    documents: Path | None = None
    """A folder of documents."""

    def hold_samples(self) -> bool:
        """Return whether samples come of them; documents give skeletons, which people write questions for first."""
        return bool(self.labels or self.failures or self.datasets)


def candidates(bench: Workbench, sources: Sources) -> tuple[list[Candidate], list[Left]]:
    """Return what may enter an evalset, and what may not, with the reason. Raises `DataError`."""
    found: list[Candidate] = []
    left: list[Left] = []
    for name in sources.labels:
        some, unfit = from_labels(latest_snapshot(snapshots(bench, name)))
        found += some
        left += unfit
    for run in sources.failures:
        found += from_failures(bench.home.run(run))
    for name in sources.datasets:
        found += from_dataset(find_dataset(bench.home.root, name))
    return found, left
