"""What to label next, and why: picks of several kinds, each with its reason, among records that nobody labelled yet.

Only the lot may calibrate a judge: every other way prefers records that are unlike the rest, and a rate measured on
them is no rate of the whole. The lot is one fixed order of all records, and `lot_sample` is its labelled beginning.
Whatever else is labelled in between, that beginning stays a fair sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from workbench.nouns import Many, Noun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

Way = Literal["random", "uncertain", "disagreement", "diverse", "slice", "threshold"]
"""Why a record is picked: by lot; the judge is unsure; judges differ; it is unlike what was labelled; its slice has few
labels; its score lies near the gate's threshold."""


class Candidate(Noun):
    """A record that could be labelled, with what is known of it."""

    record_id: str
    """The record."""
    group: str
    """Its prompt family; ways other than the lot pick a second of one family only when no other is left."""
    tags: dict[str, str] = {}
    """Its slices, as name → value."""
    verdicts: Many[float] = ()
    """Verdicts on its answer in [0, 1]: one a judge, or one a repeat of a judge."""
    score: float | None = None
    """Score of the metric that is gated, in its own unit."""
    labelled: bool = False
    """Whether somebody labelled it; such a record is never picked."""


class Pick(Noun):
    """A record to label."""

    record_id: str
    """The record."""
    way: Way
    """How it was chosen."""
    reason: str
    """One sentence for those who plan the labelling; not shown to annotators, whom it would lead."""


class Wanted(Noun):
    """What the picks are to be like."""

    n: int = Field(gt=0)
    """Records to pick."""
    shares: dict[Way, float] = {"random": 0.5, "uncertain": 0.25, "diverse": 0.25}
    """Part of the picks by way, relative to the sum of all; each above 0."""
    slice: str | None = None
    """Tag whose values are to be labelled evenly; needed by `slice`."""
    threshold: float | None = None
    """The gate's threshold in the score's unit; needed by `threshold`."""


Ranking = Callable[[list[int]], list[tuple[int, str]]]
"""From rows that are left to rows in order of preference, each with its reason; rows it cannot judge are left out."""


def next_records(
    candidates: Sequence[Candidate], wanted: Wanted, *, seed: int, vectors: Vectors | None = None
) -> tuple[Pick, ...]:
    """Return up to `wanted.n` picks in the order of the ways; what another way cannot fill is filled from the lot.

    `vectors` has a row of length 1 per candidate. Raises `ValueError` where a way lacks what it needs.
    """
    _refuse(wanted, vectors)
    picks: dict[int, Pick] = {}

    def take(way: Way, n: int) -> None:
        left = [row for row, one in enumerate(candidates) if not one.labelled and row not in picks]
        ranked = rankings[way](left)
        chosen = ranked[:n] if way == "random" else _one_a_family(ranked, candidates, n)
        for row, reason in chosen:
            picks[row] = Pick(record_id=candidates[row].record_id, way=way, reason=reason)

    rankings = _rankings(candidates, wanted, vectors, picks, seed)
    for way, n in _numbers(wanted).items():
        take(way, n)
    take("random", wanted.n - len(picks))
    return tuple(picks.values())


def lot_sample(candidates: Sequence[Candidate], *, seed: int) -> tuple[str, ...]:
    """Return the ids of the lot's beginning that is labelled without a gap: a fair sample of all candidates."""
    sample: list[str] = []
    for row in _lot(candidates, seed):
        if not candidates[row].labelled:
            break
        sample.append(candidates[row].record_id)
    return tuple(sample)


def _refuse(wanted: Wanted, vectors: Vectors | None) -> None:
    if not wanted.shares or min(wanted.shares.values()) <= 0:
        raise ValueError(f"shares need at least one way, and a share above 0 for each; got {wanted.shares}")
    lacks: Mapping[Way, tuple[object, str]] = {
        "diverse": (vectors, "vectors of the records"),
        "slice": (wanted.slice, "the name of a tag"),
        "threshold": (wanted.threshold, "the gate's threshold"),
    }
    for way, (given, what) in lacks.items():
        if way in wanted.shares and given is None:
            raise ValueError(f"to pick by {way!r}, {what} must be given")


def _numbers(wanted: Wanted) -> dict[Way, int]:
    """Return the picks by way, the lot first: largest remainders, so that they add up to n."""
    total = sum(wanted.shares.values())
    exact = {way: wanted.n * share / total for way, share in wanted.shares.items()}
    numbers = {way: int(part) for way, part in exact.items()}
    by_remainder = sorted(exact, key=lambda way: (numbers[way] - exact[way], way))
    for way in by_remainder[: wanted.n - sum(numbers.values())]:
        numbers[way] += 1
    return dict(sorted(numbers.items(), key=lambda item: (item[0] != "random", item[0])))


