"""Fold away what does not count when two answers are compared."""

from __future__ import annotations

import re
import string
import unicodedata
from typing import Literal

Normalisation = Literal["squad", "casefold", "none"]
"""`squad` SQuAD's own rules · `casefold` case, width and spacing do not count · `none` every character counts."""

ARTICLES = re.compile(r"\b(a|an|the)\b")
WORD = re.compile(r"\d+(?:[.,:]\d+)+|[^\W_]+")
PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str, how: Normalisation) -> str:
    """Return the text as it is compared."""
    if how == "none":
        return text
    return squad(text) if how == "squad" else casefold(text)


def squad(text: str) -> str:
    """Return text as SQuAD's evaluate-v2.0 compares it: lower case, ASCII punctuation, English articles, spaces.

    Unicode punctuation and accents stay, as in the official script.
    """
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def words_of(text: str) -> list[str]:
    """Return a text's words and numbers, folded, without punctuation; "3.5" and "1,000" stay one."""
    return WORD.findall(casefold(text))


def casefold(text: str) -> str:
    """Return text with case, compatibility forms (NFKC) and runs of spaces folded."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())
