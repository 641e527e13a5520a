"""Two answers to one question and who preferred which: PandaLM, RAGChecker, MT-bench, LMSYS and such."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from workbench.curation.formats.alpaca import asked
from workbench.curation.formats.format import (
    Dropped,
    Fields,
    Format,
    Notes,
    Unfit,
    present,
    shown_kind,
    text_of,
)
from workbench.curation.formats.turns import turn

ANSWERS = (("response_1", "response_2"), ("response_a", "response_b"), ("output_1", "output_2"),
           ("answer_1", "answer_2"), ("answer_a", "answer_b"), ("completion_a", "completion_b"))  # fmt: skip
MODELS = (("model_1", "model_2"), ("model_a", "model_b"))
QUESTIONS = ("instruction", "question", "query", "prompt")
VERDICTS = ("majority", "winner", "preference", "label", "verdict")
FIRST = frozenset({"1", "a", "A", "model_a", "model_1", "first"})
SECOND = frozenset({"2", "b", "B", "model_b", "model_2", "second"})
TIES = frozenset({"0", "tie", "tie (bothbad)", "both_bad", "both_good", "equal", "c", "C"})


def read(row: Fields, notes: Notes) -> Fields:
    """Return a pair's fields. Raises `Dropped` for a tie and for two equal answers."""
    names = _pair(row, ANSWERS)
    if names is None:
        raise Unfit("FIELD_MISSING", "two answers are missing", "response_1")
    sides = [_side(text_of(row, [name]), row, at) for at, name in enumerate(names)]
    preferred, margin = _verdict(row)
    if preferred is None:
        raise Dropped("TIE")
    if sides[0]["messages"] == sides[1]["messages"]:
        raise Dropped("SAME_SIDES")
    return {
        "prompt": [turn("user", asked(row, [present(row, QUESTIONS) or "question"]))],
        "chosen": sides[preferred],
        "rejected": sides[1 - preferred],
        "rule": "pick" if margin is None else "rating",
        "margin": margin,
    }


def _side(text: str, row: Fields, at: int) -> Fields:
    models = _pair(row, MODELS)
    model = row[models[at]] if models else ""
    return {"messages": [turn("assistant", text)], "model": model if isinstance(model, str) else str(model)}


def _verdict(row: Fields) -> tuple[int | None, float | None]:
    """Return which answer is preferred, 0 or 1, `None` for a tie, and by how much."""
    if isinstance(row.get("human"), list):
        return _rated(row["human"])
    name = present(row, VERDICTS)
    if name is None:
        fix = f"one of: {', '.join(VERDICTS)}"
        raise Unfit("FIELD_MISSING", "nothing says which answer is preferred", "label", None, fix)
    said = str(row[name]) if not isinstance(row[name], bool) else ""
    if said in TIES:
        return None, None
    if said not in FIRST | SECOND:
        fix = "write 1, 2 or 0 for a tie; or a, b, tie"
        raise Unfit("LABEL_VALUE", "this names neither answer", name, shown_kind(row[name]), fix)
    return int(said in SECOND), None


def _rated(people: list[Any]) -> tuple[int | None, float | None]:
    """Return the verdict of raters whose `overall` is below 0 where the first answer is better, and its mean size."""
    overall = [person.get("overall") if isinstance(person, dict) else None for person in people]
    if not overall or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in overall):
        raise Unfit("LABEL_VALUE", "every rater says `overall`, a number", "human", shown_kind(people))
    mean = fmean(float(v) for v in overall if v is not None)
    return (None, None) if mean == 0 else (int(mean > 0), abs(mean))


def _pair(row: Fields, names: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
    return next((pair for pair in names if pair[0] in row and pair[1] in row), None)


USED = [name for pairs in (ANSWERS, MODELS) for pair in pairs for name in pair]
COMPARISON = Format(
    "comparison", "pairs", "one question, two answers and a verdict",
    lambda row: _pair(row, ANSWERS) is not None, read,
    frozenset({*USED, *QUESTIONS, *VERDICTS, "input", "human"}),
)  # fmt: skip