def _lot(candidates: Sequence[Candidate], seed: int) -> list[int]:
    """Return all rows in an order that depends on the seed and each record's own id alone."""
    places = [sha256(f"{seed}\0{candidate.record_id}".encode()).digest() for candidate in candidates]
    return sorted(range(len(candidates)), key=places.__getitem__)


def _one_a_family(ranked: list[tuple[int, str]], candidates: Sequence[Candidate], n: int) -> list[tuple[int, str]]:
    """Return the first n, passing over a family's second while other families are left."""
    seen: set[str] = set()
    first: list[tuple[int, str]] = []
    later: list[tuple[int, str]] = []
    for row, reason in ranked:
        (later if candidates[row].group in seen else first).append((row, reason))
        seen.add(candidates[row].group)
    return [*first, *later][:n]


def _rankings(
    candidates: Sequence[Candidate], wanted: Wanted, vectors: Vectors | None, picks: Mapping[int, Pick], seed: int
) -> dict[Way, Ranking]:
    """Return every way's order of preference; equals keep the lot's order."""
    lot = {row: place for place, row in enumerate(_lot(candidates, seed))}

    def by(key: Callable[[int], float | None], reason: Callable[[int], str]) -> Ranking:
        def ranking(left: list[int]) -> list[tuple[int, str]]:
            keyed = [(value, lot[row], row) for row in left if (value := key(row)) is not None]
            return [(row, reason(row)) for _, _, row in sorted(keyed)]

        return ranking

    def random(left: list[int]) -> list[tuple[int, str]]:
        return [(row, f"number {lot[row] + 1} of the lot") for row in sorted(left, key=lot.__getitem__)]

    def unsure(row: int) -> float | None:
        verdicts = candidates[row].verdicts
        distance = abs(sum(verdicts) / len(verdicts) - 0.5) if verdicts else 0.5
        return distance if distance < 0.5 else None

    def differ(row: int) -> float | None:
        verdicts = candidates[row].verdicts
        return min(verdicts) - max(verdicts) if len(set(verdicts)) > 1 else None

    def near(row: int) -> float | None:
        score = candidates[row].score
        return None if score is None or wanted.threshold is None else abs(score - wanted.threshold)

    def said(row: int) -> str:
        return ", ".join(f"{verdict:g}" for verdict in candidates[row].verdicts)

    return {
        "random": random,
        "uncertain": by(unsure, lambda row: f"the judge is unsure: {said(row)}, where 0 fails and 1 passes"),
        "disagreement": by(differ, lambda row: f"judges differ: {said(row)}"),
        "threshold": by(
            near, lambda row: f"its score {candidates[row].score:g} is near the gate's {wanted.threshold:g}"
        ),
        "slice": lambda left: _evenly(candidates, wanted.slice or "", picks, sorted(left, key=lot.__getitem__)),
        "diverse": lambda left: _spread_out(candidates, vectors, picks, sorted(left, key=lot.__getitem__), wanted.n),
    }


def _evenly(
    candidates: Sequence[Candidate], tag: str, picks: Mapping[int, Pick], left: list[int]
) -> list[tuple[int, str]]:
    """Return rows so that each in turn is of the slice with the fewest labels so far."""
    have = Counter(
        value
        for row, one in enumerate(candidates)
        if (one.labelled or row in picks) and (value := one.tags.get(tag)) is not None
    )
    waiting: dict[str, list[int]] = {}
    for row in reversed(left):
        if (value := candidates[row].tags.get(tag)) is not None:
            waiting.setdefault(value, []).append(row)
    ranked: list[tuple[int, str]] = []
    while waiting:
        value = min(waiting, key=lambda name: (have[name], name))
        ranked.append((waiting[value].pop(), f"{tag}={value} has only {have[value]} labels and picks"))
        have[value] += 1
        if not waiting[value]:
            del waiting[value]
    return ranked


def _spread_out(
    candidates: Sequence[Candidate], vectors: Vectors | None, picks: Mapping[int, Pick], left: list[int], n: int
) -> list[tuple[int, str]]:
    """Return n rows, each the one least like everything labelled and picked before it (k-centre greedy)."""
    import numpy as np

    if vectors is None or not left:
        return []
    known = [row for row, one in enumerate(candidates) if one.labelled or row in picks]
    rest = vectors[left]
    nearest = np.full(len(left), -1.0, dtype=np.float32)
    for start in range(0, len(known), 512):
        nearest = np.maximum(nearest, (rest @ vectors[known[start : start + 512]].T).max(axis=1))
    ranked: list[tuple[int, str]] = []
    for _ in range(min(n, len(left))):
        chosen = int(nearest.argmin())
        likeness = float(nearest[chosen])
        ranked.append((left[chosen], f"unlike what was labelled: the nearest has a cosine of {likeness:.2f}"))
        nearest = np.maximum(nearest, rest @ rest[chosen])
        nearest[chosen] = np.inf
    return ranked
