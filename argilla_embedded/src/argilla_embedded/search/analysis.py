"""Cut text into the words that Elasticsearch's `standard` analyser would index.

Unicode's word boundaries (UAX #29) and lower case, nothing else: accents stay, nothing is stemmed, no word is dropped.
The databases cut what they store with the same character classes; `glob_class` and `regex_class` spell them.
"""

import re
import sys
import unicodedata
from functools import lru_cache
from typing import Literal

Kind = Literal["letter", "digit", "single", "katakana", "run", "emoji", "other"]

# UAX #29: these join two letters, two digits, or either, into one word: don't, example.com, 3.14, 1,000, a:b. Left out
# are joiners outside Latin and East Asian text (of Armenian, Hebrew, Arabic, N'Ko) and small forms.
BETWEEN_LETTERS = ":\u00b7\u2027\uff1a"
BETWEEN_BOTH = "'.\u2018\u2019\uff0e"
BETWEEN_DIGITS = ",;\uff0c"
JOINERS = BETWEEN_LETTERS + BETWEEN_BOTH + BETWEEN_DIGITS

# Ideographs and Hiragana are words of one character; Katakana and the scripts without spaces are runs of their own.
SINGLE = (
    *((0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B), (0x3041, 0x3096), (0x309D, 0x309F)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x1B001, 0x1B11F), (0x20000, 0x323AF)),
)
KATAKANA = ((0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D))
RUN = (
    *((0x0E01, 0x0E3A), (0x0E40, 0x0E4E), (0x0E80, 0x0EC6), (0x0EC8, 0x0ECF), (0x0EDC, 0x0EDF), (0x1000, 0x103F)),
    *((0x1050, 0x108F), (0x109A, 0x109F), (0x1780, 0x17D3), (0x17D7, 0x17DD), (0x1950, 0x19DF), (0x1A20, 0x1AAD)),
)
EMOJI = (
    *((0x231A, 0x231B), (0x23E9, 0x23F3), (0x25FD, 0x25FE), (0x2614, 0x2615), (0x2648, 0x2653), (0x26A1, 0x26A1)),
    *((0x26BD, 0x26BE), (0x26C4, 0x26C5), (0x26D4, 0x26D4), (0x26EA, 0x26EA), (0x26F2, 0x26F5), (0x26FA, 0x26FD)),
    *((0x2705, 0x2705), (0x270A, 0x270D), (0x2728, 0x2728), (0x274C, 0x274E), (0x2753, 0x2757), (0x2764, 0x2764)),
    *((0x2795, 0x2797), (0x27B0, 0x27B0), (0x2B1B, 0x2B1C), (0x2B50, 0x2B55), (0x1F300, 0x1F64F), (0x1F680, 0x1F6FF)),
    *((0x1F900, 0x1F9FF), (0x1FA70, 0x1FAFF)),
)
_SPACELESS_KINDS: tuple[tuple[Kind, tuple[tuple[int, int], ...]], ...]
_SPACELESS_KINDS = (("single", SINGLE), ("katakana", KATAKANA), ("run", RUN), ("emoji", EMOJI))
_LETTERS: tuple[str, ...] = ("Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Pc", "Mn", "Mc", "Me")
_KIND_OF_CATEGORY: dict[str, Kind] = {"Nd": "digit", **dict.fromkeys(_LETTERS, "letter")}
_KINDS: tuple[Kind, ...] = ("letter", "digit", "single", "katakana", "run", "emoji", "other")
_VARIATIONS = (0xFE0E, 0xFE0F)  # of an emoji's look, no part of a word


def words(text: str) -> list[str]:
    """Cut text into lower-case words, in order."""
    found: list[str] = []
    word = ""
    previous: Kind = "other"
    for place, character in enumerate(text):
        here = kind(character)
        if character in JOINERS and _joins(text, place):
            here = previous
        elif here == "other" or here in ("single", "emoji") or (word and _breaks(previous, here)):
            found.append(word)
            word = ""
        word += character if here != "other" else ""
        previous = here
    return [lowered(each) for each in (*found, word) if each and not _bare(each)]


def lowered(text: str) -> str:
    """Fold the case as both databases do; a final sigma is a sigma."""
    return text.lower().replace("\u03c2", "\u03c3")


@lru_cache(maxsize=65536)
def kind(character: str) -> Kind:
    """Name a character's part in words."""
    point = ord(character)
    if point > 0xE00:
        for name, ranges in _SPACELESS_KINDS:
            if any(first <= point <= last for first, last in ranges):
                return name
    return _KIND_OF_CATEGORY.get(unicodedata.category(character), "other") if point not in _VARIATIONS else "other"


def glob_class(*kinds: Kind) -> str:
    """Spell the characters of these kinds as the inside of a GLOB bracket."""
    return "".join(chr(a) if a == b else f"{chr(a)}-{chr(b)}" for a, b in ranges_of(frozenset(kinds)))


def regex_class(*kinds: Kind) -> str:
    r"""Spell the characters of these kinds as the inside of a PostgreSQL bracket, as \U escapes."""
    return "".join(f"\\U{a:08x}" if a == b else f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges_of(frozenset(kinds)))


@lru_cache(maxsize=16)
def ranges_of(kinds: frozenset[Kind]) -> tuple[tuple[int, int], ...]:
    """List the ranges of code points of these kinds."""
    kept = bytes(name in kinds for name in _KINDS).ljust(256, b"\0")
    return tuple((m.start(), m.end() - 1) for m in re.finditer(b"\1+", _all_kinds().translate(kept)))


@lru_cache(maxsize=1)
def _all_kinds() -> bytes:
    """Number the kind of every code point, by its place in `_KINDS`."""
    places = {name: place for place, name in enumerate(_KINDS)}
    categories = map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))
    numbered = {category: places[name] for category, name in _KIND_OF_CATEGORY.items()}
    found = bytearray(numbered.get(category, places["other"]) for category in categories)
    for name, ranges in _SPACELESS_KINDS:
        for first, last in ranges:
            found[first : last + 1] = bytes([places[name]]) * (last + 1 - first)
    for point in _VARIATIONS:
        found[point] = places["other"]
    return bytes(found)


def _joins(text: str, place: int) -> bool:
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if not before or not after:
        return False
    joiner, kinds = text[place], (kind(before), kind(after))
    letters = joiner not in BETWEEN_DIGITS and kinds == ("letter", "letter")
    return letters or (joiner not in BETWEEN_LETTERS and kinds == ("digit", "digit"))


def _breaks(previous: Kind, here: Kind) -> bool:
    alike = ("letter", "digit")
    return not (previous == here or (previous in alike and here in alike))


def _bare(word: str) -> bool:
    return all(unicodedata.category(character) in ("Pc", "Mn", "Mc", "Me") for character in word)
