"""Production feedback: a log of what was asked and answered, with thumbs, ratings, comments and corrections."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from workbench.curation.formats.format import (
    Fields,
    Format,
    Notes,
    Unfit,
    present,
    prompt_text,
    shown_kind,
    text_of,
    thumb_of,
)
from workbench.curation.formats.questions import contexts_of
from workbench.curation.formats.turns import turns_of

PROMPTS = ("messages", "prompt", "question", "input", "query")
ANSWERS = ("response", "output", "answer", "completion")
THUMBS = ("feedback", "thumb", "thumbs", "thumbs_up", "liked")
RATINGS = ("rating", "stars")
REASONS = ("comment", "feedback_text", "reason")
CORRECTIONS = ("correction", "corrected", "edited", "corrected_response")
TIMES = ("timestamp", "created_at", "time", "at")
PEOPLE = ("user", "user_id", "annotator")
GUIDELINE = "feedback/1"
"""What labels of users carry as their guideline: nobody gave them one."""
SPLIT = 10**11
"""Seconds since 1970 are smaller until the year 5138; larger numbers are milliseconds."""


def read(row: Fields, notes: Notes) -> Fields:
    """Return a record's fields, with `labels` for what its user said of it."""
    messages, answer = _prompt(row, notes), present(row, ANSWERS)
    found: Fields = {"messages": messages, "outputs": [] if answer is None else [text_of(row, ANSWERS)]}
    if contexts := contexts_of(row):
        found["contexts"] = contexts
    said = list(_said(row))
    if answer is None and said:
        raise Unfit("FIELD_MISSING", "feedback on an answer that is not there", "response")
    at = _time(row) if said else ""
    person = present(row, PEOPLE)
    who = "user" if person is None else str(row[person])
    found["labels"] = [
        {"question": name, "value": value, "annotator": who, "guideline": GUIDELINE, "at": at} for name, value in said
    ]
    return found


def _prompt(row: Fields, notes: Notes) -> list[Fields]:
    name = present(row, PROMPTS)
    value: Any = row.get(name or "")
    if isinstance(value, list):
        turns = turns_of(value, str(name), notes)
        return [{"role": one["role"], "content": one["content"]} for one in turns]
    return [{"role": "user", "content": prompt_text(text_of(row, PROMPTS), str(name))}]


def _said(row: Fields) -> Any:
    """Yield question and value of each thing that a user said, in the words of the templates of those names."""
    if (name := present(row, THUMBS)) is not None:
        yield "thumb", "up" if thumb_of(row[name], name) else "down"
    if (name := present(row, RATINGS)) is not None:
        yield "rating", _rating(row[name], name)
    if (name := present(row, REASONS)) is not None and text_of(row, [name]).strip():
        yield "reason", text_of(row, [name])
    if (name := present(row, CORRECTIONS)) is not None and text_of(row, [name]).strip():
        yield "edited", text_of(row, [name])


def _rating(value: Any, field: str) -> int:
    """Return a whole number from 1 to 5; a cell of a table may spell it in digits."""
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 3 else value
    if type(number) is bool or type(number) is not int:
        raise Unfit("FIELD_TYPE", "a rating must be a whole number", field, shown_kind(value), "write a number")
    if not 1 <= number <= 5:
        raise Unfit("LABEL_SCALE", "the rating is outside the scale 1 to 5", field, repr(value), "map it to 1 to 5")
    return number


def _time(row: Fields) -> str:
    """Return when, as ISO 8601 in UTC. Raises `Unfit` for a time without a zone."""
    name = present(row, TIMES)
    value = row.get(name or "")
    if name is None:
        fix = "write 2026-01-31T12:00:00Z, or seconds since 1970"
        raise Unfit("FIELD_MISSING", "feedback says when it was given", "timestamp", None, fix)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _moment(float(value), name)
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError as exc:
        fix = "write 2026-01-31T12:00:00Z"
        raise Unfit("TIME_FORMAT", "this is no ISO 8601 time", name, repr(value), fix) from exc
    if time.tzinfo is None:
        raise Unfit("TIME_NAIVE", "the time has no zone", name, repr(value), "add Z or an offset")
    return time.astimezone(UTC).isoformat()


def _moment(value: float, name: str) -> str:
    try:
        return datetime.fromtimestamp(value if abs(value) < SPLIT else value / 1000, UTC).isoformat()
    except (OverflowError, ValueError, OSError) as exc:
        raise Unfit("TIME_FORMAT", "this number is no time", name, repr(value), "seconds since 1970") from exc


def _looks(row: Fields) -> bool:
    if not present(row, PROMPTS) or {"outputs", "chosen", "lineage"} & row.keys():
        return False
    said = present(row, (*THUMBS, *RATINGS, *CORRECTIONS))
    return bool(present(row, ANSWERS)) and bool(said or present(row, TIMES)) and "conversations" not in row


FEEDBACK = Format(
    "feedback", "records", "a log: a prompt, a `response`, and `feedback`, `rating` or a time", _looks, read,
    frozenset({*PROMPTS, *ANSWERS, *THUMBS, *RATINGS, *REASONS, *CORRECTIONS, *TIMES, *PEOPLE, "contexts", "context"}),
)  # fmt: skip
