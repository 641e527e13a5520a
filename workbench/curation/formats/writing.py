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
from workbench.nouns import canonical_bytes

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
    return row | ({OURS: canonical_bytes(lost).decode()} if lost else {})


def _beside(name: str, fields: Fields, back: Fields) -> bool:
    """Return whether what differs is not what a model would see: who wrote a side, or the spelling of tools."""
    if name in ("chosen", "rejected"):
        return bool(fields[name]["messages"] == back[name]["messages"])
    if name == "tools":
        return bool(back["tools"] and orjson.loads(back["tools"]) == orjson.loads(fields["tools"]))
    return False


CELLS: dict[str, tuple[str, ...]] = {
    "alpaca": ("instruction", "input", "output", "system"),
    "prompt-completion-text": ("prompt", "completion"),
    "preference-text": ("prompt", "chosen", "rejected"),
    "questions": ("question", "system", "reference"),
}
"""Columns of the formats that can be a table of texts."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet would take for a formula (OWASP, CSV injection)."""
MAX_CELL = 131_072
"""Characters of the longest cell that is read back."""


def cells_of(fields: Fields, format: Format, bare: bool, losses: Losses) -> Fields | None:
    """Return a row whose values are texts of a table; formulas are quoted, and then the row stands beside them too."""
    try:
        row = format.write(fields) if format.write is not None else {}
    except Unfit as exc:
        losses.rows[exc.message] += 1
        return None
    if isinstance(row.get("reference"), list):
        row["reference"] = row["reference"][0]  # the others stand beside it
    row = {name: row[name] for name in CELLS.get(format.name, ()) if name in row}
    cells = {name: f"'{v}" if v.startswith(FORMULA) else v for name, v in row.items()}
    if any(len(v) > MAX_CELL or "\0" in v for v in cells.values()):
        losses.rows[f"a text of more than {MAX_CELL:,} characters, or with NUL, in a cell"] += 1
        return None
    try:
        back = understood({n: v for n, v in cells.items() if v}, Recipe(format, tables=True), Notes())[0].fields
    except Unfit as exc:
        losses.rows[exc.message] += 1
        return None
    lost = {name: value for name, value in fields.items() if back[name] != value}
    if bare:
        losses.fields.update(lost.keys())
        return cells
    told = canonical_bytes(lost).decode() if lost else ""
    if len(told) > MAX_CELL:
        losses.rows[f"more than {MAX_CELL:,} characters beside the cells"] += 1
        return None
    return cells | ({OURS: told} if lost else {})
