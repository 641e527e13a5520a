"""What Argilla's search means, in plain Python over plain values: slow, and written without a look at the SQL.

Sources: Argilla's Elasticsearch engine (its mappings and the queries it builds), Elasticsearch's manual of
`simple_query_string`, `terms`, `range`, `nested` and sort, Lucene's SimpleQueryParser, and UAX #29.
"""

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from argilla_server.search_engine.base import (
    AndFilter,
    MetadataFilterScope,
    RecordFilterScope,
    ResponseFilterScope,
    SuggestionFilterScope,
    TermsFilter,
    TextQuery,
)

from .world import Entry, World

ONE = "[\u3041-\u309f\u3400-\u9fff\U0001f300-\U0001faff]"
WORD = "[^\\W\u3041-\u30ff\u3400-\u9fff]"
LETTER = "[^\\W\\d_\u3041-\u30ff\u3400-\u9fff]"
TOKEN = re.compile(
    f"{ONE}|[\u30a1-\u30ff]+|{WORD}(?:{WORD}|(?<={LETTER})[:.'\u2019](?={LETTER})|(?<=\\d)[.',;](?=\\d))*"
)


@cache
def tokens(text: str) -> list[str]:
    """Cut into words as the standard analyser does."""
    return [found.lower() for found in TOKEN.findall(text) if found.strip("_")]


def searchable(world: World, entry: Entry, only: str | None) -> list[tuple[list[list[str]], list[str]]]:
    """List, per field, its texts (each cut into words) and the keywords beside them."""
    found = []
    for name, kind in world.fields.items():
        value = entry.fields.get(name)
        if value is None or kind == "image" or only not in (None, name):
            continue
        if kind == "chat":
            found.append(([tokens(message["content"]) for message in value], [message["role"] for message in value]))
        else:
            # A known difference: Python's escapes, `\\n` for a line's end, do not stick to the next word.
            found.append(([tokens(str(value).replace("\\n", " "))], []))
    return found


@dataclass
class Text:
    """Evaluate a query from left to right, keeping for each clause the set of records that match."""

    world: World
    only: str | None

    def matching(self, query: str) -> set[int]:
        """Return the places of the records that match."""
        if query.strip() == "*":
            return self._all()
        result, rest = self._clauses(query, closes=False)
        del rest
        return result if result is not None else set()

    def _all(self) -> set[int]:
        return set(range(len(self.world.entries)))

    def _clauses(self, query: str, closes: bool) -> tuple[set[int] | None, str]:
        result: set[int] | None = None
        operator, negated, rest = "", False, query
        while rest:
            head = rest[0]
            if head == "-":
                negated, rest = not negated, rest[1:]
                continue
            clause: set[int] | None = None
            if head in " \t\r\n)":
                rest = rest[1:]
            elif head in "+|":
                operator = operator or (head if result is not None else "")
                rest = rest[1:]
            elif head == "(" and _closing(rest):
                clause, _ = self._clauses(rest[1 : _closing(rest)], closes=True)
                operator = "" if rest[1] == ")" else operator
                rest = rest[_closing(rest) + 1 :]
            elif head == '"' and re.match(r'"(?:\\.|[^"\\])*"', rest):
                quoted = re.match(r'"((?:\\.|[^"\\])*)"(~[^\s"|+()]*)?', rest)
                assert quoted
                operator = "" if not quoted[1] else operator
                clause = self._phrase(re.sub(r"\\(.)", r"\1", quoted[1])) if quoted[1] else None
                rest = rest[quoted.end() :]
            elif head in '("':
                rest = rest[1:]
            else:
                clause, rest = self._token(rest)
            if clause is not None:
                clause = self._all() - clause if negated else clause
                both = clause if result is None else result & clause
                result = result | clause if result is not None and operator == "|" else both
                operator = ""
            negated = False
        return result, rest

    def _token(self, rest: str) -> tuple[set[int] | None, str]:
        found = re.match(r'(?:\\.|[^\s"|+()\\])+', rest, re.S)
        if not found:
            return None, rest[1:]
        typed = found[0]
        raw = re.sub(r"\\(.)", r"\1", typed)
        if typed.endswith("*") and not typed.endswith("\\*") and len(typed) > 1:
            return self._prefix(raw[:-1]), rest[found.end() :]
        return self._word(raw), rest[found.end() :]

    def _word(self, raw: str) -> set[int] | None:
        wanted = tokens(raw)
        has_keywords = any(kind == "chat" and self.only in (None, name) for name, kind in self.world.fields.items())
        if not wanted and not has_keywords:
            return None

        def matches(texts: list[list[str]], keywords: list[str]) -> bool:
            held = {token for text in texts for token in text}
            return raw in keywords or (bool(wanted) and set(wanted) <= held)

        return self._where(matches)

    def _phrase(self, raw: str) -> set[int] | None:
        wanted = tokens(raw)
        if len(wanted) < 2:
            return self._word(raw)

        def matches(texts: list[list[str]], keywords: list[str]) -> bool:
            size = len(wanted)
            return raw in keywords or any(
                text[at : at + size] == wanted for text in texts for at in range(len(text) - size + 1)
            )

        return self._where(matches)

    def _prefix(self, raw: str) -> set[int]:
        def matches(texts: list[list[str]], keywords: list[str]) -> bool:
            begun = any(token.startswith(raw.lower()) for text in texts for token in text)
            return begun or any(keyword.startswith(raw) for keyword in keywords)

        return self._where(matches)

    def _where(self, matches: Callable[[list[list[str]], list[str]], bool]) -> set[int]:
        return {
            place
            for place, entry in enumerate(self.world.entries)
            if any(matches(*held) for held in searchable(self.world, entry, self.only))
        }


