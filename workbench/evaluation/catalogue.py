"""The list of all runs of a home, made from their own files; there is no index that could be out of step."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.errors import DataError
from workbench.evaluation.run import read_run, read_start
from workbench.nouns import Many, Noun
from workbench.runs import Metric
from workbench.store.home import Home, RunFolder
from workbench.store.lock import owner_of


class Entry(Noun):
    """One run in the list."""

    id: str
    """Name of the run's folder."""
    state: Literal["finished", "running", "unfinished", "damaged"]
    """`unfinished`: stopped, can be resumed. `damaged`: its files cannot be read."""
    evalset: str = ""
    """What it ran on."""
    use: str = ""
    """Side of the firewall."""
    model: str = ""
    """Name of the candidate."""
    started: str = ""
    """ISO 8601 time, UTC."""
    cost: float | None = None
    """Money that is known to be spent, the judges' too; `None` when no call has a known price."""
    n: int = Field(0, ge=0)
    """Answers asked for."""
    metrics: Many[Metric] = ()
    """Metrics over the whole run."""
    note: str = ""
    """The owner's process id, or what is damaged."""

    def cells(self) -> tuple[str, ...]:
        """Return the entry as table cells."""
        means = "  ".join(f"{m.scorer} {m.value:.3f}" if m.value is not None else f"{m.scorer} —" for m in self.metrics)
        return (self.id, self.state, self.model, str(self.n), means or self.note)


def catalogue(home: Home) -> list[Entry]:
    """Return every run, oldest first; a damaged one is listed as such and hides none of the others."""
    return [entry(RunFolder(home.runs / run_id)) for run_id in home.run_ids()]


def entry(folder: RunFolder) -> Entry:
    """Return one run as it stands now."""
    try:
        if folder.summary.exists():
            run = read_run(folder)
            whole = tuple(m for m in run.metrics if not m.slice)
            return Entry(
                id=folder.id,
                state="finished",
                evalset=run.spec.evalset,
                use=run.spec.use,
                model=run.spec.model_name,
                started=run.started,
                cost=_known(run.candidate.cost, run.judging.cost),
                n=run.n_attempted,
                metrics=whole,
            )
        start = read_start(folder)
        spec = start.spec
    except DataError as exc:
        return Entry(id=folder.id, state="damaged", note=str(exc))
    owner = owner_of(folder.path)
    note = f"resume with: workbench eval run --resume {folder.id}" if owner is None else f"process {owner}"
    return Entry(
        id=folder.id,
        state="unfinished" if owner is None else "running",
        evalset=spec.evalset,
        use=spec.use,
        model=spec.model_name,
        started=start.started,
        note=note,
    )


def _known(*costs: float | None) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
