"""Rows of real extracts as records with labels, or as pairs: what `pairs build` and `pairs lint` are given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from workbench.curation.pairs.from_labels import Labelled
from workbench.curation.pairs.judgements import answer_of
from workbench.datasets import PreferencePair
from workbench.records import Label, Message, Record, Turn

AT = datetime(2026, 1, 1, tzinfo=UTC)
ROLES = {"human": "user", "gpt": "assistant", "system": "system"}
Rows = list[dict[str, Any]]


def pandalm(rows: Rows) -> Labelled:
    """Three people's choices of two models' answers; 0 is a tie."""
    records = [
        _record(r, "pandalm", f"{r['instruction']}\n\n{r['input']}".strip(), r["response_1"], r["response_2"],
                (r["model_1"], r["model_2"]), r["group_id"])
        for r in rows
    ]  # fmt: skip
    labels = [_pick(r["id"], f"a{at}", word) for r in rows for at, word in enumerate(r["annotators"], 1)]
    return _labelled("pandalm", records, labels)


def mtbench(rows: Rows) -> Labelled:
    """The human majority's choice."""
    records = [_record(r, "mtbench", r["instruction"], r["output_1"], r["output_2"], (), r["group_id"]) for r in rows]
    return _labelled("mtbench", records, [_pick(r["id"], "majority", r["label"]) for r in rows])


def llmbar(rows: Rows) -> Labelled:
    """The authors' choice."""
    records = [_record(r, "llmbar", r["instruction"], r["output_1"], r["output_2"], (), r["id"]) for r in rows]
    return _labelled("llmbar", records, [_pick(r["id"], "authors", r["label"]) for r in rows])


def ragchecker(rows: Rows) -> Labelled:
    """Two people's overall assessment from -2 (the first is clearly better) to 2 (the second)."""
    records = [
        _record(
            r, "ragchecker", r["query"], r["response_a"], r["response_b"], (r["model_a"], r["model_b"]), r["group_id"]
        )
        for r in rows
    ]
    labels = []
    for r in rows:
        for at, slot in enumerate(r["human"]):
            value = slot["overall"] if isinstance(slot, dict) else slot
            labels.append(_pick(r["id"], f"slot{at + 1}", 0 if value == 0 else 1 if value < 0 else 2))
            if value:
                word = "clearly" if abs(value) == 2 else "slightly"
                labels.append(Label(record_id=r["id"], question="strength", value=word, annotator=f"slot{at + 1}",
                                    guideline="preference/1", at=AT))  # fmt: skip
    return _labelled("ragchecker", records, labels)


def dpo_demo(rows: Rows) -> list[PreferencePair]:
    """Published pairs as they are."""
    return [
        PreferencePair(
            id=r["id"],
            prompt=tuple(Turn(role=ROLES[t["from"]], content=t["value"]) for t in r["conversations"]),  # type: ignore[arg-type]
            chosen=answer_of(r["chosen"]["value"]),
            rejected=answer_of(r["rejected"]["value"]),
        )
        for r in rows
    ]


def _labelled(name: str, records: list[Record], labels: list[Label]) -> Labelled:
    return Labelled(name, records, labels, seen={record.id: (0, 1) for record in records})


def _record(
    row: dict[str, Any], origin: str, prompt: str, one: str, other: str, models: tuple[str, ...], group: str
) -> Record:
    tags = {"models": ",".join(models)} if models else {}
    messages = (Message(role="user", content=prompt),)
    return Record(id=row["id"], messages=messages, outputs=(one, other), origin=origin, group=group, tags=tags)


def _pick(record: str, annotator: str, word: int) -> Label:
    value = {0: "tie", 1: "1", 2: "2"}[word]
    return Label(
        record_id=record, question="preferred", value=value, annotator=annotator, guideline="preference/1", at=AT
    )
