"""A RAG system's answers: question, contexts, answer, and a reference where there is one. They become records."""

from __future__ import annotations

from workbench.curation.formats.format import Fields, Format, Notes, present, text_of
from workbench.curation.formats.questions import ANSWERS, CONTEXTS, QUESTIONS, asked, contexts_of, references_of

REFERENCES = ("reference", "ground_truth", "references", "ground_truths")


def read(row: Fields, notes: Notes) -> Fields:
    """Return a record's fields."""
    references = references_of(row, REFERENCES)
    if len(references) > 1:
        notes["LATER_REFERENCES"] += 1
    return {
        "messages": asked(row, notes),
        "outputs": [text_of(row, ANSWERS)],
        "contexts": contexts_of(row),
        "reference": next(iter(references), None),
    }


def write(fields: Fields) -> Fields:
    """Return a row in ragas' words."""
    row = {"question": fields["messages"][-1]["content"], "answer": fields["outputs"][0] if fields["outputs"] else ""}
    row |= {"contexts": [one["text"] for one in fields["contexts"]]} if fields["contexts"] else {}
    return row | ({} if fields["reference"] is None else {"reference": fields["reference"]})


def _looks(row: Fields) -> bool:
    if {
        "messages",
        "conversations",
        "chosen",
        "response_1",
        "response_a",
        "timestamp",
        "feedback",
        "outputs",
    } & row.keys():
        return False
    given = present(row, CONTEXTS) or present(row, REFERENCES)
    return any(isinstance(row.get(q), str) for q in QUESTIONS) and bool(given) and present(row, ANSWERS) is not None


RECORDS = Format(
    "rag", "records", "`question`, `answer`, and `contexts` or `reference`", _looks, read,
    frozenset({*QUESTIONS, *ANSWERS, *CONTEXTS, *REFERENCES, "system"}), write,
)  # fmt: skip
