"""Disagreements as a queue of their own: record, questions, what was answered without names; a reason is asked for."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from workbench.labelling.questions import MultiLabelQuestion, Question, TextQuestion, WithOptions
from workbench.labelling.resolving import Decision, disagree
from workbench.labelling.server import About
from workbench.labelling.tasks import Task, blinded_order
from workbench.labelling.templates import Form, ShownField
from workbench.labelling.wire import Value, blinded
from workbench.records import Label, Ranked, Span

SUFFIX = "-adjudication"
"""What a queue's name ends in."""
ANSWERS = "answers"
REASON = "adjudication_reason"
GUIDELINES = """# Adjudication

The answers were given by different people; who they were is not shown, and their order is shuffled. Decide each
question by the guidelines, not by counting. A reason is asked for: it tells whether the guidelines need repair.

---

"""


def disagreements(labels: Iterable[Label], form: Form) -> dict[str, list[str]]:
    """Return the questions on which people differ, by record; free words are no disagreement by themselves."""
    given: dict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in labels:
        given[label.record_id, label.question].append(label)
    found: dict[str, list[str]] = {}
    for (record, name), answers in given.items():
        question = form.question(name)
        if question is not None and not isinstance(question, TextQuestion) and disagree(answers):
            found.setdefault(record, []).append(name)
    return found


def queue(tasks: Sequence[Task], labels: Sequence[Label], about: About, source: str) -> tuple[list[Task], About]:
    """Return the records on which people differ, with their answers, and the queue's form; each needs one decision."""
    differ = disagreements(labels, about.form)
    given: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        given[label.record_id].append(label)
    queued = [_queued(task, given[task.id], differ[task.id], about) for task in tasks if task.id in differ]
    return queued, about.model_copy(update={"form": _form(about.form), "overlap": 1, "source": source})


def decisions(labels: Iterable[Label], form: Form) -> list[Decision]:
    """Return what was decided in a queue whose form is `form`; the reason goes with every question of its record."""
    of = list(labels)
    reasons = {label.record_id: str(label.value) for label in of if label.question == REASON}
    version = form.version.removesuffix(SUFFIX)
    return [
        Decision(label=label.model_copy(update={"guideline": version}), reason=reasons.get(label.record_id, ""))
        for label in of
        if label.question != REASON
    ]


def _form(form: Form) -> Form:
    answers = ShownField(name=ANSWERS, title="What was answered", show="shown", key=ANSWERS)
    reason = TextQuestion(kind="text", name=REASON, title="Why did you decide so?")
    return form.model_copy(
        update={
            "version": f"{form.version}{SUFFIX}",
            "guidelines": (GUIDELINES + form.guidelines)[:9_500],
            "fields": (*form.fields, answers),
            "questions": (*form.questions, reason),
        }
    )


def _queued(task: Task, labels: Sequence[Label], differ: Sequence[str], about: About) -> Task:
    """Return a record with the answers to it, in an order that depends on the record alone."""

    order = blinded_order(about.seed, task.id, about.form.candidates)
    people = sorted({label.annotator for label in labels}, key=lambda name: _lot(task.id, name))
    number = {name: n for n, name in enumerate(people, 1)}
    parts = []
    for question in about.form.questions:
        mine = sorted((x for x in labels if x.question == question.name), key=lambda x: number[x.annotator])
        if mine:
            mark = "  (they differ)" if question.name in differ else ""
            lines = [f"  Person {number[x.annotator]}: {_told(x.value, question, task, order)}" for x in mine]
            parts.append("\n".join([f"{question.title}{mark}", *lines]))
    return task.model_copy(update={"shown": {**task.shown, ANSWERS: "\n\n".join(parts)}, "suggestions": ()})


def _told(value: Value, question: Question, task: Task, order: Sequence[int]) -> str:
    """Return an answer in the words that its annotator saw."""
    seen = blinded(value, question, order) if len(order) > 1 else value
    titles = {o.value: o.title or o.value for o in question.options} if isinstance(question, WithOptions) else {}
    if not isinstance(seen, tuple):
        return titles.get(str(seen), str(seen))
    if not seen:
        return "nothing"
    if isinstance(question, MultiLabelQuestion):
        return ", ".join(titles.get(str(word), str(word)) for word in seen)
    return "; ".join(_item(item, titles, task) for item in seen)


def _item(item: str | Span | Ranked, titles: dict[str, str], task: Task) -> str:
    if isinstance(item, Span):
        text = task.outputs[0][item.start : item.end] if task.outputs else ""
        return f"“{text}” {titles.get(item.label, item.label)}"
    if isinstance(item, Ranked):
        return f"{item.rank}. {titles.get(item.value, item.value)}"
    return titles.get(item, item)


def _lot(record: str, name: str) -> bytes:
    return hashlib.sha256(f"{record}\0{name}".encode("utf-8", "surrogatepass")).digest()
