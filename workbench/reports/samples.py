"""The samples of a run that somebody should look at: unanswered, unscored, and those that scored worst."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.evaluation import notable
from workbench.reports.document import Card
from workbench.reports.words import number
from workbench.runs import ScorerInfo
from workbench.store.home import RunFolder
from workbench.store.parquet import Row

MOST = 20
"""Samples of one kind on a page."""


def worst(folder: RunFolder, info: ScorerInfo) -> list[Card]:
    """Return the samples that a scorer likes least; none that has the best possible score."""
    return [
        _card(row, _value(row), ("reason", row["reason"] or "")) for row in notable.worst_samples(folder, info, MOST)
    ]


def unanswered(folder: RunFolder) -> list[Card]:
    """Return the first samples to which the model gave no usable answer."""
    found = notable.unanswered(folder, MOST)
    return [_card(row, row["failure"], ("what happened", row["failure_message"] or "")) for row in found]


def unscored(folder: RunFolder) -> list[Card]:
    """Return the first answers that a scorer should have scored and could not."""
    return [
        _card(
            row,
            f"{row['scorer']}: {row['failure']}",
            ("what happened", row["failure_message"] or ""),
            ("what the judge said", row["raw"] or ""),
        )
        for row in notable.unscored(folder, MOST)
    ]


def _card(row: Row, value: str, *more: tuple[str, str]) -> Card:
    name = row["sample_id"] + (f" · answer {row['repeat'] + 1}" if row["repeat"] else "")
    return Card(name, value, (*_texts(row), *more))


def _texts(row: Row) -> Sequence[tuple[str, str]]:
    references = row["references"] or []
    return (("question", row["question"]), ("answer", row["output"] or ""), ("reference", "\n".join(references)))


def _value(row: Row) -> str:
    return number(row["value"]) + (f" ({row['label']})" if row["label"] else "")