def _closing(text: str) -> int:
    depth = 0
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return at
    return 0


def single(value: float) -> float:
    """Round to 32 bits, as a field of type float does."""
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def values_of(world: World, entry: Entry, scope: Any) -> tuple[str, list[Any]]:
    """Return a scope's type in the mapping, and the values that this record has there."""
    if isinstance(scope, MetadataFilterScope):
        kind = world.properties.get(scope.metadata_property, "none")
        return kind, _listed((entry.metadata or {}).get(scope.metadata_property) if kind != "none" else None)
    if isinstance(scope, SuggestionFilterScope):
        hint = entry.hints.get(scope.question)
        kind = {"score": "float", "agent": "terms", "type": "terms"}.get(
            scope.property, _indexed(world, scope.question)
        )
        known = hint is not None and kind != "none" and scope.property in ("value", "score", "agent", "type")
        return kind, _listed(getattr(hint, scope.property)) if known else []
    if isinstance(scope, RecordFilterScope):
        value = getattr(entry, scope.property)
        return "date" if scope.property.endswith("_at") else "terms", _listed(
            str(value) if scope.property == "id" else value
        )
    kind = _indexed(world, scope.question)
    mine = [answer for answer in entry.answers if scope.user is None or answer.user == scope.user.id]
    given = [_listed(answer.values.get(scope.question, {}).get("value")) for answer in mine]
    return kind, [value for values in given for value in values] if kind != "none" else []


def _indexed(world: World, question: str) -> str:
    kinds = {"rating": "integer", "label_selection": "terms", "multi_label_selection": "terms"}
    return kinds.get(world.questions.get(question, ""), "none")


def _listed(value: Any) -> list[Any]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if each is not None]


def passes(world: World, entry: Entry, wanted: Any) -> bool:
    """Say whether a record passes a filter."""
    if isinstance(wanted, AndFilter):
        return all(passes(world, entry, each) for each in wanted.filters)
    if isinstance(wanted.scope, ResponseFilterScope) and not wanted.scope.question:
        return _status_passes(entry, wanted)
    kind, held = values_of(world, entry, wanted.scope)
    if isinstance(wanted, TermsFilter):
        return any(_equal(kind, value, term) for value in held for term in wanted.values)
    low, high = (None if bound is None else _read(kind, bound) for bound in (wanted.ge, wanted.le))
    return any((low is None or _read(kind, v) >= low) and (high is None or _read(kind, v) <= high) for v in held)


def _status_passes(entry: Entry, wanted: TermsFilter) -> bool:
    user = wanted.scope.user
    mine = [answer for answer in entry.answers if user is None or answer.user == user.id]
    if not wanted.values:
        return bool(mine) or user is None
    return ("pending" in wanted.values and not mine) or any(answer.status in wanted.values for answer in mine)


def _equal(kind: str, value: Any, term: Any) -> bool:
    try:
        return bool(_read(kind, value) == _read(kind, term))
    except ValueError:
        return False


def _read(kind: str, value: Any) -> Any:
    if kind == "date":
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if kind in ("integer", "float"):
        return single(float(value)) if kind == "float" else float(value)
    return str(value)


def ordered(world: World, places: set[int], orders: list[Any]) -> list[int]:
    """Order by the keys, missing last either way, ties in the order of insertion."""
    listed = sorted(places)
    for order in reversed(orders):
        descending = str(order.order) == "desc"
        keyed = [(place, _key(world, world.entries[place], order.scope, descending)) for place in listed]
        present = sorted([each for each in keyed if each[1] is not None], key=lambda each: each[1], reverse=descending)
        if descending:
            present = _stable(present)
        listed = [place for place, _ in present] + [place for place, key in keyed if key is None]
    return listed


def _stable(present: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    return present  # Python's sort keeps the order of equals, reversed or not


def _key(world: World, entry: Entry, scope: Any, descending: bool) -> Any:
    if isinstance(scope, ResponseFilterScope) and not scope.question:
        held = [a.status for a in entry.answers if scope.user is None or a.user == scope.user.id]
        kind = "terms"
    else:
        kind, held = values_of(world, entry, scope)
    if not held:
        return None
    if isinstance(scope, ResponseFilterScope) and kind == "integer":
        return sum(held) / len(held)
    keys = [value if kind in ("date", "integer", "float") else str(value).encode() for value in held]
    return max(keys) if descending else min(keys)


def found(world: World, query: TextQuery | None, wanted: Any) -> set[int]:
    """Return the places of the records that match both."""
    matching = Text(world, query.field).matching(query.q) if query else set(range(len(world.entries)))
    return {place for place in matching if wanted is None or passes(world, world.entries[place], wanted)}


def similar(
    world: World, vector: list[float], among: set[int], without: int | None, most: int
) -> list[tuple[int, float]]:
    """Return the most similar, best first, with (1 + cosine) / 2."""
    scored = []
    for place in sorted(among - {without}):
        held = world.entries[place].vector
        if held and any(held):
            dot = math.fsum(a * b for a, b in zip(held, vector, strict=True))
            scored.append((place, (1 + dot / (math.hypot(*held) * math.hypot(*vector))) / 2))
    return sorted(scored, key=lambda each: -round(each[1], 6))[:most]
