"""Refusals and boilerplate by documented phrases (`phrases.yaml`); openings and closings that repeat, by counting."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, NamedTuple

import yaml
from pydantic import Field

from workbench.curation.shingles import normalised
from workbench.nouns import Noun

BEGINNING = 300
"""Characters of an answer within which a refusal begins."""
SENTENCES = 2
"""Sentences of an answer within which a refusal begins."""
EDGE = 5
"""Words of an opening and a closing."""
LEAST = 5
"""Times that an opening must repeat to be told."""
ENDS = ".!?…。！？\n"
_STRAIGHT = str.maketrans("’‘ʼ´`“”", "''''' \"".replace(" ", '"'))


class Repeated(Noun):
    """Words with which several answers begin, or end."""

    text: str
    """The words, in lower case."""
    n: int = Field(ge=1)
    """Answers."""


class Hit(NamedTuple):
    """A phrase that was found."""

    phrase: str
    language: str
    """Language of the list it is from."""


class _Lists(NamedTuple):
    pattern: Any
    language: dict[str, str]


def refusal(answer: str) -> Hit | None:
    """Return the phrase with which an answer refuses, or nothing. It stands in one of the first sentences."""
    lists = _lists("refusals")
    plain = plainly(answer[: 4 * BEGINNING])[:BEGINNING]
    for match in lists.pattern.finditer(plain):
        phrase = match.group(1)
        before, after = plain[: match.start(1)], plain[match.end(1) :]
        if not _whole(before, phrase, after) or after.strip(" ,").startswith(_never()):
            continue
        quoted = before.rstrip().endswith(('"', "«", "„", "「", "「", "*"))
        if not quoted and sum(before.rstrip(" ").count(end) for end in ENDS) < SENTENCES:
            return Hit(phrase, lists.language[phrase])
    return None


def boilerplate(answer: str) -> Hit | None:
    """Return the first phrase of an answer that says nothing, or nothing."""
    lists = _lists("boilerplate")
    plain = plainly(answer)
    for match in lists.pattern.finditer(plain):
        phrase = match.group(1)
        if _whole(plain[max(0, match.start(1) - 1) : match.start(1)], phrase, plain[match.end(1) : match.end(1) + 1]):
            return Hit(phrase, lists.language[phrase])
    return None


def plainly(text: str) -> str:
    """Return a text with case, width, spacing and apostrophes folded away; lone surrogates become `?`."""
    text = unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode()).translate(_STRAIGHT)
    lines = (" ".join(line.split()) for line in text.casefold().splitlines())
    return "\n".join(line for line in lines if line)


def edges(answers: Iterable[str], least: int = LEAST) -> tuple[list[Repeated], list[Repeated]]:
    """Return the openings and closings of `EDGE` words that at least `least` answers and 1 % of them share."""
    opened: Counter[str] = Counter()
    closed: Counter[str] = Counter()
    n = 0
    for answer in answers:
        n += 1
        # Words of the ends alone: an answer may be a megabyte long.
        first, last = _words(answer[:400]), _words(answer[-400:])
        if len(first) > 2 * EDGE:
            opened[" ".join(first[:EDGE])] += 1
            closed[" ".join(last[-EDGE:])] += 1
    floor = max(least, n // 100)
    return _often(opened, floor), _often(closed, floor)


def _words(text: str) -> list[str]:
    return normalised(text).decode("utf-8", "replace").split()


def _often(counted: Counter[str], floor: int) -> list[Repeated]:
    return [Repeated(text=text, n=n) for text, n in counted.most_common(10) if n >= floor]


def _whole(before: str, phrase: str, after: str) -> bool:
    """Return whether a phrase is not cut out of longer words; scripts without spaces have no such words."""
    if ord(phrase[0]) > 0x2E80:
        return True
    return not before[-1:].isalnum() and not (phrase[-1].isalnum() and after[:1].isalnum())


@cache
def _lists(name: str) -> _Lists:
    """Return a list of the file as one RE2 pattern, which reads a text once however many phrases there are."""
    import re2

    told = _file()
    language = {
        phrase: code for code, some in told[name].items() for raw in some for phrase in _filled(raw, told["words"])
    }
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    # Longer phrases first: of two that begin at one place the longer one is told.
    phrases = sorted(language, key=lambda phrase: (-len(phrase), phrase))
    return _Lists(re2.compile(f"({'|'.join(map(re2.escape, phrases))})", options), language)


@cache
def _never() -> tuple[str, ...]:
    return tuple(f"{word} " for word in _file()["never"])


@cache
def _file() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("phrases.yaml").read_text(encoding="utf-8"))
    return read


def _filled(raw: str, words: dict[str, Sequence[str]]) -> Iterator[str]:
    """Yield a phrase with every choice of its words; `i 'm unable` closes up."""
    slots = [name for name in words if f"{{{name}}}" in raw]
    for choice in product(*(words[name] for name in slots)):
        text = raw
        for name, word in zip(slots, choice, strict=True):
            text = text.replace(f"{{{name}}}", word)
        yield plainly(text.replace(" '", "'"))
