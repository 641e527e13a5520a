"""Agreement on every question of a set of labels."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.labelling.agreement import Agreement
from workbench.labelling.agreement_of_ratings import rating_agreements
from workbench.labelling.agreement_of_spans import span_agreement
from workbench.labelling.questions import Question, SpanQuestion
from workbench.labelling.resolving import Resolved
from workbench.records import Label, Record


def agreements(
    labels: Sequence[Label],
    questions: Sequence[Question],
    records: Sequence[Record],
    *,
    adjudicated: Sequence[Resolved] = (),
    seed: int = 0,
) -> tuple[Agreement, ...]:
    """Return the agreement on every question and guideline version, in the order of the questions; of free words none.

    `labels` holds at most one answer per annotator, question and record. Of `adjudicated` only what an adjudicator
    decided counts. Answers under two guideline versions answer two questions and are never pooled.
    """
    found: list[Agreement] = []
    for question in questions:
        asked = [label for label in labels if label.question == question.name]
        for guideline in sorted({label.guideline for label in asked}):
            given: dict[str, list[Label]] = {}
            for label in asked:
                if label.guideline == guideline:
                    given.setdefault(label.record_id, []).append(label)
            known = [record for record in records if record.id in given]
            answers = [given[record.id] for record in known]
            truth = {
                one.record_id: one.value
                for one in adjudicated
                if (one.question, one.guideline, one.by) == (question.name, guideline, "adjudicated")
            }
            right = [truth.get(record.id) for record in known]
            if isinstance(question, SpanQuestion):
                found.append(span_agreement(question.name, guideline, known, answers, right, seed=seed))
            else:
                found += rating_agreements(question, guideline, known, answers, right, seed=seed)
    return tuple(found)
