"""Turn people's published labels of real records into tasks and answers, in the words of the built-in templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from workbench.labelling.tasks import Task
from workbench.records import Message, Passage, Span

VERDICTS = {"Unwanted": "fail", "Questionable": "unclear", "Benign": "pass"}
KINDS = {"Unwanted": "unsupported", "Questionable": "questionable", "Benign": "benign"}
STRENGTHS = {1: "slightly", 2: "clearly"}


class Said(NamedTuple):
    """What one person said of one record; outputs are named by number."""

    record: str
    annotator: str
    answers: Mapping[str, Any]


def faithbench(rows: list[dict[str, Any]]) -> tuple[list[Task], list[Said]]:
    """Summaries as `rag_review`: each annotator's worst label as verdict, and the spans that they marked."""
    tasks, said = [], []
    for row in rows:
        passage = Passage(id=row["group_id"], text=row["source"])
        tasks.append(
            _task(row, "Summarise the passage.", (row["response"],), (passage,), {"generator": row["generator"]})
        )
        for annotator, worst in row["label_by_annotator"].items():
            spans = _spans(row, annotator)
            answers = {"verdict": VERDICTS.get(worst.split(".")[0], "pass")} | ({"unsupported": spans} if spans else {})
            said.append(Said(row["id"], annotator.lower(), answers))
    return tasks, said


def pandalm(rows: list[dict[str, Any]]) -> tuple[list[Task], list[Said]]:
    """Pairs as `preference`: three annotators, ties allowed."""
    names = {0: "tie", 1: "1", 2: "2"}
    tasks = [_task(row, f"{row['instruction']}\n\n{row['input']}".strip(), _pair(row, "1", "2")) for row in rows]
    said = [
        Said(row["id"], f"p{n}", {"preferred": names[value]})
        for row in rows
        for n, value in enumerate(row["annotators"])
    ]
    return tasks, said


def ragchecker(rows: list[dict[str, Any]], criterion: str) -> tuple[list[Task], list[Said]]:
    """Pairs as `preference`: two raters from -2, the first is much better, to 2, the second is."""
    tasks = [_task(row, row["query"], _pair(row, "a", "b"), reference=row["reference"]) for row in rows]
    said = []
    for row in rows:
        for slot, rating in enumerate(_ratings(row, criterion)):
            answers = {"preferred": "tie" if rating == 0 else "2" if rating > 0 else "1"}
            said.append(Said(row["id"], f"slot{slot}", answers | _strength(rating)))
    return tasks, said


def _strength(rating: int) -> dict[str, str]:
    return {"strength": STRENGTHS[abs(rating)]} if rating else {}


def _ratings(row: dict[str, Any], criterion: str) -> list[int]:
    human = row["human"]
    slots = human.values() if isinstance(human, dict) else human
    return [int(slot[criterion]) for slot in slots]


def _pair(row: dict[str, Any], first: str, second: str) -> tuple[str, str]:
    return (row[f"response_{first}"], row[f"response_{second}"])


def _spans(row: dict[str, Any], annotator: str) -> tuple[Span, ...]:
    """Return an annotator's spans; where two overlap, which a page cannot mark twice with one word, the first stays."""
    found: list[Span] = []
    for mark in row["annotations"]:
        kinds = [KINDS[label.split(".")[0]] for label in mark["labels"] if label.split(".")[0] in KINDS]
        if mark["annotator"] != annotator or not kinds or mark["start"] is None:
            continue
        span = Span(start=mark["start"], end=mark["end"], label=kinds[0])
        if all(span.end <= other.start or span.start >= other.end for other in found):
            found.append(span)
    return tuple(sorted(found, key=lambda s: (s.start, s.end, s.label)))


def _task(
    row: dict[str, Any],
    question: str,
    outputs: tuple[str, ...],
    contexts: tuple[Passage, ...] = (),
    tags: dict[str, str] | None = None,
    reference: str | None = None,
) -> Task:
    return Task(
        id=row["id"],
        group=row["group_id"],
        messages=(Message(role="user", content=question),),
        outputs=outputs,
        contexts=contexts,
        reference=reference,
        tags=tags or {},
    )
