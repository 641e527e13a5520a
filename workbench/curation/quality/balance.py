"""How evenly rows are spread over the values of a tag, and a fair lot that evens them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from math import exp, log

from pydantic import Field

from workbench.curation.quality.views import View
from workbench.nouns import Noun

SHOWN = 20
"""Values of a tag that are told."""
DISTINCT = 0.5
"""Share of different values among the rows from which a tag is a name and no slice."""


class Balance(Noun):
    """One tag's values over the rows."""

    tag: str
    n: int = Field(ge=0)
    """Rows that have the tag."""
    n_values: int = Field(ge=0)
    values: dict[str, int]
    """Rows by value, the most frequent first."""
    evenness: float = Field(ge=0, le=1)
    """Effective number of values (exponential of Shannon's entropy) by their number: 1 where all are as frequent."""


def balances(rows: Sequence[View]) -> list[Balance]:
    """Return the balance of every tag that is a slice, by name."""
    names = sorted({name for row in rows for name in row.tags})
    found = [_balance(name, Counter(row.tags[name] for row in rows if name in row.tags)) for name in names]
    return [one for one in found if one.n_values <= max(SHOWN, DISTINCT * one.n)]


def _balance(tag: str, counts: Counter[str]) -> Balance:
    n = counts.total()
    effective = exp(-sum(k / n * log(k / n) for k in counts.values()))
    values = dict(sorted(counts.most_common(SHOWN), key=lambda item: (-item[1], item[0])))
    return Balance(tag=tag, n=n, n_values=len(counts), values=values, evenness=min(1.0, effective / len(counts)))


def surplus(rows: Sequence[View], tag: str, at_most: int, seed: int = 0) -> dict[int, str]:
    """Return the places of the rows beyond `at_most` of each value of a tag, with the value; rows without it stay.

    Who stays is drawn by a hash of seed and id: the same for ever, whatever the order and whoever else is there.
    """
    by_value: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if tag in row.tags:
            by_value.setdefault(row.tags[tag], []).append(place)
    over = {}
    for value, places in by_value.items():
        for place in sorted(places, key=lambda place: _lot(seed, rows[place].id))[at_most:]:
            over[place] = value
    return over


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode("utf-8", "surrogatepass")).digest()
