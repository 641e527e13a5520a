"""What people said of answers, over all that was pulled: by record and answer, whichever dataset asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.config.workbench_yaml import Workbench
from workbench.labelling.adjudicating import SUFFIX
from workbench.labelling.snapshot import Snapshot, latest_snapshot
from workbench.labelling.tasks import Task
from workbench.nouns import fingerprint
from workbench.records import Label

VERDICT, PASS, FAIL = "verdict", "pass", "fail"
"""Question and answers of a template by which people pass or fail an answer."""

Known = tuple[str, tuple[str, ...]]
"""A record and the answers that were labelled: another answer to the same question is another record."""


@dataclass(frozen=True)
class HumanVerdicts:
    """Whether people passed each answer that they labelled."""

    passed: dict[Known, bool]
    """By record and answer."""
    adjudicated: frozenset[Known]
    """Those that an adjudicator decided; the others are a majority's."""
    guideline: str
    """Version of the guideline; empty where nothing was labelled."""

    def fingerprint(self) -> str:
        """Return a content hash of all verdicts."""
        return fingerprint([self.guideline, sorted([*key[1], key[0], str(v)] for key, v in self.passed.items())])


def known(task: Task) -> Known:
    """Return what a task is known by."""
    return task.id, task.outputs


def labelled(bench: Workbench) -> set[Known]:
    """Return all that people said anything of."""
    return {key for key, _ in _labels(bench)}


def human_verdicts(bench: Workbench) -> HumanVerdicts:
    """Return whether people passed each answer: as an adjudicator decided, else by majority; a draw says nothing.

    Labels of different guidelines are not pooled: those of the guideline that was used last count.
    """
    given = [(key, label) for key, label in _labels(bench) if label.question == VERDICT]
    newest = max((label.at, label.guideline) for _, label in given)[1] if given else ""
    votes: dict[Known, int] = {}
    for key, label in given:
        if label.guideline == newest and label.value in (PASS, FAIL):
            votes[key] = votes.get(key, 0) + (1 if label.value == PASS else -1)
    passed = {key: vote > 0 for key, vote in votes.items() if vote}
    decided = dict(_decided(bench, newest))
    return HumanVerdicts(passed | decided, frozenset(decided), newest)


def _decided(bench: Workbench, guideline: str) -> Iterable[tuple[Known, bool]]:
    """Yield what adjudicators decided under a guideline."""
    for snapshot in _snapshots(bench):
        tasks = {task.id: task for task in snapshot.tasks()}
        for one in snapshot.resolved():
            if (one.question, one.guideline, one.by) == (VERDICT, guideline, "adjudicated") and one.value in (
                PASS,
                FAIL,
            ):
                yield known(tasks[one.record_id]), one.value == PASS


def _snapshots(bench: Workbench) -> Iterable[Snapshot]:
    """Yield what was pulled last of every dataset; of a queue for adjudicators, its dataset holds what was decided."""
    for latest in sorted((bench.home.root / "records").glob("*/latest.json")):
        if not latest.parent.name.endswith(SUFFIX):
            yield latest_snapshot(latest.parent)


def _labels(bench: Workbench) -> Iterable[tuple[Known, Label]]:
    for snapshot in _snapshots(bench):
        tasks = {task.id: task for task in snapshot.tasks()}
        yield from ((known(tasks[label.record_id]), label) for label in snapshot.labels())
