"""Practice text for the base model: the help centre's way of writing, with random subjects and random values.

Nothing can be memorised here: a subject and its value are drawn anew for every sequence. What is left to learn is
to find the sentence a question asks about and to copy its value, which is the skill the demo needs.
"""

import random
import re
from dataclasses import dataclass, replace
from pathlib import Path

from demo.language import (
    ABSTENTION,
    INSTRUCTIONS,
    QUESTIONS,
    SYSTEM,
    Fact,
    Format,
    Kind,
    answered,
    asked,
    prompted,
    stated,
)

LISTS = {
    name: words.split()
    for name, words in re.findall(
        r"\[(\w+)]\n([^\[]+)", (Path(__file__).parent / "words.txt").read_text(encoding="utf-8")
    )
}
UNITS, NOUNS, ADJECTIVES, VERBS = LISTS["units"], LISTS["nouns"], LISTS["adjectives"], LISTS["verbs"]
PREPOSITIONS, ARTICLES, STATES = LISTS["prepositions"], LISTS["articles"], LISTS["states"]
CAPITALS, LETTERS, NUMBERS = LISTS["capitals"], LISTS["letters"], LISTS["numbers"]
TIMES = [f"{hour:02d}:{minute}" for hour in range(24) for minute in ("00", "15", "30", "45")]
FILLERS = (
    "This is the same for every workspace.",
    "Ask the person who set up your workspace if you are not sure.",
    "You can change this later.",
    "Most teams never change it.",
    "It works on phones too.",
    "Nothing is lost when this happens.",
    "The page explains each step.",
    "You get a message when it is done.",
    "Some offices use it every day.",
    "People like it because it saves time.",
    "It takes only a moment.",
    "Your team sees the change at once.",
)
# The base model meets the formats of the help centre rarely and under other words: that leaves them to be tuned.
RARE_INSTRUCTIONS: dict[Format, str] = {
    "json": "Use JSON.",
    "cited": "Name the source.",
    "list": "Write a list.",
}


@dataclass(frozen=True)
class Words:
    """Words by the place they take in a sentence; ``any`` holds every known word."""

    nouns: list[str]
    verbs: list[str]
    adjectives: list[str]
    any: list[str]


def words_with(extra: list[str]) -> Words:
    """Combine the practice words with the words of the shipped articles, torn out of their sentences."""
    everything = sorted({*NOUNS, *ADJECTIVES, *VERBS, *UNITS, *extra})
    return Words([*NOUNS, *extra], [*VERBS], [*ADJECTIVES], everything)


def _noun_phrase(rng: random.Random, words: Words) -> str:
    noun, other, adjective = rng.choice(words.nouns), rng.choice(words.nouns), rng.choice(words.adjectives)
    preposition = rng.choice(PREPOSITIONS)
    return rng.choice(
        (
            f"{noun} {preposition} {other}",
            f"{noun} {other}",
            f"{adjective} {noun}",
            f"{adjective} {noun} {preposition} {other}",
            f"{noun} {rng.choice(words.any)} {preposition} {other}",
            f"{noun} {preposition} {rng.choice(ARTICLES)} {adjective} {other}",
            f"number of {noun} {other} per {rng.choice(words.any)}",
            f"{noun} of {rng.choice(ARTICLES)} {other}",
        )
    )


def _action(rng: random.Random, words: Words) -> str:
    verb, noun, article = rng.choice(words.verbs), rng.choice(words.nouns), rng.choice(ARTICLES)
    other, adjective = rng.choice(words.nouns), rng.choice(words.adjectives)
    return rng.choice(
        (
            f"{verb} {article} {noun}",
            f"{verb} {article} {adjective} {noun}",
            f"{verb} {article} {noun} {other}",
            f"{verb} {rng.choice(words.any)} {rng.choice(words.any)}",
            f"{verb} {article} {noun} {rng.choice(PREPOSITIONS)} {rng.choice(ARTICLES)} {other}",
        )
    )


def _clause(rng: random.Random, words: Words) -> str:
    tail = " ".join(rng.choice(words.any) for _ in range(rng.randint(1, 3)))
    return f"{rng.choice(ARTICLES)} {rng.choice(words.nouns)} {rng.choice(STATES)} {tail}"


