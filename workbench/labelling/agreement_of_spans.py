"""Agreement on marked spans: how far they cover each other, and how far each annotator's cover the majority's.

Chance is not taken out: of all stretches that could be marked, hardly any two meet by chance. The kind of a span
counts: a stretch that one marked as invented and another as contradicted does not agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from workbench.labelling import spans as overlap
from workbench.labelling.agreement import Agreement, parts, slices
from workbench.labelling.resolving import Value
from workbench.records import Label, Record, Span
from workbench.statistics.agreement import DRAWS
from workbench.statistics.bootstrap import bootstrap
from workbench.statistics.intervals import Estimate

Marks = Mapping[str, tuple[overlap.Span, ...]]
"""Spans by the kind they were marked as."""


def span_agreement(
    question: str, guideline: str, records: Sequence[Record], answers: Sequence[Sequence[Label]],
    adjudicated: Sequence[Value | None], *, seed: int,
) -> Agreement:  # fmt: skip
    """Return the mean overlap of two annotators' spans in a record, and each annotator's with what is taken for right.

    An annotator who submitted a record without marking anything marked nothing; two who did so agree. What is taken for
    right is the adjudicated answer where there is any, else what most annotators marked, character by character.
    """
    marked = [{label.annotator: _marks(label.value) for label in given} for given in answers]
    right = [None if value is None else _marks(value) for value in adjudicated]
    judged = any(marks is not None for marks in right)
    if not judged:
        right = [_majority(list(people.values())) if len(people) > 2 else None for people in marked]
    people = sorted({who for given in marked for who in given})

    def mean(values: Callable[[int], list[float]], rows: Sequence[int]) -> Estimate:
        told = [(sum(found) / len(found), records[row].group) for row in rows if (found := values(row))]
        return _mean([value for value, _ in told], [group for _, group in told], seed)

    def of_all(row: int) -> list[float]:
        return [_likeness(a, b) for a, b in combinations(marked[row].values(), 2)]

    def of_two(a: str, b: str) -> Callable[[int], list[float]]:
        return lambda row: [_likeness(marked[row][a], marked[row][b])] if {a, b} <= marked[row].keys() else []

    def of_one(who: str) -> Callable[[int], list[float]]:
        def told(row: int) -> list[float]:
            truth = right[row]
            return [_likeness(marked[row][who], truth)] if truth is not None and who in marked[row] else []

        return told

    rows = range(len(records))
    return Agreement(
        question=question,
        guideline=guideline,
        measure="overlap of spans, soft F1",
        overall=mean(of_all, rows),
        meaning="read the marked texts: overlap has no thresholds, because chance hardly ever makes two spans meet",
        slices=parts((name, mean(of_all, some)) for name, some in slices(records).items()),
        pairs=parts((f"{a} × {b}", mean(of_two(a, b), rows)) for a, b in combinations(people, 2)),
        annotators=parts((who, mean(of_one(who), rows)) for who in people),
        against="the adjudicated answers" if judged else "what most annotators marked",
        n_labels=sum(len(given) for given in marked),
        n_annotators=len(people),
    )


def _marks(value: Value) -> Marks:
    found: dict[str, list[overlap.Span]] = {}
    for span in value if isinstance(value, tuple) else ():
        if isinstance(span, Span):
            found.setdefault(span.label, []).append((span.start, span.end))
    return {kind: overlap.merged(given) for kind, given in found.items()}


def _likeness(first: Marks, second: Marks) -> float:
    """Return soft F1, the mean over the kinds that either marked; 1 where neither marked anything."""
    kinds = sorted(first.keys() | second.keys())
    if not kinds:
        return 1.0
    return sum(overlap.soft_f1(first.get(kind, ()), second.get(kind, ())) for kind in kinds) / len(kinds)


def _majority(people: Sequence[Marks]) -> Marks:
    kinds = sorted({kind for marks in people for kind in marks})
    found = {kind: overlap.majority_spans([marks.get(kind, ()) for marks in people]) for kind in kinds}
    return {kind: given for kind, given in found.items() if given}


def _mean(values: Sequence[float], groups: Sequence[str], seed: int) -> Estimate:
    if not values:
        return Estimate(value=None, n=0, undefined="no record was marked by two")
    import numpy as np

    array = np.array(values)
    return bootstrap(lambda rows: float(array[rows].mean()), groups, seed=seed, draws=DRAWS)
