"""From several people's answers to one: which policy decided, for each record and question, or that none could."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import orjson
from pydantic import Field, model_validator

from workbench.labelling.spans import majority_spans, soft_f1
from workbench.nouns import Many, Noun
from workbench.records import Label, Ranked, Span

Policy = Literal["adjudicated", "unanimous", "majority", "weighted"]
"""What the adjudicator decided; what all say; what more than half say; what has more than half of the weight."""
POLICIES: tuple[Policy, ...] = ("adjudicated", "unanimous", "majority", "weighted")
Value = str | int | float | Many[str] | Many[Span] | Many[Ranked]
AGREED = 0.5
"""Soft F1 from which on two people's spans count as the same."""


class Resolution(Noun):
    """How conflicts are resolved: the first policy that decides counts."""

    policies: Many[Policy] = Field(min_length=1)
    """In order."""
    weights: dict[str, float] = {}
    """For `weighted`: an annotator's weight; 1 where none is named."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Resolution:
        if len(set(self.policies)) != len(self.policies):
            raise ValueError("a policy stands twice")
        if bool(self.weights) != ("weighted" in self.policies):
            raise ValueError("weights are given with `weighted`, and only then")
        if any(weight < 0 for weight in self.weights.values()):
            raise ValueError("a weight is at least 0")
        return self


class Resolved(Noun):
    """The one answer to a question about a record."""

    record_id: str
    """The record."""
    question: str
    """The question."""
    value: Value | None
    """The answer; `None` where no policy decides."""
    by: Policy | None
    """The policy that decided."""
    annotators: Many[str]
    """Who answered."""
    decided_by: str = ""
    """Who adjudicated."""
    reason: str = ""
    """Why, in the adjudicator's words."""
    guideline: str
    """Version under which it was answered."""


class Decision(Noun):
    """What an adjudicator decided about one question of a record."""

    label: Label
    """The answer, its author and time."""
    reason: str = ""
    """Why."""


def resolve(labels: Iterable[Label], decisions: Iterable[Decision], how: Resolution) -> tuple[Resolved, ...]:
    """Return one answer per record, question and guideline, in the order of the labels; undecided ones too."""
    given: dict[tuple[str, str, str], list[Label]] = defaultdict(list)
    for label in labels:
        given[label.record_id, label.question, label.guideline].append(label)
    final = {(d.label.record_id, d.label.question): d for d in decisions}
    return tuple(_one(group, final.get((record, question)), how) for (record, question, _), group in given.items())


def disagree(labels: Sequence[Label]) -> bool:
    """Return whether people gave different answers to one question about one record; free words always may differ."""
    values = [label.value for label in labels]
    if any(_is_spans(value) for value in values):
        marked = [_places(value) for value in values]
        return any(soft_f1(a, b) < AGREED for at, a in enumerate(marked) for b in marked[at + 1 :])
    return len({_key(value) for value in values}) > 1


def _one(labels: Sequence[Label], decision: Decision | None, how: Resolution) -> Resolved:
    value, by = None, None
    for policy in how.policies:
        found = decision.label.value if policy == "adjudicated" and decision else _decided(policy, labels, how.weights)
        if found is not None:
            value, by = found, policy
            break
    told = (
        {"decided_by": decision.label.annotator, "reason": decision.reason} if decision and by == "adjudicated" else {}
    )
    first = labels[0]
    return Resolved(
        record_id=first.record_id,
        question=first.question,
        value=value,
        by=by,
        annotators=tuple(sorted(label.annotator for label in labels)),
        guideline=first.guideline,
        **told,
    )


def _decided(policy: Policy, labels: Sequence[Label], weights: Mapping[str, float]) -> Value | None:
    """Return what a policy makes of the answers, or `None`."""
    if policy == "adjudicated":
        return None
    if any(_is_spans(label.value) for label in labels):
        return _spans(policy, labels)
    values = {_key(label.value): label.value for label in labels}
    tally: Counter[bytes] = Counter()
    for label in labels:
        tally[_key(label.value)] += weights.get(label.annotator, 1.0) if policy == "weighted" else 1  # type: ignore[assignment]
    best, weight = tally.most_common(1)[0]
    enough = weight == len(labels) if policy == "unanimous" else 2 * weight > sum(tally.values())
    return values[best] if enough else None


def _spans(policy: Policy, labels: Sequence[Label]) -> Value | None:
    """Return the stretches that more than half marked, each with the word most used there; weights do not apply."""
    if policy == "weighted" or (policy == "unanimous" and disagree(labels)):
        return None
    found = []
    for start, end in majority_spans([_places(label.value) for label in labels]):
        words = Counter(
            span.label
            for label in labels
            for span in _marked(label.value)
            if min(span.end, end) > max(span.start, start)
        )
        found.append(Span(start=start, end=end, label=words.most_common(1)[0][0]))
    return tuple(found)


def _is_spans(value: Value) -> bool:
    return isinstance(value, tuple) and any(isinstance(item, Span) for item in value)


def _marked(value: Value) -> list[Span]:
    return [item for item in value if isinstance(item, Span)] if isinstance(value, tuple) else []


def _places(value: Value) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in _marked(value)]


def _key(value: Value) -> bytes:
    """Return what two equal answers share: several choices and rankings have no order."""
    if isinstance(value, tuple):
        return b"\n".join(sorted(orjson.dumps(i if isinstance(i, str) else i.model_dump()) for i in value))
    return orjson.dumps(value)