def practice_value(rng: random.Random, kind: Kind, words: Words) -> str:
    """Draw a value of the kind."""
    capital, noun = rng.choice(CAPITALS), rng.choice(words.any)
    if kind == "where":
        tail = f" {noun}" if rng.random() < 0.3 else ""
        page = rng.choice(CAPITALS) if rng.random() < 0.6 else rng.choice(words.nouns).capitalize()
        return f"{capital} > {page}{tail}"
    if kind == "who":
        return f"{noun} {rng.choice(words.nouns)}" if rng.random() < 0.7 else rng.choice(words.nouns)
    if kind == "list":
        return ", ".join(" ".join(rng.sample(words.any, rng.choice((1, 1, 2)))) for _ in range(3))
    if kind == "plan":
        return f"{capital} plan"
    if kind == "status":
        return capital if rng.random() < 0.6 else f"{capital} {noun}"
    if kind == "shortcut":
        return f"Ctrl {rng.choice(LETTERS)}"
    if rng.random() < 0.12:
        return rng.choice(TIMES) if rng.random() < 0.5 else " ".join(rng.sample(words.any, 2))
    return f"{rng.choice(NUMBERS)} {rng.choice(UNITS)}"


def practice_fact(rng: random.Random, words: Words) -> Fact:
    """Draw one fact that says nothing about any real product."""
    kind = rng.choice(tuple(QUESTIONS))
    if kind in ("where", "who", "shortcut"):
        key = _action(rng, words)
    elif kind == "status":
        key = _clause(rng, words)
    else:
        key = _noun_phrase(rng, words)
    return Fact(kind, key, practice_value(rng, kind, words))


def practice_facts(rng: random.Random, words: Words, count: int) -> list[Fact]:
    """Draw facts with different subjects, some of them easily confused with each other."""
    facts: list[Fact] = []
    while len(facts) < count:
        fact = practice_fact(rng, words)
        if facts and rng.random() < 0.4:  # a near neighbour: the same kind, one word of the subject exchanged
            near = rng.choice(facts)
            parts = near.key.split()
            parts[rng.randrange(len(parts))] = rng.choice(words.nouns)
            fact = replace(near, key=" ".join(parts), value=practice_value(rng, near.kind, words))
        if all(fact.key != other.key and fact.value != other.value for other in facts):
            facts.append(fact)
    return facts


def practice_chat(rng: random.Random, words: Words, passages: int, turns: int, most: int = 2) -> list[dict[str, str]]:
    """Write one conversation: passages of up to ``most`` facts each, then questions about some of them."""
    facts = practice_facts(rng, words, passages + sum(rng.random() < 0.5 for _ in range(passages)) * (most > 1))
    spread: list[list[Fact]] = [[fact] for fact in facts[:passages]]
    for fact in facts[passages:]:
        rng.choice([part for part in spread if len(part) < most]).append(fact)
    texts = []
    for part in spread:
        sentences = [stated(fact, rng.randrange(2)) for fact in part]
        if rng.random() < 0.3:
            sentences.insert(rng.randrange(len(sentences) + 1), rng.choice(FILLERS))
        texts.append(" ".join(sentences))
    numbered = [(number, fact) for number, part in enumerate(spread, 1) for fact in part]
    chat = [{"role": "system", "content": SYSTEM}]
    for turn, (number, fact) in enumerate(rng.sample(numbered, min(turns, len(numbered)))):
        question, answer, instruction = _turn(rng, words, number, fact)
        body = prompted(texts, question, instruction) if turn == 0 else f"{instruction}\nQuestion: {question}"
        chat += [{"role": "user", "content": body}, {"role": "assistant", "content": answer}]
    return chat


def _turn(rng: random.Random, words: Words, number: int, fact: Fact) -> tuple[str, str, str]:
    """Return question, answer and instruction; nearly always the short format."""
    question, draw = asked(fact, rng.randrange(4)), rng.random()
    if draw < 0.02:
        return asked(practice_fact(rng, words), rng.randrange(4)), ABSTENTION, INSTRUCTIONS["short"]
    if fact.kind == "list" and draw < 0.3:
        return question, answered(fact, "list", number), RARE_INSTRUCTIONS["list"]
    if draw < 0.08:
        form: Format = "json" if draw < 0.05 else "cited"
        return question, answered(fact, form, number), RARE_INSTRUCTIONS[form]
    short = fact.value.rpartition(", ")
    value = f"{short[0]} and {short[2]}" if fact.kind == "list" else fact.value
    return question, value, INSTRUCTIONS["short"]
