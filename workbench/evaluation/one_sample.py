"""One sample of a finished run with everything about it: what was asked, what came back each time, every score."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from workbench.errors import DataError, Problem
from workbench.evaluation.run import read_run
from workbench.models import Usage
from workbench.nouns import Many, Noun
from workbench.records import Message, Passage
from workbench.store.home import RunFolder
from workbench.tables import Row, connection, rows

NEAREST = 3


class Judgement(Noun):
    """What one scorer says of one answer."""

    scorer: str
    """Name of the metric."""
    version: str
    """The scorer's version."""
    value: float | None
    """The score; `None` where there is none."""
    label: str | None
    """The verdict in words."""
    reason: str
    """Why."""
    evidence: str
    """The quote on which a judge's verdict rests."""
    failure: str | None
    """Why there is no score."""
    message: str
    """What happened then."""
    raw: str
    """The judge's raw answer where it could not be read."""
    usage: Usage
    """What scoring consumed."""


class Answer(Noun):
    """One answer and its scores."""

    repeat: int = Field(ge=0)
    """Number of the answer, from 0."""
    output: str | None
    """The text, also the part that arrived of a failed one."""
    failure: str | None
    """Why it is no answer."""
    message: str
    """What happened then."""
    finish_reason: str | None
    """Why the model stopped."""
    served_model: str | None
    """The model as the server named it."""
    contexts: Many[Passage]
    """Passages that a pipeline retrieved."""
    usage: Usage
    """Tokens, cost, latency."""
    scores: Many[Judgement]
    """One a scorer, in the run's order."""


class OneSample(Noun):
    """A sample and all its answers."""

    run: str
    """Id of the run."""
    id: str
    """Id of the sample."""
    group: str
    """Its prompt family."""
    tags: dict[str, str]
    """Its tags."""
    messages: Many[Message]
    """What was asked."""
    references: Many[str]
    """Accepted answers."""
    given_contexts: Many[Passage]
    """Passages in the prompt."""
    gold_contexts: Many[str]
    """Ids of the passages that hold the answer."""
    answers: Many[Answer]
    """One a repeat."""


def one_sample(folder: RunFolder, sample_id: str) -> OneSample:
    """Read one sample of a finished run. Raises `DataError`, naming the nearest ids for one that is not there."""
    order = [info.name for info in read_run(folder).scorers]
    with connection(samples=folder.samples, scores=folder.scores) as db:
        asked = rows(db, "SELECT * FROM samples WHERE sample_id = ? ORDER BY repeat", [sample_id])
        if not asked:
            near = (
                "SELECT DISTINCT sample_id FROM samples ORDER BY jaro_winkler_similarity(sample_id, ?) DESC, 1 LIMIT ?"
            )
            raise _unknown(folder, sample_id, [row["sample_id"] for row in rows(db, near, [sample_id, NEAREST])])
        scored = rows(db, "SELECT * FROM scores WHERE sample_id = ?", [sample_id])
    scored.sort(key=lambda row: order.index(row["scorer"]))
    first = asked[0]
    return OneSample(
        run=folder.id,
        id=sample_id,
        group=first["family"],
        tags=first["tags"] or {},
        messages=tuple(Message.model_validate(m) for m in json.loads(first["messages"])),
        references=first["references"] or (),
        given_contexts=_passages(first["given_contexts"]),
        gold_contexts=first["gold_contexts"] or (),
        answers=tuple(_answer(row, [s for s in scored if s["repeat"] == row["repeat"]]) for row in asked),
    )


def _answer(row: Row, scored: list[Row]) -> Answer:
    return Answer(
        repeat=row["repeat"],
        output=row["output"],
        failure=row["failure"],
        message=row["failure_message"] or "",
        finish_reason=row["finish_reason"],
        served_model=row["served_model"],
        contexts=_passages(row["contexts"]),
        usage=_usage(row),
        scores=tuple(_judgement(score) for score in scored),
    )


def _judgement(row: Row) -> Judgement:
    return Judgement(
        scorer=row["scorer"],
        version=row["version"],
        value=row["value"],
        label=row["label"],
        reason=row["reason"] or "",
        evidence=row["evidence"] or "",
        failure=row["failure"],
        message=row["failure_message"] or "",
        raw=row["raw"] or "",
        usage=_usage(row),
    )


def _usage(row: Row) -> Usage:
    names = ("input_tokens", "output_tokens", "cost", "latency", "attempts", "cached")
    return Usage(**{name: row[name] for name in names})


def _passages(text: str | None) -> tuple[Passage, ...]:
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return tuple(Passage.model_validate(passage) for passage in found)


def _unknown(folder: RunFolder, sample_id: str, near: list[str]) -> DataError:
    fix = f"the nearest: {', '.join(near)}"
    return DataError(Problem("UNKNOWN_SAMPLE", "this run has no such sample", str(folder.path), got=sample_id, fix=fix))
