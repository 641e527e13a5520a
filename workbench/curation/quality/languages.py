"""In which language a text is, or that nobody can tell. What identifies is given from outside."""

from __future__ import annotations

import re
from collections.abc import Callable

Identify = Callable[[str], tuple[str, float]]
"""A text → ISO 639-1 code and probability."""
UNKNOWN = "und"
"""ISO 639-2 for a text whose language cannot be told: too short, or too unlike all."""
NONE = "zxx"
"""ISO 639-2 for a text without language: numbers, code, nothing."""
LEAST = 20
"""Letters that a text in an alphabet needs; ideographs, Hangul, kana, Thai and Indic signs count as five each."""
SURE = 0.6
"""Probability from which a language is told."""
READ = 1500
"""Characters of running text that are looked at."""

_CODE = re.compile(r"```[^`]*(?:```|$)|`[^`\n]*`|https?://\S+|<[^<>\n]{1,200}>")
_WIDE = re.compile(r"[\u0900-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")


def language_of(text: str, identify: Identify) -> str:
    """Return a text's language: ISO 639-1, `und` or `zxx`. Code blocks, tags and addresses do not count."""
    # Runs of space are one: the probability is spread over all bytes, whatever they say.
    plain = " ".join(_CODE.sub(" ", text[: 4 * READ])[:READ].split())
    letters = sum(map(str.isalpha, plain))
    if not letters:
        return NONE
    wide = sum(1 for _ in _WIDE.finditer(plain))
    if letters + 4 * wide < LEAST:
        return UNKNOWN
    code, probability = identify(plain)
    return code if probability >= SURE else UNKNOWN
