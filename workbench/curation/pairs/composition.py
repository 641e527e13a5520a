"""What a set is made of: how long its sides are, and how many rows are of each source, rule, model and tag."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from pydantic import Field

from workbench.datasets import Conversation, PreferencePair
from workbench.nouns import Many, Noun

EDGES = (0, 25, 50, 100, 200, 400, 800, 1600, 3200, 6400)
"""Lower ends of the classes of length, in characters; the last one is open."""
MOST_VALUES = 12
"""Values of a tag, or sources, that are told apart; the rest is one part."""
OTHERS = "(others)"


class LengthClass(Noun):
    """Sides of like length."""

    low: int
    """Characters from which on."""
    high: int | None
    """Characters below which; `None`: no end."""
    chosen: int = Field(ge=0)
    """Chosen sides; of conversations, answers."""
    rejected: int = Field(ge=0)
    """Rejected sides."""


class Part(Noun):
    """Rows that have something in common."""

    of: str
    """`source`, `rule`, `chosen model`, `annotator`, or `tag <name>`."""
    name: str
    """Its value."""
    n: int = Field(ge=0)
    """Rows."""
    longer: float | None = None
    """Share of them whose chosen side is the longer one; `None` for conversations, and where all sides are equal."""


class Composition(Noun):
    """What a set is made of."""

    n: int = Field(ge=0)
    """Rows."""
    lengths: Many[LengthClass] = ()
    """The classes from the first to the last that has a side."""
    parts: Many[Part] = ()
    """By what they have in common, the largest first."""


def composition(rows: Iterable[PreferencePair | Conversation]) -> Composition:
    """Return what a set is made of; the rows are read once."""
    chosen, rejected = [0] * len(EDGES), [0] * len(EDGES)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    longer: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    n = 0
    for row in rows:
        n += 1
        a, b = _sizes(row)
        chosen[_class(a)] += 1
        if b is not None:
            rejected[_class(b)] += 1
        for of, name in set(_marks(row)):
            counts[of][name] += 1
            if b is not None and a != b:
                longer[of, name][a > b] += 1
    parts = [part for of, names in counts.items() for part in _parts(of, names, longer)]
    return Composition(n=n, lengths=tuple(_lengths(chosen, rejected)), parts=tuple(parts))


def _sizes(row: PreferencePair | Conversation) -> tuple[int, int | None]:
    if isinstance(row, PreferencePair):
        return len(row.chosen.text()), len(row.rejected.text())
    return sum(len(turn.content) for turn in row.messages if turn.role == "assistant" and turn.learnt), None


def _marks(row: PreferencePair | Conversation) -> Iterator[tuple[str, str]]:
    yield from (("source", source.split("/", 1)[0]) for source in row.lineage.sources or ("(nobody says)",))
    yield from (("annotator", name) for name in row.lineage.annotators)
    yield from ((f"tag {tag}", value) for tag, value in row.tags.items())
    if isinstance(row, PreferencePair):
        yield "rule", row.rule
        yield "chosen model", row.chosen.model or "(nobody says)"


def _parts(of: str, names: Counter[str], longer: dict[tuple[str, str], list[int]]) -> Iterator[Part]:
    ranked = sorted(names.items(), key=lambda item: (-item[1], item[0]))
    for name, n in ranked[:MOST_VALUES]:
        shorter, long = longer.get((of, name), [0, 0])
        yield Part(of=of, name=name, n=n, longer=long / (long + shorter) if long + shorter else None)
    if rest := sum(n for _, n in ranked[MOST_VALUES:]):
        yield Part(of=of, name=OTHERS, n=rest)


def _lengths(chosen: Sequence[int], rejected: Sequence[int]) -> Iterator[LengthClass]:
    there = [at for at in range(len(EDGES)) if chosen[at] or rejected[at]]
    for at in range(there[0], there[-1] + 1) if there else ():
        high = EDGES[at + 1] if at + 1 < len(EDGES) else None
        yield LengthClass(low=EDGES[at], high=high, chosen=chosen[at], rejected=rejected[at])


def _class(length: int) -> int:
    return max(at for at, edge in enumerate(EDGES) if length >= edge)
