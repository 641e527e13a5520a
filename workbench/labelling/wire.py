"""Argilla's JSON: fields, questions, suggestions and answers, each way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from workbench.labelling.page_text import MARKUP, escaped, padded, page_places, unescaped, unpadded
from workbench.labelling.questions import (
    LabelQuestion,
    MultiLabelQuestion,
    Option,
    Question,
    RankingQuestion,
    RatingQuestion,
    SpanQuestion,
    TextQuestion,
    WithOptions,
)
from workbench.labelling.tasks import Suggestion
from workbench.labelling.templates import Form, ShownField
from workbench.records import Label, Ranked, Span

Value = str | int | float | tuple[str, ...] | tuple[Span, ...] | tuple[Ranked, ...]
VISIBLE = 20
"""Options that are shown before they are folded away."""


def field_json(field: ShownField) -> dict[str, Any]:
    """Return a field's settings: plain text and plain chats, never Markdown."""
    settings = {"type": "chat" if field.show == "chat" else "text", "use_markdown": False}
    return {"name": field.name, "title": field.title, "required": field.required, "settings": settings}


def question_json(question: Question) -> dict[str, Any]:
    """Return a question's settings."""
    told = {"name": question.name, "title": question.title, "required": question.required}
    return (
        told
        | ({"description": question.description} if question.description else {})
        | {"settings": _settings(question)}
    )


def shown_json(fields: Mapping[str, Any], marked: Collection[str]) -> dict[str, Any]:
    """Return the texts and chats of a record as the page takes them; those to be `marked` are padded."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, str):
            found[name] = escaped(padded(value) if name in marked else value)
        else:
            found[name] = [message | {"content": escaped(message["content"])} for message in value]
    return found


def marked_text(shown: str) -> str:
    """Return the text that was marked, from what the page was given."""
    return unpadded(unescaped(shown))


def suggestion_json(suggestion: Suggestion, question: Question, text: str) -> dict[str, Any]:
    """Return a suggestion; `text` is the field that its spans mark."""
    told: dict[str, Any] = {"value": value_json(suggestion.value, question, text), "agent": suggestion.agent}
    return told | {"type": "model"} | ({} if suggestion.score is None else {"score": suggestion.score})


def value_json(value: Value, question: Question, text: str) -> Any:
    """Return an answer as Argilla writes it."""
    if isinstance(question, SpanQuestion) and isinstance(value, tuple):
        place = page_places(text)
        spans = [span for span in value if isinstance(span, Span)]
        return [{"start": place[s.start], "end": place[s.end], "label": s.label} for s in spans]
    if isinstance(value, tuple):
        return [item if isinstance(item, str) else item.model_dump() for item in value]
    return value


def answer_value(raw: Any, question: Question, text: str) -> Value:
    """Return an answer from Argilla's JSON. Raises `ValueError` for what the question does not know."""
    match question:
        case SpanQuestion():
            return _spans(raw, text)
        case RankingQuestion():
            return tuple(Ranked(value=item["value"], rank=item["rank"]) for item in raw)
        case MultiLabelQuestion():
            return tuple(str(item) for item in raw)
        case RatingQuestion():
            return int(raw)
        case TextQuestion():
            return unescaped(str(raw))
        case _:
            return str(raw)


def unblinded(value: Value, question: Question, order: Sequence[int]) -> Value:
    """Return an answer about candidates with outputs by number in place of letters."""
    names = {option.value: str(place + 1) for option, place in zip(_own(question), order, strict=False)}
    return _renamed(value, names)


def blinded(value: Value, question: Question, order: Sequence[int]) -> Value:
    """Return an answer about outputs with letters in place of numbers."""
    names = {str(place + 1): option.value for option, place in zip(_own(question), order, strict=False)}
    return _renamed(value, names)


