"""How often a scorer gave each of its words: the causes of failure of a run, counted and ranked."""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from workbench.nouns import Noun
from workbench.runs import EvalRun, Interval
from workbench.statistics.intervals import wilson
from workbench.store.home import RunFolder
from workbench.store.parquet import row_groups

NAMING = ("rag_cause", "abstention", "pairwise_judge")
"""Kinds of scorers whose words tell more than their value."""


class LabelCount(Noun):
    """One word of one scorer."""

    scorer: str
    """The scorer's name."""
    label: str
    """The word, such as `retrieval_missed`."""
    k: int = Field(ge=0)
    """Answers that got it."""
    n: int = Field(ge=0)
    """Answers that were scored."""
    interval: Interval
    """Wilson's interval of the share; it counts each answer for itself, families do not widen it."""


def label_counts(run: EvalRun, folder: RunFolder) -> list[LabelCount]:
    """Return the words of the scorers that name what they found, the most frequent first."""
    return [one for info in run.scorers if info.kind in NAMING for one in _counted(folder, info.name)]


def _counted(folder: RunFolder, scorer: str) -> list[LabelCount]:
    import pyarrow.compute as pc

    found: Counter[str] = Counter()
    for part in row_groups(folder.scores, ["scorer", "label"], ["scorer"]):
        mine = part["label"].filter(pc.equal(part["scorer"], scorer))
        found.update(label for label in mine.to_pylist() if label is not None)
    n = found.total()
    return [LabelCount(scorer=scorer, label=w, k=k, n=n, interval=wilson(k, n)) for w, k in found.most_common()]
