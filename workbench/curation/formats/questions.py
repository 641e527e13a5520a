"""Questions with accepted answers: SQuAD, MT-bench, spreadsheets. With a model's answer they are `answers.py`'s."""

from __future__ import annotations

from typing import Any

from workbench.curation.formats.format import Fields, Format, Notes, Unfit, present, prompt_text, shown_kind, text_of
from workbench.nouns import fingerprint

QUESTIONS = ("question", "query", "user_input")
REFERENCES = ("reference", "references", "ground_truth", "ground_truths", "answers")
ANSWERS = ("answer", "response")
CONTEXTS = ("contexts", "context", "retrieved_contexts", "passages", "documents")
GOLD = ("doc_id", "gold_contexts", "gold_ids")


def read(row: Fields, notes: Notes) -> Fields:
    """Return a sample's fields. `answer` is an accepted answer here."""
    found: Fields = {"messages": asked(row, notes)}
    if references := references_of(row, (*REFERENCES, *ANSWERS)):
        found["references"] = references
    if contexts := contexts_of(row):
        found["contexts"] = contexts
    if (name := present(row, GOLD)) is not None:
        ids = row[name] if isinstance(row[name], list) else [row[name]]
        if not all(isinstance(one, str) for one in ids):
            raise Unfit("FIELD_TYPE", "should be ids", name, shown_kind(row[name]))
        found["gold_contexts"] = ids
    return found


def asked(row: Fields, notes: Notes) -> list[Fields]:
    """Return the prompt's messages. Of MT-bench's `turns` only the first can be asked: the next needs its answer."""
    if isinstance(row.get("turns"), list) and row["turns"]:
        if len(row["turns"]) > 1:
            notes["LATER_TURNS"] += 1
        first = row["turns"][0]
        if not isinstance(first, str):
            raise Unfit("FIELD_TYPE", "should be a list of texts", "turns", shown_kind(row["turns"]))
        return [{"role": "user", "content": prompt_text(first, "turns[0]")}]
    question = prompt_text(text_of(row, QUESTIONS), str(present(row, QUESTIONS)))
    system = text_of(row, ["system"], "")
    said = [{"role": "user", "content": question}]
    return [{"role": "system", "content": system}, *said] if system else said


def references_of(row: Fields, names: tuple[str, ...]) -> list[str]:
    """Return accepted answers, each once, in order: of texts, of lists, of SQuAD's spans."""
    name = present(row, names)
    given: Any = [] if name is None else row[name]
    if isinstance(given, dict) and isinstance(given.get("text"), list):  # SQuAD's on the Hub
        given = given["text"]
    given = given if isinstance(given, list) else [given]
    found = [one.get("text") if isinstance(one, dict) else one for one in given]
    if "turns" in row:
        found = found[:1]  # the first turn's
    for one in found:
        if not isinstance(one, str):
            raise Unfit("FIELD_TYPE", "should be texts", str(name), shown_kind(row[name or ""]))
    return list(dict.fromkeys(one for one in found if isinstance(one, str)))


def contexts_of(row: Fields) -> list[Fields]:
    """Return passages: texts, or objects with a text; one without an id is named by its content."""
    name = present(row, CONTEXTS)
    given: Any = [] if name is None else row[name]
    return [_passage(one, f"{name}[{at}]") for at, one in enumerate(given if isinstance(given, list) else [given])]


def write(fields: Fields) -> Fields:
    """Return a flat row; a prompt is a question with or without a system's words before it."""
    turns = list(fields["messages"])
    row: Fields = {}
    if turns[0]["role"] == "system":
        row["system"] = turns.pop(0)["content"]
    if len(turns) != 1:
        raise Unfit("CANNOT_HOLD", "a prompt of several turns", "messages")
    row = {"question": turns[0]["content"], **row}
    if fields["references"]:
        row["reference"] = fields["references"][0] if len(fields["references"]) == 1 else fields["references"]
    for name in ("contexts", "gold_contexts"):
        if fields[name]:
            row[name] = fields[name]
    return row


def _passage(one: Any, field: str) -> Fields:
    if isinstance(one, str):
        return {"id": f"text:{fingerprint(one)[:16]}", "text": one, "score": None}
    text = one.get("text", one.get("content", one.get("page_content"))) if isinstance(one, dict) else None
    if not isinstance(text, str):
        raise Unfit("FIELD_TYPE", "a passage is a text, or an object with a text", field, shown_kind(one))
    id, score = one.get("id", one.get("doc_id")), one.get("score")
    return {
        "id": str(id) if id not in (None, "") else f"text:{fingerprint(text)[:16]}",
        "text": text,
        "score": float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None,
    }


def _looks(row: Fields) -> bool:
    if {"messages", "conversations", "chosen", "response_1", "response_a", "timestamp", "feedback"} & row.keys():
        return False
    if {"answer_a", "answer_1", "output_1", "completion_a"} & row.keys():
        return False
    if isinstance(row.get("turns"), list):
        return True
    given = present(row, CONTEXTS) or present(row, ("reference", "ground_truth", "references", "ground_truths"))
    return any(isinstance(row.get(q), str) for q in QUESTIONS) and not (present(row, ANSWERS) and given)


COLUMNS = frozenset({*QUESTIONS, *REFERENCES, *ANSWERS, *CONTEXTS, *GOLD, "turns", "system"})
SAMPLES = Format("questions", "samples", "`question` with accepted answers", _looks, read, COLUMNS, write)
