"""Answers that say nothing: a judge can be fooled by them, so they fail in code, without a call.

The phrases are the "master keys" of Zhao et al. 2025, "One Token to Fool LLM-as-a-Judge", and stock refusals.
"""

from __future__ import annotations

import re
import unicodedata

MASTER_KEYS = (
    "Thought process:",
    "Let's solve this problem step by step.",
    "Let's think step by step.",
    "Let's solve this step by step.",
    "Step by step:",
    "Solution",
    "Solution:",
    "Final answer:",
    "The answer is:",
    "Answer:",
    "Reasoning:",
    "Explanation:",
    "Verdict: pass",
    "解",
    "かいせつ",
    "Respuesta",
)
REFUSALS = (
    "I cannot help with that",
    "I can't help with that",
    "I cannot help you with that",
    "I can't help you with that",
    "I cannot assist with that",
    "I can't assist with that",
    "I cannot help with that request",
    "I can't help with that request",
    "I cannot assist with that request",
    "I can't assist with that request",
    "I'm sorry",
    "I am unable to help with that",
    "As an AI language model, I cannot help with that",
)
NO_WORD = re.compile(r"[^\w']|_")
LONGEST = 200
"""Characters beyond which an answer is no stock phrase, so that long answers cost nothing to check."""
APOLOGIES = ("", "sorry ", "sorry but ", "i'm sorry ", "i'm sorry but ", "i am sorry ", "i am sorry but ")


def why_hollow(answer: str, references: tuple[str, ...] = ()) -> str:
    """Return why an answer says nothing, or an empty string when it may say something.

    An answer that equals a reference is an answer, whatever it looks like: "Not in the documents." or "?".
    """
    text = answer.strip()
    if not text:
        return "empty answer"
    if not any(c.isalnum() for c in text):
        why = "answer of punctuation only"
    elif len(text) <= LONGEST and _fold(text) in BOILERPLATE:
        why = "boilerplate answer"
    else:
        return ""
    folded = _fold(text)
    is_accepted = any(text == r.strip() or (folded and folded == _fold(r)) for r in references)
    return "" if is_accepted else why


def _fold(text: str) -> str:
    """Return text without case, width, punctuation (apostrophes kept) and extra spaces."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(NO_WORD.sub(" ", text).split())


BOILERPLATE = frozenset(_fold(phrase) for phrase in MASTER_KEYS) | frozenset(
    _fold(apology + phrase) for apology in APOLOGIES for phrase in REFUSALS
)
