"""Tasks: records as they are put before annotators, with what a model suggests, and how each part is rendered.

Model text is hostile. Every field is pushed as text or chat without Markdown, which would show remote images and
embedded objects of whoever wrote the text, and escaped (`page_text`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from workbench.errors import Problem
from workbench.labelling.page_text import clipped
from workbench.labelling.questions import Name
from workbench.labelling.templates import LETTERS, Form, ShownField
from workbench.nouns import Many, Noun, fingerprint
from workbench.records import Passage, Ranked, Record, Span

NO_TEXT = "(no text)"
"""Shown where a text is empty, so that annotators do not take it for a fault of the page."""
MAX_CHAT_TEXT = 20_000
"""Characters of one chat message that Argilla takes."""
MAX_CHAT = 500
"""Messages of a chat that Argilla takes."""
RULE = "\n\n" + "─" * 24 + "\n\n"
"""Stands between two passages."""
RESERVED = frozenset({"group", "origin", "workbench"})


class Suggestion(Noun):
    """What a model or judge would answer."""

    question: Name
    """The question's name in the template."""
    value: str | int | Many[str] | Many[Span] | Many[Ranked]
    """The answer; candidates are named by the number of the output, from "1"."""
    agent: str = Field(pattern=r"^[a-zA-Z0-9\-_:./\s]*[a-zA-Z0-9][a-zA-Z0-9\-_:./\s]*$", max_length=200)
    """Who suggests: the judge's or model's name and version."""
    score: float | None = Field(None, ge=0, le=1)
    """How sure it is."""


class Task(Record):
    """A record to be labelled. A file of records may be pushed as it is; what is below may be left out."""

    shown: dict[Name, str] = {}
    """Texts to show beside the record, such as a judge's verdict and reason, by key."""
    suggestions: Many[Suggestion] = ()
    """At most one per question."""

    def record(self) -> Record:
        """Return the record alone."""
        return Record.model_validate(self.model_dump(include=set(Record.model_fields)))

    def text(self) -> str:
        """Return question and output as one text, for the vector of "find similar"."""
        return "\n".join((self.messages[-1].content if self.messages else "", *self.outputs))


def blinded_order(seed: str, record_id: str, n: int) -> tuple[int, ...]:
    """Return which output stands at which place: a shuffle that depends on seed and record alone."""
    keys = [
        hashlib.sha256(f"{seed}\0{record_id}\0{place}".encode("utf-8", "surrogatepass")).digest() for place in range(n)
    ]
    return tuple(sorted(range(n), key=lambda place: keys[place]))


def rendered(task: Task, form: Form, order: Sequence[int]) -> dict[str, Any]:
    """Return the fields of a task as the page shows them; a part that the record has not is left out."""
    found = {field.name: _shown(field, task, order) for field in form.fields}
    return {name: value for name, value in found.items() if value is not None}


def faults(task: Task, form: Form) -> list[Problem]:
    """Return why a task cannot be shown under a form; file and line are added by whoever knows them."""
    order = tuple(range(len(task.outputs)))
    found: list[Problem] = []
    if form.candidates > 1 and len(task.outputs) != form.candidates:
        what = f"the record has {len(task.outputs)} outputs, and the dataset compares {form.candidates}"
        found.append(Problem("CANDIDATES", what, field="outputs", got=task.id, fix="push such records apart"))
        return found
    missing = [f for f in form.fields if f.required and _shown(f, task, order) is None]
    for field in missing:
        where = f"shown.{field.key}" if field.show == "shown" else PARTS[field.show]
        what = f"the template shows '{field.name}', and the record has nothing for it"
        found.append(Problem("FIELD_MISSING", what, field=where, got=task.id, fix=f"add `{where}` to the record"))
    if len(task.messages) > MAX_CHAT:
        what = f"a chat of {len(task.messages)} messages; Argilla shows {MAX_CHAT}"
        found.append(Problem("FIELD_VALUE", what, field="messages", got=task.id, fix="shorten it"))
    return found


def content_hash(task: Task, fields: dict[str, Any], suggestions: Sequence[Any]) -> str:
    """Return a hash of all that annotators see of a task and all that is kept of it."""
    return fingerprint([task.model_dump(mode="json", exclude={"suggestions"}), fields, list(suggestions)])


def properties(task: Task) -> dict[str, str]:
    """Return what can be filtered and sorted by in the page: family, origin and every tag."""
    found = {"group": task.group, **({"origin": task.origin} if task.origin else {})}
    return found | {property_name(tag): value for tag, value in task.tags.items()}


def property_name(tag: str) -> str:
    """Return the name that a tag has in the page; names that mean something there are kept free."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", tag)
    return f"tag_{name}" if name in RESERVED else name


PARTS = {"chat": "messages", "question": "messages", "output": "outputs", "candidates": "outputs",
         "passages": "contexts", "reference": "reference"}  # fmt: skip
"""Which part of a record a field shows."""


def _shown(field: ShownField, task: Task, order: Sequence[int]) -> Any:
    """Return what a field shows, or `None`."""
    match field.show:
        case "chat":
            return [
                {"role": m.role, "content": clipped(_visible(m.content), MAX_CHAT_TEXT)} for m in task.messages
            ] or None
        case "question":
            return _visible(task.messages[-1].content) if task.messages else None
        case "output":
            return _visible(task.outputs[0]) if task.outputs else None
        case "candidates":
            place = LETTERS.index(field.name[-1])
            return _visible(task.outputs[order[place]]) if place < len(order) else None
        case "passages":
            return RULE.join(_passage(n, p) for n, p in enumerate(task.contexts, 1)) or None
        case "reference":
            return None if task.reference is None else _visible(task.reference)
        case "shown":
            return _visible(task.shown[field.key]) if field.key in task.shown else None


def _passage(number: int, passage: Passage) -> str:
    score = "" if passage.score is None else f" · score {passage.score:.3g}"
    return f"[{number}] {passage.id}{score}\n\n{_visible(passage.text)}"


def _visible(text: str) -> str:
    return text or NO_TEXT
