"""Simulated annotators: programs that answer in people's place with a stated error rate, so that the loop can be shown.

They read what the labelling page shows, and beside it they know the accepted answers. Nobody should take what they say
for what people say: their names begin with `simulated`, and so every label, pair and conversation tells who made it.

| asked | says | errs, with the stated chance |
|---|---|---|
| which of two is better | the one of higher `quality`; equal ones tie | one of the other choices |
| a ranking | the same, best first | two answers of different rank change places |
| `response_edit` | right: keep; else the accepted answer | a wrong one is kept, a passage's line for a right one |
| `rag_review` | pass where right, else fail, mode and correction | the other verdict |
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import LabellingError
from workbench.labelling.page_text import unescaped
from workbench.labelling.questions import WithOptions
from workbench.labelling.templates import Form, ShownField
from workbench.scoring.normalise import squad
from workbench.scoring.text import token_f1

Truth = Mapping[str, tuple[str, ...]]
"""The accepted answers, by what the user asks last."""
CLEARLY = 0.5
"""Difference of `quality` from which one answer is clearly better."""
ABSTAINS = "not in the documents"
"""How an accepted answer says, normalised, that the passages hold none."""
REASON = "Simulated: decided by the evalset's accepted answers, with the stated error rate."


@dataclass(frozen=True)
class SimulatedAnnotator:
    """A program in an annotator's place; the same name, seed and record always give the same answer."""

    name: str
    """User name on the server; begins with `simulated`."""
    error: float
    """Chance, from 0 to 1, that an answer to a record is wrong."""
    seed: int = 0
    """Seed of which answers are wrong, and how."""

    def __post_init__(self) -> None:
        if not self.name.startswith("simulated") or not 0 <= self.error <= 1:
            raise ValueError(
                f"a simulated annotator is called simulated… and errs from 0 to 1: {self.name} {self.error}"
            )

    def errs(self, record: str) -> bool:
        """Return whether its answer to a record is a wrong one."""
        return self._draw(record).random() < self.error

    def answer(self, record: str, form: Form, fields: Mapping[str, Any], truth: Truth) -> dict[str, Any]:
        """Return the values it submits, by question, as the page would. Raises `LabellingError` for what it knows not.

        `fields` are those of the page, texts escaped; candidates are named by the letters that the page shows.
        """
        page = _Page(record, form, fields)
        accepted = truth.get(page.asked())
        if accepted is None:
            raise LabellingError(
                f"{self.name} knows no accepted answer to the record '{record}'; give it the evalset's"
            )
        draw = self._draw(record)
        errs = draw.random() < self.error
        if form.candidates > 1:
            given = _compared(page, accepted, errs, draw)
        elif form.question("edited") is not None:
            given = _edited(page, accepted, errs)
        elif form.question("corrected") is not None:
            given = _reviewed(page, accepted, errs)
        else:
            raise LabellingError(f"{self.name} answers preference, response_edit and rag_review, not {form.version}")
        return given | ({"adjudication_reason": REASON} if form.question("adjudication_reason") else {})

    def _draw(self, record: str) -> random.Random:
        return random.Random(f"{self.seed}\0{self.name}\0{record}")


@dataclass(frozen=True)
class _Page:
    """What the page shows of a record."""

    record: str
    form: Form
    fields: Mapping[str, Any]

    def asked(self) -> str:
        """Return what the user asks last."""
        chat = next(self.fields[field.name] for field in self.form.fields if field.show == "chat")
        return unescaped(chat[-1]["content"])

    def texts(self, show: str) -> list[str]:
        """Return the texts of the fields that show this part of the record, from top to bottom."""
        return [unescaped(self.fields[field.name]).rstrip() for field in self._fields(show)]

    def _fields(self, show: str) -> list[ShownField]:
        return [field for field in self.form.fields if field.show == show and field.name in self.fields]


