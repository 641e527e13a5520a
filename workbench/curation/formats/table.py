"""All formats, in the order in which they are told; and the guess which one a file is."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.curation.formats import own
from workbench.curation.formats.alpaca import ALPACA
from workbench.curation.formats.answers import RECORDS
from workbench.curation.formats.argilla import ARGILLA
from workbench.curation.formats.comparison import COMPARISON
from workbench.curation.formats.feedback import FEEDBACK
from workbench.curation.formats.format import OURS, Fields, Format
from workbench.curation.formats.messages import MESSAGES, OPENAI
from workbench.curation.formats.preference import AXOLOTL, OPENAI_PAIRS, PREFERENCE, PREFERENCE_PLAIN
from workbench.curation.formats.prompt_completion import KTO, PROMPT_COMPLETION, PROMPT_COMPLETION_PLAIN
from workbench.curation.formats.questions import SAMPLES
from workbench.curation.formats.sharegpt import SHAREGPT, SHAREGPT_PAIRS
from workbench.curation.formats.spans import SPANS
from workbench.errors import DataError, Problem

FORMATS: tuple[Format, ...] = (
    MESSAGES, OPENAI, SHAREGPT, ALPACA, PROMPT_COMPLETION, PROMPT_COMPLETION_PLAIN, KTO,
    PREFERENCE, PREFERENCE_PLAIN, OPENAI_PAIRS, AXOLOTL, SHAREGPT_PAIRS, COMPARISON,
    SAMPLES, RECORDS, FEEDBACK, SPANS, ARGILLA,
    own.CONVERSATIONS, own.PAIRS, own.SAMPLES, own.RECORDS,
)  # fmt: skip
BY_NAME = {one.name: one for one in FORMATS}
LOOKED_AT = 50
"""Rows from which a format is guessed."""
DOCUMENTS = frozenset({"id", "text"})


def format_named(name: str) -> Format:
    """Return a format. Raises `DataError` for a name that none has."""
    if name in BY_NAME:
        return BY_NAME[name]
    fix = f"one of: {', '.join(BY_NAME)}"
    raise DataError(Problem("FORMAT_UNKNOWN", "no format has this name", field="--format", got=name, fix=fix))


def guessed(rows: Sequence[Fields], file: str) -> Format:
    """Return the one format that most of the first rows look like. Raises `DataError` for none, and for several.

    Rows may be broken, so a format is not ruled out by one of them; but what fits half of them only is no guess.
    """
    counts = [(sum(1 for row in rows if one.looks(row)), one) for one in FORMATS]
    best = max((n for n, _ in counts), default=0)
    fitting = [one for n, one in counts if n == best and n * 2 > len(rows)]
    if len(fitting) == 1:
        return fitting[0]
    columns = ", ".join(sorted({name for row in rows for name in row} - {OURS})) or "none"
    if fitting:
        looks = "; ".join(f"{one.name} ({one.sign})" for one in fitting)
        what = f"the rows look like {len(fitting)} formats: {looks}"
        raise DataError(Problem("FORMAT_AMBIGUOUS", what, file, fix="choose one with --format"))
    if rows and all(row.keys() >= DOCUMENTS for row in rows):
        fix = "give them beside questions, with --corpus, or index them for a RAG pipeline"
        raise DataError(
            Problem("FORMAT_UNKNOWN", "these are documents, not rows of a dataset", file, None, "", columns, fix)
        )
    fix = "name it with --format; `workbench data formats` tells what each needs"
    raise DataError(
        Problem("FORMAT_UNKNOWN", "the rows look like no known format", file, None, "", f"columns {columns}", fix)
    )
