"""Records that Argilla's own client exported: nested (`to_json`, `to_disk`) or flat (`to_datasets`).

Nested exports do not say which answers were drafts; the flat ones do, and only submitted answers are taken from them.
What this project pulled itself needs no import: `workbench label pull` keeps it with all it knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.curation.formats.format import Fields, Format, Notes, Unfit, shown_kind
from workbench.curation.formats.questions import contexts_of
from workbench.curation.formats.turns import turns_of

CHATS = ("messages", "chat", "conversation", "conversations", "prompt")
PROMPTS = ("prompt", "question", "instruction", "query", "input", "text")
OUTPUTS = ("response", "answer", "output", "completion", "generation")
NUMBERED = tuple(
    f"{name}{joint}{mark}"
    for name in OUTPUTS
    for joint in ("_", "-", "")
    for mark in ("1", "2", "3", "4", "a", "b", "c", "d")
)
REFERENCES = ("reference", "ground_truth", "expected")
GUIDELINE = "argilla-export/1"
"""What labels carry as their guideline: an export does not hold it."""


def read(row: Fields, notes: Notes) -> Fields:
    """Return a record's fields, with `labels` for its answers."""
    nested = isinstance(row.get("fields"), dict)
    shown: Fields = {k: v for k, v in (row["fields"] if nested else row).items() if v is not None}
    found: Fields = {"messages": _prompt(shown, notes), "contexts": contexts_of(shown)}
    found["outputs"] = [shown[n] for n in (*OUTPUTS, *NUMBERED) if isinstance(shown.get(n), str)]
    found["reference"] = next((shown[n] for n in REFERENCES if isinstance(shown.get(n), str)), None)
    if nested and isinstance(row.get("metadata"), dict):
        found["tags"] = {str(k): str(v) for k, v in row["metadata"].items() if isinstance(v, str | int | float)}
    found["labels"] = list(_nested(row, notes) if nested else _flat(row, notes))
    return found


def _prompt(shown: Fields, notes: Notes) -> list[Fields]:
    for name in CHATS:
        if isinstance(shown.get(name), list):
            turns = turns_of(shown[name], name, notes)
            return [{"role": one["role"], "content": one["content"]} for one in turns]
    asked = next((n for n in PROMPTS if isinstance(shown.get(n), str) and shown[n].strip()), None)
    if asked is None:
        fix = f"one of: {', '.join(PROMPTS)}, or a chat"
        raise Unfit("PROMPT_EMPTY", "no field of the record holds a prompt", "fields", ", ".join(shown), fix)
    return [{"role": "user", "content": shown[asked]}]


def _nested(row: Fields, notes: Notes) -> Iterator[Fields]:
    given = row.get("responses") or {}
    if not isinstance(given, dict):
        raise Unfit("FIELD_TYPE", "should be an object of answers", "responses", shown_kind(given))
    for question, answers in given.items():
        for answer in answers or []:
            status = answer.get("status")
            if status is None:
                notes["STATUS_UNKNOWN"] += 1
            if status in (None, "submitted"):
                yield _label(question, answer.get("value"), answer.get("user_id"))
            else:
                notes["NOT_SUBMITTED"] += 1


def _flat(row: Fields, notes: Notes) -> Iterator[Fields]:
    for column, values in row.items():
        if not column.endswith(".responses") or not isinstance(values, list):
            continue
        people, states = row.get(f"{column}.users") or [], row.get(f"{column}.status") or []
        for at, value in enumerate(values):
            if at < len(states) and states[at] != "submitted":
                notes["NOT_SUBMITTED"] += 1
            else:
                yield _label(column.removesuffix(".responses"), value, people[at] if at < len(people) else None)


def _label(question: str, value: Any, person: Any) -> Fields:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = [{k: v for k, v in one.items() if k in ("value", "rank", "start", "end", "label")} for one in value]
    return {
        "question": question,
        "value": value,
        "annotator": str(person or "unknown"),
        "guideline": GUIDELINE,
        "at": "",
    }


def _looks(row: Fields) -> bool:
    if isinstance(row.get("fields"), dict):
        return "responses" in row or "suggestions" in row
    return any(name.endswith((".responses", ".suggestion")) for name in row)


ARGILLA = Format(
    "argilla", "records", "an export of Argilla: `fields` and `responses`", _looks, read,
    frozenset({"fields", "metadata", "responses", "suggestions", "vectors", "status", "_server_id", "inserted_at",
               "updated_at", *CHATS, *PROMPTS, *OUTPUTS, *NUMBERED, *REFERENCES, "contexts", "context"}),
)  # fmt: skip
