"""How far annotators agree on one question under one guideline version, and what its labels may then be used for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pydantic import Field

from workbench.nouns import Many, Noun
from workbench.records import Record
from workbench.statistics.intervals import Estimate

REPAIR_BELOW = 0.4
"""Below it the guideline needs repair before more is labelled."""
ANCHORS_FROM = 0.7
"""From here on labels may anchor a gate."""
LEAST_RECORDS = 10
"""Records that a slice, a pair or an annotator needs for a line of its own."""


class Part(Noun):
    """Agreement within one slice, of one pair of annotators, or of one annotator with what is taken for right."""

    name: str
    """`tag=value`, `first × second`, or the annotator."""
    estimate: Estimate
    """The measure; n is in records."""


class Agreement(Noun):
    """Agreement on one question under one guideline version."""

    question: str
    """The question; of several choices with the option, of a ranking with the two things that are compared."""
    guideline: str
    """Version under which the labels were given."""
    measure: str
    """What `overall` and `slices` are."""
    overall: Estimate
    """Agreement beyond chance; of spans their mean overlap."""
    equal: Estimate | None = None
    """Share of pairs of answers that are equal, which chance can make high; `None` for spans."""
    fleiss: Estimate | None = None
    """Fleiss' kappa; `None` for spans."""
    meaning: str
    """What the labels may be used for."""
    slices: Many[Part] = ()
    """The measure within each slice, lowest first."""
    pairs: Many[Part] = ()
    """Each two annotators, lowest first: Cohen's kappa, or the overlap of their spans."""
    annotators: Many[Part] = ()
    """Each annotator, lowest first: share equal to, or overlap with, what `against` names."""
    against: str = ""
    """What annotators are compared with; empty: nothing is taken for right."""
    n_labels: int = Field(ge=0)
    """Answers it rests on."""
    n_annotators: int = Field(ge=0)
    """People who gave them."""


def meaning(estimate: Estimate) -> str:
    """Return what labels of such an agreement may be used for, and whether more labels could tell otherwise."""
    if estimate.value is None:
        return f"unknown: {estimate.undefined}"
    words = _use(estimate.value)
    if estimate.interval is None:
        return f"{words}; how sure that is is unknown: {estimate.undefined}"
    low, high = _use(estimate.interval.low), _use(estimate.interval.high)
    if low == high:
        return words
    return f"{words}; not sure yet, the interval reaches “{low if low != words else high}”"


def parts(named: Iterable[tuple[str, Estimate]]) -> tuple[Part, ...]:
    """Return the parts with enough records to say anything, lowest first; what is undefined comes last."""
    enough = [Part(name=name, estimate=estimate) for name, estimate in named if estimate.n >= LEAST_RECORDS]
    return tuple(sorted(enough, key=lambda p: (p.estimate.value is None, p.estimate.value or 0.0, p.name)))


def slices(records: Sequence[Record]) -> dict[str, list[int]]:
    """Return the rows of each slice, `tag=value`; a tag that all records share tells nothing and is left out."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, record in enumerate(records):
        for tag, value in record.tags.items():
            rows[f"{tag}={value}"].append(row)
    return {name: rows[name] for name in sorted(rows) if len(rows[name]) < len(records)}


def _use(value: float) -> str:
    if value < REPAIR_BELOW:
        return "repair the guideline"
    return "trends only" if value < ANCHORS_FROM else "may anchor a gate"