def quality(answer: str, accepted: Sequence[str]) -> float:
    """Return how good an answer is: 1 where it is an accepted one, else 0.9 of its token F1 with the nearest."""
    return 1.0 if right(answer, accepted) else 0.9 * max((token_f1(answer, gold) for gold in accepted), default=0.0)


def right(answer: str, accepted: Sequence[str]) -> bool:
    """Return whether an answer is an accepted one, form and all."""
    return any(answer.strip() == gold.strip() for gold in accepted)


# ---------------------------------------------------------------- several answers


def _compared(page: _Page, accepted: Sequence[str], errs: bool, draw: random.Random) -> dict[str, Any]:
    marks = [quality(text, accepted) for text in page.texts("candidates")]
    question = page.form.question("ranking") or page.form.question("preferred")
    assert isinstance(question, WithOptions)  # the template says so
    letters = [option.value for option in question.options][: len(marks)]
    if question.name == "ranking":
        ranks = _erring(_ranks(marks), draw) if errs else _ranks(marks)
        told = [{"value": letter, "rank": rank} for letter, rank in zip(letters, ranks, strict=True)]
        first, second = sorted(marks, reverse=True)[:2]
        return {"ranking": told} | ({} if first == second else {"strength": _strength(first - second)})
    best = "tie" if marks[0] == marks[1] else letters[marks.index(max(marks))]
    said = draw.choice([choice for choice in (*letters, "tie") if choice != best]) if errs else best
    return {"preferred": said} | ({} if said == "tie" else {"strength": _strength(abs(marks[0] - marks[1]))})


def _ranks(marks: Sequence[float]) -> list[int]:
    """Return the place of each, 1 the best; equal ones share it."""
    return [1 + sum(other > mark for other in marks) for mark in marks]


def _erring(ranks: list[int], draw: random.Random) -> list[int]:
    """Return a ranking in which two of different rank changed places; of a tie of all, one is put behind."""
    differ = [(a, b) for a in range(len(ranks)) for b in range(a) if ranks[a] != ranks[b]]
    wrong = list(ranks)
    if differ:
        a, b = draw.choice(differ)
        wrong[a], wrong[b] = ranks[b], ranks[a]
    else:
        wrong[draw.randrange(len(ranks))] = 2
    return wrong


def _strength(difference: float) -> str:
    return "clearly" if difference >= CLEARLY else "slightly"


# ---------------------------------------------------------------- one answer


def _edited(page: _Page, accepted: Sequence[str], errs: bool) -> dict[str, Any]:
    answer = page.texts("output")[0]
    good = right(answer, accepted)
    if good != errs:
        return {"verdict": "keep"}
    if good:
        return {"verdict": "edited", "edited": _line_of_a_passage(page), "changed": ["facts"]}
    return {
        "verdict": "edited",
        "edited": accepted[0],
        "changed": ["form" if _same_fact(answer, accepted) else "facts"],
    }


def _reviewed(page: _Page, accepted: Sequence[str], errs: bool) -> dict[str, Any]:
    answer = page.texts("output")[0]
    if right(answer, accepted) != errs:
        return {"verdict": "pass"}
    if errs:
        return {"verdict": "fail", "failure_modes": ["other"], "note": "Simulated: an error."}
    return {"verdict": "fail", "failure_modes": [_mode(answer, accepted)], "corrected": accepted[0]}


def _mode(answer: str, accepted: Sequence[str]) -> str:
    """Return the failure mode of a wrong answer, by the project's taxonomy."""
    if squad(accepted[0]) == squad(ABSTAINS):
        return "should_have_abstained"
    if squad(answer) == squad(ABSTAINS):
        return "wrongly_abstained"
    return "wrong_format" if _same_fact(answer, accepted) else "context_ignored"


def _same_fact(answer: str, accepted: Sequence[str]) -> bool:
    return any(squad(gold) in squad(answer) or squad(answer) == squad(gold) for gold in accepted)


def _line_of_a_passage(page: _Page) -> str:
    """Return what somebody pastes who looked in the wrong place."""
    lines = [line for text in page.texts("passages") for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "See the manual."
