"""What to label next of a run's answers, and how many labels a judge's interval still needs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, DataError, Problem
from workbench.evaluation.run import read_run
from workbench.jobs.human_verdicts import human_verdicts, known, labelled
from workbench.jobs.labelling_sources import tasks_from_run
from workbench.labelling.needed import Needed, labels_needed
from workbench.labelling.next import Candidate, Pick, Wanted, lot_sample, next_records
from workbench.labelling.tasks import Task
from workbench.runs import EvalRun, ScorerInfo
from workbench.statistics.prevalence import Calibration
from workbench.store.home import RunFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JUDGED = "rubric_judge"
"""Kind of the scorers whose verdicts say how unsure a judge is."""


@dataclass(frozen=True)
class Choice:
    """Records to label, in the order in which they were picked."""

    picks: tuple[Pick, ...]
    """What was picked, and why."""
    tasks: tuple[Task, ...]
    """The records themselves, as `label push --from` takes them."""
    n_left: int
    """Answers of the run that nobody has labelled, the picked ones among them."""


@dataclass(frozen=True)
class Asked:
    """What picks are made from, beside the run."""

    wanted: Wanted
    """Numbers and ways."""
    metric: str | None = None
    """Metric whose distance to the threshold counts."""
    seed: int = 0
    """Seed of the lot; the same one from first label to last, so that the lot goes on where it stopped."""


def choose(bench: Workbench, run_id: str, asked: Asked) -> Choice:
    """Return what to label next of a run's answers. Raises `ConfigError` and `DataError`."""
    folder = bench.home.run(run_id)
    run = read_run(folder)
    tasks = tasks_from_run(folder, failed=False, scorer=None)
    done = labelled(bench)
    scores = _scores(run, folder)
    candidates = [_candidate(task, scores.get(task.id, {}), run, asked, known(task) in done) for task in tasks]
    vectors = _vectors(bench, tasks) if "diverse" in asked.wanted.shares else None
    try:
        picks = next_records(candidates, asked.wanted, seed=asked.seed, vectors=vectors)
    except ValueError as exc:
        fix = "see workbench label next --help"
        raise ConfigError(Problem("USAGE", str(exc), field="mix", fix=fix)) from exc
    by_id = {task.id: task for task in tasks}
    left = sum(not candidate.labelled for candidate in candidates)
    return Choice(picks, tuple(by_id[pick.record_id] for pick in picks), left)


def needed(bench: Workbench, run_id: str, scorer: str, half_width: float, *, seed: int = 0) -> Needed:
    """Return how many more labels bring the corrected pass rate of a run to ± `half_width`.

    Only labels of the lot count, and of several people's the majority. Raises `ConfigError` and `DataError`.
    """
    folder = bench.home.run(run_id)
    run = read_run(folder)
    info = _scorer(run, scorer)
    if not info.binary:
        fix = "a pass rate is corrected for a scorer of 0 and 1"
        raise ConfigError(Problem("NOT_BINARY", "this metric is not binary", field="judge", got=scorer, fix=fix))
    tasks = tasks_from_run(folder, failed=False, scorer=None)
    judged = {id: told[scorer][0] for id, told in _scores(run, folder).items() if scorer in told}
    human = human_verdicts(bench).passed
    candidates = [Candidate(record_id=task.id, group=task.group, labelled=known(task) in human) for task in tasks]
    by_id = {task.id: task for task in tasks}
    lot = [id for id in lot_sample(candidates, seed=seed) if id in judged]
    pairs = [(human[known(by_id[id])], judged[id] == 1) for id in lot]
    passes, fails = [j for h, j in pairs if h], [j for h, j in pairs if not h]
    if not passes or not fails:
        what = f"the lot holds {len(passes)} answers that people passed and {len(fails)} that they failed"
        fix = "label on with `workbench label next --mix random=1`; both kinds are needed to know a judge's error"
        raise DataError(Problem("TOO_FEW_LABELS", what, str(folder.path), fix=fix))
    judge = Calibration(
        human_passes=len(passes),
        judged_passes=sum(passes),
        human_fails=len(fails),
        judged_fails=len(fails) - sum(fails),
    )
    return labels_needed(sum(v == 1 for v in judged.values()), len(judged), judge, half_width)


Told = dict[str, list[float]]
"""Values by scorer."""


def _scores(run: EvalRun, folder: RunFolder) -> dict[str, Told]:
    """Return every answer's values, by the record id that labelling gives it."""
    import pyarrow.parquet as pq

    columns = ["sample_id", "repeat", "scorer", "value"]
    told: dict[str, Told] = {}
    for row in pq.read_table(folder.scores, columns=columns, use_threads=False).to_pylist():
        if row["value"] is not None:
            id = row["sample_id"] if row["repeat"] == 0 else f"{row['sample_id']}#{row['repeat']}"
            told.setdefault(id, {}).setdefault(row["scorer"], []).append(row["value"])
    return told


def _candidate(task: Task, told: Told, run: EvalRun, asked: Asked, labelled: bool) -> Candidate:
    verdicts = [
        (value - info.low) / (info.high - info.low)
        for info in run.scorers
        if info.kind == JUDGED and info.low is not None and info.high is not None
        for value in told.get(info.name, ())
    ]
    score = None
    if asked.metric is not None:
        values = told.get(_scorer(run, asked.metric).name, ())
        score = sum(values) / len(values) if values else None
    return Candidate(
        record_id=task.id, group=task.group, tags=task.tags, verdicts=tuple(verdicts), score=score, labelled=labelled
    )


def _scorer(run: EvalRun, name: str) -> ScorerInfo:
    found = next((info for info in run.scorers if info.name == name), None)
    if found is None:
        known = ", ".join(info.name for info in run.scorers)
        what = "the run has no such metric"
        raise ConfigError(Problem("UNKNOWN_METRIC", what, field="metric", got=name, fix=f"it has: {known}"))
    return found


def _vectors(bench: Workbench, tasks: Sequence[Task]) -> NDArray[np.float32]:
    """Return a vector of length 1 per answer, by the model of the labelling section."""
    import numpy as np

    from workbench.adapters.sentence_transformers import Embedder

    model = bench.config.labelling.embedding
    if model is None:
        what = "picking by 'diverse' needs an embedding model"
        fix = "add `embedding: all-MiniLM-L6-v2` to the section, or leave diverse out of --mix"
        raise ConfigError(Problem("NO_EMBEDDING", what, str(bench.file), field="labelling.embedding", fix=fix))
    embedder = Embedder(model)

    async def embedded() -> list[list[float]]:
        try:
            return await embedder.embed([task.text() for task in tasks])
        finally:
            await embedder.aclose()

    return np.array(asyncio.run(embedded()), dtype=np.float32)
