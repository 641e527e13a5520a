"""Graded answers for the judge model: right and wrong answers to practice questions, and the reply a judge should give.

The reply copies the judged words and then the reference before the verdict, because a model this small can only
compare two phrases that stand close together.
"""

import json
import random
from dataclasses import dataclass, replace
from pathlib import Path

from demo.language import ABSTENTION, INSTRUCTIONS, Fact, Format, answered, asked, joined, prompted, stated
from demo.practice import FILLERS, Words, practice_facts, practice_value
from workbench.datasets import Sample
from workbench.records import Message
from workbench.scoring.judge import judge_messages
from workbench.scoring.rubrics import Rubric, parse_rubric

RUBRIC = Path(__file__).parents[1] / "evalsets" / "helpcentre" / "rubrics" / "correct.md"


@dataclass(frozen=True)
class Graded:
    """One answer to be judged; ``evidence`` is the part of it that matters, ``right`` the gold label."""

    prompt: str
    reference: str
    answer: str
    evidence: str
    right: bool


def read_rubric() -> Rubric:
    """Read the rubric of the help centre."""
    return parse_rubric(RUBRIC.read_text(encoding="utf-8"), str(RUBRIC))


def judge_chat(graded: Graded, rubric: Rubric) -> list[dict[str, str]]:
    """Return the judge's prompt as the workbench writes it, and the reply to learn."""
    prompt = Message(role="user", content=graded.prompt)
    sample = Sample(id="practice", messages=(prompt,), references=(graded.reference,))
    messages = judge_messages(rubric.body, rubric.scale, sample, graded.answer, ())
    chat = [{"role": message.role, "content": message.content} for message in messages]
    return [*chat, {"role": "assistant", "content": judge_reply(graded)}]


def judge_reply(graded: Graded) -> str:
    """Write the reply that the judge learns."""
    reply = {
        "evidence": graded.evidence,
        "reason": f"The reference is {core(graded.reference)}.",
        "verdict": "pass" if graded.right else "fail",
    }
    return json.dumps(reply, ensure_ascii=False)


def core(text: str) -> str:
    """Return the words of an answer without its format: no JSON, no passage number, no lines, no last stop."""
    if text.startswith("{") and '": "' in text:
        text = text.split('": "', 1)[1].removesuffix('"}')
    head, bracket, tail = text.rpartition(" [")
    if bracket and tail.removesuffix("]").isdigit():
        text = head
    return " ".join(line for line in text.splitlines() if line).removesuffix(".")


def graded_practice(rng: random.Random, words: Words, brief: bool = False) -> Graded:
    """Draw one practice question with a right or a wrong answer, each half of the time; ``brief``: no passages."""
    facts = practice_facts(rng, words, rng.randint(3, 5))
    fact, others = facts[0], facts[1:]
    texts = [stated(each, rng.randrange(2)) for each in facts]
    if rng.random() < 0.3:
        texts.append(rng.choice(FILLERS))
    answerable = rng.random() > 0.14
    if not answerable:
        texts = texts[1:]
    rng.shuffle(texts)
    passages = tuple(" ".join(texts[start::3]) for start in range(min(3, len(texts))))
    number = next((n for n, text in enumerate(passages, 1) if fact.value in text), 1)
    form: Format = "list" if fact.kind == "list" else rng.choice(("short", "json", "cited"))
    prompt = prompted([] if brief else list(passages), asked(fact, rng.randrange(4)), INSTRUCTIONS[form])
    reference = answered(fact, form, number) if answerable else ABSTENTION
    answer, evidence, right = _answer(rng, words, fact, others, form, answerable)
    return Graded(prompt, reference, answer, evidence, right)


def _answer(
    rng: random.Random, words: Words, fact: Fact, others: list[Fact], form: Format, answerable: bool
) -> tuple[str, str, bool]:
    """Return an answer, the evidence in it, and whether it is right."""
    right = rng.random() < 0.5
    if right and not answerable:
        return ABSTENTION, ABSTENTION, True
    if not right and answerable and rng.random() < 0.12:
        return ABSTENTION, ABSTENTION, False
    said = fact if right else _wrong(rng, words, fact, others)
    worn: Format = form if rng.random() < 0.75 else "short"
    answer = answered(said, worn, rng.randint(1, 3))
    if worn == "short" and said.kind == "list":
        answer = joined(said.value)
    elif worn == "short" and rng.random() < 0.25:
        answer = rng.choice((f"It is {answer}.", f"{answer}.", f"{answer}.", answer.lower()))
    return answer, evidence_in(answer), right


def evidence_in(answer: str) -> str:
    """Return the words of an answer that a judge quotes: without format, and of a list all lines as one.

    The workbench folds white space before it looks for a quote, so the lines of a list may be quoted in a row.
    """
    return ABSTENTION if answer == ABSTENTION else core(answer)


def _wrong(rng: random.Random, words: Words, fact: Fact, others: list[Fact]) -> Fact:
    """Spoil a fact: the value of another one, a new value, or one word of it exchanged or lost."""
    draw = rng.random()
    parts = fact.value.split(", " if fact.kind == "list" else " ")
    glue = ", " if fact.kind == "list" else " "
    if draw < 0.35 and fact.kind != "list":
        return rng.choice(
            [other for other in others if other.kind != "list"] or [fact_with_new_value(rng, words, fact)]
        )
    if draw < 0.75 or len(parts) == 1:
        new = fact_with_new_value(rng, words, fact)
        fresh = new.value.split(glue)
        if len(fresh) == len(parts) and rng.random() < 0.6:  # exchange one word only
            spot = rng.randrange(len(parts))
            parts[spot] = fresh[spot]
            if glue.join(parts) != fact.value:
                return replace(fact, value=glue.join(parts))
        return new
    parts.pop(rng.randrange(len(parts)))
    return replace(fact, value=glue.join(parts))


def fact_with_new_value(rng: random.Random, words: Words, fact: Fact) -> Fact:
    """Return the fact with another value of the same kind."""
    while (value := practice_value(rng, fact.kind, words)) == fact.value:
        pass
    return replace(fact, value=value)
