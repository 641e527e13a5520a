"""What a dataset is like: sizes, languages, tags, phrases, and what each filter would take out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from workbench.curation.quality.balance import Balance, balances
from workbench.curation.quality.filters import Tools, Wanted, filters_of
from workbench.curation.quality.languages import language_of
from workbench.curation.quality.lengths import Spread, n_words, spread
from workbench.curation.quality.masking import masked_row
from workbench.curation.quality.phrases import Repeated, edges
from workbench.curation.quality.views import Part, View
from workbench.curation.quality.waterfall import Step, run_filters
from workbench.nouns import Many, Noun

TOLD: tuple[Part, ...] = ("system", "prompt", "answer", "rejected", "context", "reference")
"""Parts whose lengths are told."""


class Profile(Noun):
    """A dataset, described."""

    n: int = Field(ge=0)
    """Rows."""
    n_groups: int = Field(ge=0)
    """Prompt families."""
    turns: Spread
    """Turns a row, without the system's."""
    characters: dict[str, Spread]
    """Characters of each part that rows have; a row without the part does not count."""
    words: dict[str, Spread]
    """Words, the same."""
    tokens: dict[str, Spread]
    """Tokens, the same, and of whole rows under `row`."""
    tokenizer: str
    """How tokens were counted."""
    languages: dict[str, int]
    """Rows by the language of their answers, or prompts where there is none; `und`: nobody can tell; `zxx`: none."""
    openings: Many[Repeated]
    """Words with which many answers begin."""
    closings: Many[Repeated]
    """Words with which many end."""
    found: dict[str, int]
    """Personal data and secrets by kind, every place counted."""
    balance: Many[Balance]
    """Tags that are slices."""
    steps: Many[Step]
    """What each filter would take, one after the other; nothing was taken."""


def profile(rows: Sequence[View], wanted: Wanted, tools: Tools) -> Profile:
    """Describe rows, and run the filters that are wanted without storing anything."""
    answers = [text.text for row in rows for text in row.answers()]
    openings, closings = edges(answers)
    parts = {part: [text for row in rows if (text := row.part(part))] for part in TOLD}
    parts = {part: texts for part, texts in parts.items() if texts}
    found: Counter[str] = Counter()
    for row in rows:
        found += masked_row(row.row)[1]
    whole = ["\n".join(text.text for text in row.texts) for row in rows]
    return Profile(
        n=len(rows),
        n_groups=len({row.family for row in rows}),
        turns=spread([row.n_turns() for row in rows]),
        characters={part: spread([len(text) for text in texts]) for part, texts in parts.items()},
        words={part: spread([n_words(text) for text in texts]) for part, texts in parts.items()},
        tokens={part: spread(list(tools.count(texts))) for part, texts in [*parts.items(), ("row", whole)]},
        tokenizer=tools.tokenizer,
        languages=dict(Counter(_language(row, tools) for row in rows).most_common()),
        openings=tuple(openings),
        closings=tuple(closings),
        found=dict(found.most_common()),
        balance=tuple(balances(rows)),
        steps=tuple(run_filters(rows, filters_of(wanted, tools))[1]),
    )


def _language(row: View, tools: Tools) -> str:
    return language_of("\n".join(text.text for text in row.answers()) or row.part("prompt"), tools.identify)
