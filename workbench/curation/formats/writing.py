"""From a noun to a row of a format, and what the format has no place for beside it, as JSON in one column.

What a format cannot say is found by reading back what it said: nothing is lost unless the reader is asked for rows with
nothing beside them, and then it is counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import orjson

from workbench.curation.formats.format import OURS, Fields, Format, Notes, Unfit
from workbench.curation.formats.reading import Recipe, understood

CONTENT = frozenset({"messages", "prompt", "chosen", "rejected", "tools", "references", "outputs", "contexts"})
"""Fields that are the row; a format that changes them cannot hold it."""


@dataclass
class Losses:
    """What an export could not say."""

    fields: Counter[str] = field(default_factory=Counter)
    """Rows by the field that was left out."""
    rows: Counter[str] = field(default_factory=Counter)
    """Rows that the format cannot hold, by the reason."""


def row_of(fields: Fields, format: Format, bare: bool, losses: Losses) -> Fields | None:
    """Return a noun as a row of a format; `None` where it cannot hold it, which is counted in `losses`."""
    try:
        row = format.write(fields) if format.write is not None else {}
        back = understood(row, Recipe(format), Notes())[0].fields
    except Unfit as exc:
        losses.rows[exc.message] += 1
        return None
    lost = {name: value for name, value in fields.items() if back[name] != value}
    if changed := sorted(n for n in CONTENT & lost.keys() if not _beside(n, fields, back)):
        losses.rows[f"{format.name} would change `{changed[0]}`"] += 1
        return None
    if bare or format.strict:
        # A name made from the content is made again by whoever reads the row.
        losses.fields.update(lost.keys())
        return row
    return row | ({OURS: orjson.dumps(lost).decode()} if lost else {})


def _beside(name: str, fields: Fields, back: Fields) -> bool:
    """Return whether what differs is not what a model would see: who wrote a side, or the spelling of tools."""
    if name in ("chosen", "rejected"):
        return bool(fields[name]["messages"] == back[name]["messages"])
    if name == "tools":
        return bool(back["tools"] and orjson.loads(back["tools"]) == orjson.loads(fields["tools"]))
    return False
