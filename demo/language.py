"""Sentences and questions of a help centre, one pattern set a kind of fact.

The same patterns write the shipped articles and the practice text of the demo model: the model is far too small
to learn English, so it is taught one plain way of writing, with other subjects and other values.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["where", "who", "limit", "default", "keep", "list", "plan", "status", "shortcut"]
Format = Literal["short", "json", "cited", "list"]

SYSTEM = "Answer from the passages. If they do not hold the answer, reply: Not in the documents."
ABSTENTION = "Not in the documents."

SENTENCES: dict[Kind, tuple[str, ...]] = {
    "where": ("To {key}, open {value}.", "You can {key} under {value}."),
    "who": ("Only {value} can {key}.", "The right to {key} belongs to {value}."),
    "limit": ("The {key} is {value}.", "The {key} is always {value}."),
    "default": ("By default, the {key} is {value}.", "The default {key} is {value}."),
    "keep": ("We keep {key} for {value}.", "Fernhall keeps {key} for {value}."),
    "list": ("The {key} are {value}.", "These are the {key}: {value}."),
    "plan": ("You need the {value} for {key}.", "The {value} comes with {key}."),
    "status": ("The status {value} means that {key}.", "When {key}, you see the status {value}."),
    "shortcut": ("Press {value} to {key}.", "To {key}, press {value}."),
}

QUESTIONS: dict[Kind, tuple[str, ...]] = {
    "where": (
        "Where do I {key}?",
        "Which page lets me {key}?",
        "I want to {key}. Where is that?",
        "Where can I {key}?",
    ),
    "who": ("Who can {key}?", "Who is allowed to {key}?", "Who has the right to {key}?", "Who may {key}?"),
    "limit": (
        "What is the {key}?",
        "Tell me the {key}.",
        "How much is the {key}?",
        "I need to know the {key}.",
    ),
    "default": (
        "What is the default {key}?",
        "By default, what is the {key}?",
        "Tell me the default {key}.",
        "We changed nothing. What is the {key}?",
    ),
    "keep": (
        "How long do you keep {key}?",
        "For how long are {key} kept?",
        "How long does Fernhall keep {key}?",
        "Tell me how long you keep {key}.",
    ),
    "list": ("What are the {key}?", "Which are the {key}?", "List the {key}.", "Tell me the {key}."),
    "plan": (
        "Which plan do I need for {key}?",
        "Which plan comes with {key}?",
        "We want {key}. Which plan is that?",
        "What plan has {key}?",
    ),
    "status": (
        "Which status means that {key}?",
        "What status do I see when {key}?",
        "Tell me the status when {key}.",
        "What is the status if {key}?",
    ),
    "shortcut": (
        "What do I press to {key}?",
        "Which keys do I press to {key}?",
        "Tell me the keys to {key}.",
        "Which shortcut is there to {key}?",
    ),
}

INSTRUCTIONS: dict[Format, str] = {
    "short": "Reply with a few words.",
    "json": 'Reply with a JSON object that has the key "answer".',
    "cited": "Reply with a few words and the passage number in brackets.",
    "list": "Reply with one item on each line.",
}


@dataclass(frozen=True)
class Fact:
    """One thing that the documents state: ``key`` is what is asked for, ``value`` the words that answer it."""

    kind: Kind
    key: str
    value: str


def joined(value: str) -> str:
    """Turn the stored ``a, b, c`` of a list into the ``a, b and c`` of a sentence."""
    head, comma, last = value.rpartition(", ")
    return f"{head} and {last}" if comma else value


def stated(fact: Fact, pattern: int) -> str:
    """Write the sentence that states a fact."""
    value = joined(fact.value) if fact.kind == "list" else fact.value
    patterns = SENTENCES[fact.kind]
    return patterns[pattern % len(patterns)].format(key=fact.key, value=value)


def asked(fact: Fact, pattern: int) -> str:
    """Write a question that the fact answers."""
    patterns = QUESTIONS[fact.kind]
    return patterns[pattern % len(patterns)].format(key=fact.key)


def answered(fact: Fact, form: Format, passage: int) -> str:
    """Write the gold answer in a format; ``passage`` is the number (from 1) of the passage that holds it."""
    if form == "json":
        return f'{{"answer": "{fact.value}"}}'
    if form == "cited":
        return f"{fact.value} [{passage}]"
    if form == "list":
        return fact.value.replace(", ", "\n")
    return fact.value


def prompted(passages: list[str], question: str, instruction: str) -> str:
    """Write the user's turn: numbered passages, how to reply, and the question last, beside its answer."""
    numbered = "\n".join(f"[{number}] {text}" for number, text in enumerate(passages, 1))
    return f"{numbered}\n\n{instruction}\nQuestion: {question}"
