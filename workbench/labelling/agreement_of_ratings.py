"""Agreement on choices, ratings and rankings.

Choices are compared on a nominal scale and ratings on an ordinal one. Of several choices each option is a question of
its own; a ranking is a comparison of every two things in it, which the first wins, ties or loses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from workbench.labelling.agreement import Agreement, meaning, parts, slices
from workbench.labelling.questions import LabelQuestion, MultiLabelQuestion, Question, RankingQuestion, RatingQuestion
from workbench.labelling.resolving import Value
from workbench.records import Label, Ranked, Record
from workbench.statistics.agreement import (
    Rating,
    Scale,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    pair_agreement,
)
from workbench.statistics.intervals import Estimate

Told = Callable[[Value], Rating | None]
"""What an answer says of the thing that is compared, or nothing."""


class Compared(NamedTuple):
    """One thing on which annotators are compared."""

    name: str
    """The question, and which part of it."""
    scale: Scale
    """How far apart two ratings are."""
    order: Sequence[Rating]
    """All ratings of an ordinal scale, lowest first."""
    told: Told
    """The rating within a label."""


class Unit(NamedTuple):
    """One record, with what everybody said of the thing that is compared."""

    record: Record
    ratings: Mapping[str, Rating]
    """By annotator."""
    truth: Rating | None
    """The adjudicated answer, where there is one."""


def rating_agreements(
    question: Question, guideline: str, records: Sequence[Record], answers: Sequence[Sequence[Label]],
    adjudicated: Sequence[Value | None], *, seed: int,
) -> list[Agreement]:  # fmt: skip
    """Return the agreement on all that a question compares; of free words and spans there is none here.

    `answers` and `adjudicated` have an entry per record; each annotator answered a record at most once.
    """
    found = []
    for compared in _compared(question, [label for given in answers for label in given]):
        units = []
        for record, given, right in zip(records, answers, adjudicated, strict=True):
            ratings = {label.annotator: value for label in given if (value := compared.told(label.value)) is not None}
            units.append(Unit(record, ratings, None if right is None else compared.told(right)))
        found.append(_agreement(compared, guideline, units, seed))
    return found


def _compared(question: Question, labels: Sequence[Label]) -> Iterable[Compared]:
    """Return what is compared, and on which scale."""
    if isinstance(question, LabelQuestion):
        yield Compared(question.name, "nominal", (), lambda value: value if isinstance(value, str) else None)
    if isinstance(question, RatingQuestion):
        steps = range(question.low, question.high + 1)
        yield Compared(question.name, "ordinal", steps, lambda value: value if isinstance(value, int) else None)
    if isinstance(question, MultiLabelQuestion):
        for option in question.options:
            yield Compared(f"{question.name}: {option.value}", "nominal", (), _chosen(option.value))
    if isinstance(question, RankingQuestion):
        things = sorted({one.value for label in labels for one in _ranked(label.value)})
        for first, second in combinations(things, 2):
            yield Compared(f"{question.name}: {first} or {second}", "ordinal", (-1, 0, 1), _preferred(first, second))


def _chosen(option: str) -> Told:
    return lambda value: int(option in value) if isinstance(value, tuple) else None


def _preferred(first: str, second: str) -> Told:
    """Return a comparison: 1 where the first is ranked above the second, -1 where below, 0 for a tie."""

    def told(value: Value) -> Rating | None:
        rank = {one.value: one.rank for one in _ranked(value)}
        if first not in rank or second not in rank:
            return None
        return (rank[first] < rank[second]) - (rank[first] > rank[second])

    return told


def _ranked(value: Value) -> list[Ranked]:
    return [one for one in value if isinstance(one, Ranked)] if isinstance(value, tuple) else []


def _agreement(compared: Compared, guideline: str, units: Sequence[Unit], seed: int) -> Agreement:
    people = sorted({who for unit in units for who in unit.ratings})
    overall = _alpha(units, people, compared, seed)
    several = [unit for unit in units if len(unit.ratings) > 1]
    known = [unit for unit in units if unit.truth is not None]
    parted = slices([unit.record for unit in units])
    return Agreement(
        question=compared.name,
        guideline=guideline,
        measure=f"Krippendorff's alpha, {compared.scale}",
        overall=overall,
        equal=pair_agreement(_table(several, people), _families(several), seed=seed),
        fleiss=fleiss_kappa(_table(several, people), _families(several), seed=seed),
        meaning=meaning(overall),
        slices=parts(
            (part, _alpha([units[row] for row in rows], people, compared, seed)) for part, rows in parted.items()
        ),
        pairs=parts((f"{a} × {b}", _kappa(units, a, b, compared, seed)) for a, b in combinations(people, 2)),
        annotators=parts((who, _share_right(known, who, seed)) for who in people),
        against="the adjudicated answers" if known else "",
        n_labels=sum(len(unit.ratings) for unit in units),
        n_annotators=len(people),
    )


def _alpha(units: Sequence[Unit], people: Sequence[str], compared: Compared, seed: int) -> Estimate:
    table = _table(units, people)
    return krippendorff_alpha(table, compared.scale, _families(units), seed=seed, order=compared.order)


def _kappa(units: Sequence[Unit], first: str, second: str, compared: Compared, seed: int) -> Estimate:
    both = [unit for unit in units if first in unit.ratings and second in unit.ratings]
    one, other = ([unit.ratings[who] for unit in both] for who in (first, second))
    return cohen_kappa(one, other, _families(both), seed=seed, scale=compared.scale, order=compared.order)


def _share_right(known: Sequence[Unit], who: str, seed: int) -> Estimate:
    told = [unit for unit in known if who in unit.ratings]
    return pair_agreement([(unit.ratings[who], unit.truth) for unit in told], _families(told), seed=seed)


def _table(units: Sequence[Unit], people: Sequence[str]) -> list[list[Rating | None]]:
    return [[unit.ratings.get(who) for who in people] for unit in units]


def _families(units: Sequence[Unit]) -> list[str]:
    return [unit.record.group for unit in units]