def fits(label: Label | Suggestion, form: Form) -> str:
    """Return what is wrong with an answer under a form, or nothing; candidates are named by number."""
    question = form.question(label.question)
    if question is None:
        return f"the template has no question '{label.question}'; it has: {', '.join(q.name for q in form.questions)}"
    known = {option.value for option in question.options} if isinstance(question, WithOptions) else set()
    if isinstance(question, WithOptions) and question.options_from == "candidates":
        known = {str(n + 1) for n in range(form.candidates)} | {o.value for o in question.options[form.candidates :]}
    value, words = label.value, _words(label.value)
    right = {
        "label": isinstance(value, str), "text": isinstance(value, str),
        "rating": isinstance(value, int) and not isinstance(value, bool),
        "multi_label": isinstance(value, tuple) and all(isinstance(v, str) for v in value),
        "span": isinstance(value, tuple) and all(isinstance(v, Span) for v in value),
        "ranking": isinstance(value, tuple) and all(isinstance(v, Ranked) for v in value),
    }[question.kind]  # fmt: skip
    if not right:
        return f"question '{question.name}' of kind {question.kind} cannot be answered with {value!r}"
    if question.kind != "text" and (odd := [word for word in words if word not in known]):
        return f"'{odd[0]}' is no answer to '{question.name}'; answers: {', '.join(sorted(known))}"
    if isinstance(question, RatingQuestion) and isinstance(value, int) and not question.low <= value <= question.high:
        return f"{value} lies outside {question.low} to {question.high} of '{question.name}'"
    return ""


def _words(value: Value) -> list[str]:
    """Return the options that an answer names."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, tuple):
        return []
    return [v if isinstance(v, str) else v.label if isinstance(v, Span) else v.value for v in value]


def _renamed(value: Value, names: dict[str, str]) -> Value:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, tuple) and value and isinstance(value[0], Ranked):
        ranked = [item for item in value if isinstance(item, Ranked)]
        return tuple(Ranked(value=names.get(item.value, item.value), rank=item.rank) for item in ranked)
    return value


def _own(question: Question) -> tuple[Option, ...]:
    """Return the options that stand for candidates."""
    return question.options if isinstance(question, WithOptions) and question.options_from == "candidates" else ()


def _settings(question: Question) -> dict[str, Any]:
    """Return the part of a question's settings that depends on its kind."""
    match question:
        case RatingQuestion():
            return {"type": "rating", "options": [{"value": n} for n in range(question.low, question.high + 1)]}
        case LabelQuestion():
            return {"type": "label_selection"} | _choices(question)
        case MultiLabelQuestion():
            return {"type": "multi_label_selection", "options_order": "natural"} | _choices(question)
        case RankingQuestion():
            return {"type": "ranking", "options": _options(question)}
        case SpanQuestion():
            spans = {"type": "span", "field": question.field, "allow_overlapping": question.overlapping}
            return spans | _choices(question)
        case _:
            return {"type": "text", "use_markdown": False}


def _choices(question: WithOptions) -> dict[str, Any]:
    shown = min(VISIBLE, len(question.options))
    return {"options": _options(question)} | ({"visible_options": shown} if shown >= 3 else {})


def _options(question: WithOptions) -> list[dict[str, str]]:
    found = []
    for option in question.options:
        told = {"value": option.value, "text": option.title or option.value}
        found.append(told | ({"description": option.description} if option.description else {}))
    return found


def _spans(raw: Any, text: str) -> tuple[Span, ...]:
    """Return spans in code points; what reaches into the padding ends with the text."""
    places = page_places(text)
    point = {unit: at for at, unit in enumerate(places)}
    point |= {places[found.end()] - 1: found.end() for found in MARKUP.finditer(text)}  # before the invisible character
    spans = []
    for item in raw:
        start, end = item["start"], min(item["end"], places[-1])
        if start not in point or end not in point or item["end"] > page_places(padded(text))[-1]:
            raise ValueError(f"span {item['start']} to {item['end']} does not lie within the text, or cuts a character")
        if point[start] < point[end]:
            spans.append(Span(start=point[start], end=point[end], label=item["label"]))
    return tuple(sorted(spans, key=lambda s: (s.start, s.end, s.label)))
