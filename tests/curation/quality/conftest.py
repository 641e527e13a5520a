"""Short ways to make rows."""

from __future__ import annotations

from workbench.curation.quality.views import View, view_of
from workbench.datasets import Conversation, Lineage, PreferencePair, Sample, Side
from workbench.records import Message, Turn


def chat(
    id: str, question: str, answer: str, *, good: bool | None = None, annotators: int = 0, **tags: str
) -> Conversation:
    return Conversation(
        id=id,
        messages=(Turn(role="user", content=question), Turn(role="assistant", content=answer)),
        good=good,
        tags=tags,
        lineage=Lineage(annotators=tuple(f"ann-{k}" for k in range(annotators))),
    )


def pair(id: str, question: str, chosen: str, rejected: str) -> PreferencePair:
    def side(text: str) -> Side:
        return Side(messages=(Turn(role="assistant", content=text),))

    return PreferencePair(
        id=id, prompt=(Turn(role="user", content=question),), chosen=side(chosen), rejected=side(rejected)
    )


def sample(id: str, question: str, *references: str) -> Sample:
    return Sample(id=id, messages=(Message(role="user", content=question),), references=references)


def seen(*rows: Conversation | PreferencePair | Sample) -> list[View]:
    return [view_of(row) for row in rows]
