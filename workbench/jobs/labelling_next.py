"""What to label next of a run's answers, and how many labels a judge's interval still needs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, DataError, Problem
from workbench.evaluation.run import read_run
from workbench.jobs.labelling_sources import tasks_from_run
from workbench.labelling.adjudicating import SUFFIX
from workbench.labelling.needed import Needed, labels_needed
from workbench.labelling.next import Candidate, Pick, Wanted, lot_sample, next_records
from workbench.labelling.snapshot import Snapshot, latest_snapshot
from workbench.labelling.tasks import Task
from workbench.records import Label
from workbench.runs import EvalRun, ScorerInfo
from workbench.statistics.prevalence import Calibration
from workbench.store.home import RunFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JUDGED = "rubric_judge"
"""Kind of the scorers whose verdicts say how unsure a judge is."""
VERDICT, PASS, FAIL = "verdict", "pass", "fail"
"""Question and answers of a template by which people pass or fail an answer."""


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
    labelled = _labelled(bench)
    scores = _scores(run, folder)
    candidates = [_candidate(task, scores.get(task.id, {}), run, asked, _known(task) in labelled) for task in tasks]
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
    human = _verdicts(bench)
    candidates = [Candidate(record_id=task.id, group=task.group, labelled=_known(task) in human) for task in tasks]
    by_id = {task.id: task for task in tasks}
    lot = [id for id in lot_sample(candidates, seed=seed) if id in judged]
    pairs = [(human[_known(by_id[id])], judged[id] == 1) for id in lot]
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


Known = tuple[str, tuple[str, ...]]
"""A record and the answers that were labelled: another answer to the same question is another record."""


def _known(task: Task) -> Known:
    return task.id, task.outputs


def _snapshots(bench: Workbench) -> Iterable[Snapshot]:
    """Yield what was pulled last of every dataset; of a queue for adjudicators, its dataset holds what was decided."""
    for latest in sorted((bench.home.root / "records").glob("*/latest.json")):
        if not latest.parent.name.endswith(SUFFIX):
            yield latest_snapshot(latest.parent)


def _labelled(bench: Workbench) -> set[Known]:
    return {known for known, _ in _labels(bench)}


def _labels(bench: Workbench) -> Iterable[tuple[Known, Label]]:
    for snapshot in _snapshots(bench):
        tasks = {task.id: task for task in snapshot.tasks()}
        yield from ((_known(tasks[label.record_id]), label) for label in snapshot.labels())


def _verdicts(bench: Workbench) -> dict[Known, bool]:
    """Return whether people passed an answer: as an adjudicator decided, else by majority; a draw says nothing.

    Labels of different guidelines are not pooled: those of the guideline that was used last count.
    """
    given = [(known, label) for known, label in _labels(bench) if label.question == VERDICT]
    newest = max((label.at, label.guideline) for _, label in given)[1] if given else ""
    votes: dict[Known, int] = {}
    for known, label in given:
        if label.guideline == newest and label.value in (PASS, FAIL):
            votes[known] = votes.get(known, 0) + (1 if label.value == PASS else -1)
    decided = {known: vote > 0 for known, vote in votes.items() if vote}
    for snapshot in _snapshots(bench):
        tasks = {task.id: task for task in snapshot.tasks()}
        for one in snapshot.resolved():
            if (one.question, one.guideline, one.by) == (VERDICT, newest, "adjudicated") and one.value in (PASS, FAIL):
                decided[_known(tasks[one.record_id])] = one.value == PASS
    return decided


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
