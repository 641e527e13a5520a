"""Where in an answer stands what no passage holds: by words, as the scorer `overlap_groundedness` sees it."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.records import Passage
from workbench.scoring.grounding import SENTENCE, stands
from workbench.scoring.normalise import words_of

LEAST = 0.6
"""Share of a sentence's telling words that one passage must hold; the scorer's own default."""


def unsupported(answer: str, passages: Sequence[Passage]) -> list[tuple[int, int]]:
    """Return the sentences that stand in no passage, as characters from and to; none where there are no passages."""
    if not passages:
        return []
    known = [set(words_of(p.text)) for p in passages]
    return [m.span() for m in SENTENCE.finditer(answer) if not stands(m[0], known, LEAST)]
