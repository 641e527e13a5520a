"""What is asked of a model, what came of it, and what was dropped."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from workbench.curation.shingles import normalised
from workbench.models import Request
from workbench.nouns import Many, Noun
from workbench.records import Message

T = TypeVar("T")
EXAMPLES = 3
"""Examples of what was dropped that a summary names."""


class Dropped(Noun):
    """A text that was asked for and is not kept."""

    id: str
    """What it would have been called."""
    reason: str
    """Why, in one word of docs/synth.md."""
    text: str
    """What the model wrote, or how it failed."""


class Step(Noun):
    """One step of the waterfall."""

    reason: str
    """Why something was dropped."""
    n: int
    """How many were."""
    examples: Many[str]
    """Ids of the first of them."""


def waterfall(dropped: Sequence[Dropped]) -> list[Step]:
    """Return how many were dropped for which reason, in the order in which reasons first struck."""
    counts = Counter(one.reason for one in dropped)
    return [
        Step(reason=reason, n=n, examples=tuple(one.id for one in dropped if one.reason == reason)[:EXAMPLES])
        for reason, n in counts.items()
    ]


def asked(id: str, prompt: str, repeat: int = 0) -> Request:
    """Return a request of one user's message."""
    return Request(messages=(Message(role="user", content=prompt),), sample_id=id, repeat=repeat)


def lines_of(text: str, names: Sequence[str]) -> dict[str, str] | None:
    """Return what stands behind `Name:` at the beginnings of lines; `None` unless each stands there once, with text.

    A value ends at the next of these names or at a blank line; bold marks around names are passed over.
    """
    every = "|".join(map(re.escape, names))
    found = re.findall(rf"^[ \t]*\**({every})\**:\**[ \t]*(.*?)[ \t]*(?=\n[ \t]*\**(?:{every})\**:|\n\s*\n|\s*\Z)",
                       text, re.MULTILINE | re.DOTALL)  # fmt: skip
    values = {name: value.strip() for name, value in found}
    whole = len(found) == len(names) and all(values.get(name) for name in names)
    return values if whole else None


def holds(text: str, part: str) -> bool:
    """Return whether `text` has the words of `part` in a row, whatever their case, width and punctuation."""
    words = normalised(part).split()
    return bool(words) and b" " + b" ".join(words) + b" " in b" " + b" ".join(normalised(text).split()) + b" "


def drawn(things: Sequence[tuple[str, T]], n: int | None, seed: int) -> list[T]:
    """Return `n` of things with ids, chosen by a hash of seed and id, in their own order; all where `n` is `None`."""
    if n is None or n >= len(things):
        return [thing for _, thing in things]
    ranked = sorted(
        range(len(things)),
        key=lambda i: hashlib.sha256(f"{seed}\0{things[i][0]}".encode("utf-8", "surrogatepass")).digest(),
    )
    return [things[i][1] for i in sorted(ranked[:n])]
