"""What a format is: how it is recognised, how a row of it becomes the plain form of a noun, and how that is written.

A reader gives what the row says; `reading.py` adds the id, the tags and the defaults. A writer gives what the format
can say; `writing.py` reads it back and keeps what was lost beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from workbench.curation.formats.usual import Usual

Fields = dict[str, Any]
"""A row as plain data: of a file, or the fields of a noun."""
Notes = Counter[str]
"""What is unusual about rows but accepted, counted by code."""
Kind = Literal["samples", "pairs", "conversations", "records"]
"""What a row becomes; `records` go to the labelled records, the others are datasets."""
OURS = "workbench"
"""Column of exported rows that holds, as JSON text, what the format itself has no place for."""


class Unfit(ValueError):
    """A row that its format does not allow, or that a format cannot hold."""

    def __init__(self, code: str, message: str, field: str = "", got: str | None = None, fix: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.got, self.fix = code, message, field, got, fix


class Dropped(ValueError):
    """A row that is right and yet teaches nothing, such as a tie; it is left out and counted under this code."""


Read = Callable[[Fields, Notes], Fields | list[Fields]]
Write = Callable[[Fields], Fields]


@dataclass(frozen=True)
class Format:
    """One way of writing rows."""

    name: str
    """What `--format` calls it."""
    kind: Kind
    """What a row becomes."""
    sign: str
    """By what it is known, for people."""
    looks: Callable[[Fields], bool]
    """Whether a row looks like it."""
    read: Read
    """Return the noun's fields that a row gives. Raises `Unfit` and `Dropped`."""
    columns: frozenset[str]
    """Columns that `read` uses; of the others, short plain values become tags."""
    write: Write | None = None
    """Return the row that says what the fields say, as far as it can. Raises `Unfit`. `None`: it is only read."""
    strict: bool = False
    """Whether its reader, a service, refuses further columns."""
    usual: Usual | None = None
    """Which of its rows differ from others of their shape by their texts only."""
    flat: bool = False
    """Whether every column is text, so that it can also be a CSV table."""


def text_of(row: Fields, names: Iterable[str], default: str | None = None) -> str:
    """Return the text of the first of these columns that the row has. Raises `Unfit` without one, or no text."""
    name = present(row, names)
    if name is None:
        if default is not None:
            return default
        wanted = " or ".join(f"`{n}`" for n in names)
        raise Unfit("FIELD_MISSING", f"required field is missing: {wanted}", next(iter(names)))
    if type(row[name]) is not str:
        raise Unfit("FIELD_TYPE", "should be a text", name, shown_kind(row[name]))
    return str(row[name])


def present(row: Fields, names: Iterable[str]) -> str | None:
    """Return the first of these columns that holds anything."""
    return next((name for name in names if row.get(name) is not None), None)


def prompt_text(text: str, field: str) -> str:
    """Return a question. Raises `Unfit` where it is blank."""
    if not text.strip():
        raise Unfit("PROMPT_EMPTY", "the prompt is empty", field, None, "write the question into it")
    return text


def shown_kind(value: Any) -> str:
    """Return a value for a message: containers by kind, scalars as they are."""
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    return repr(value)


TRUTHS: dict[str, bool] = {
    "true": True, "up": True, "good": True, "like": True, "liked": True, "positive": True, "thumbs_up": True,
    "👍": True, "thumbsup": True, "desirable": True, "false": False, "down": False, "bad": False, "dislike": False,
    "disliked": False, "negative": False, "thumbs_down": False, "👎": False, "thumbsdown": False, "undesirable": False,
}  # fmt: skip
"""How thumbs are spelled."""


def thumb_of(value: Any, field: str) -> bool:
    """Return a thumb. Raises `Unfit` for what is none; a number is none, for nobody knows its scale."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (found := TRUTHS.get(value.strip().lower())) is not None:
        return found
    fix = "write true or false, up or down"
    raise Unfit("LABEL_VALUE", "this is no thumb", field, shown_kind(value), fix)
