"""Turn a query into one expression of the database's own full text search.

Both databases match a positive expression well and a bare negation badly or not at all; so every query becomes one
expression without a bare negation, and whether it is what is wanted or what is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

from argilla_embedded.search.analysis import JOINERS, kind, lowered, words
from argilla_embedded.search.queries import MOST_WORDS, Both, Everything, Leaf, Node, Not, parse

LONGEST_NEAR = 32  # words of a phrase with distance that are looked at


@dataclass(frozen=True)
class SearchedField:
    """A field that is searched: its place in the index, and whether its messages carry a role."""

    place: int
    is_chat: bool


@dataclass(frozen=True)
class Atom:
    """Tokens to find within any one of the fields: all of one phrase, or one token, perhaps only its beginning."""

    kind: Literal["phrase", "near", "prefix", "role", "role_prefix"]
    fields: tuple[SearchedField, ...]
    tokens: tuple[str, ...]
    slop: int = 0


class Dialect(Protocol):
    """How a database writes its full text expressions."""

    def atom(self, atom: Atom) -> str: ...

    def both(self, operator: Literal["and", "or"], parts: Iterable[str]) -> str: ...

    def without(self, wanted: str, unwanted: str) -> str: ...


@dataclass(frozen=True)
class Match:
    """Records that match the expression, or that do not; no expression matches nothing."""

    expression: str | None
    negated: bool


def match(query: str, fields: tuple[SearchedField, ...], dialect: Dialect) -> Match:
    """Say which records a query matches, within these fields."""
    tree = parse(query, lambda leaf: not fields or bool(_atoms(leaf, fields)) or leaf.kind == "prefix")
    return _compiled(tree, fields, dialect) if tree is not None else Match(None, False)


def _compiled(node: Node, fields: tuple[SearchedField, ...], dialect: Dialect) -> Match:
    if isinstance(node, Everything):
        return Match(None, True)
    if isinstance(node, Not):
        inner = _compiled(node.branch, fields, dialect)
        return Match(inner.expression, not inner.negated)
    if isinstance(node, Both):
        parts = [_compiled(branch, fields, dialect) for branch in node.branches]
        return _all(parts, dialect) if node.operator == "and" else _any(parts, dialect)
    return _leaf(node, fields, dialect)


def _leaf(leaf: Leaf, fields: tuple[SearchedField, ...], dialect: Dialect) -> Match:
    """Match any field; words of several tokens, such as `wi-fi`, must all be in the same one."""
    alternatives = []
    for group in _atoms(leaf, fields) if fields else ():
        alternatives.append(dialect.both("and", [dialect.atom(atom) for atom in group]))
    return Match(dialect.both("or", alternatives) if alternatives else None, False)


def _atoms(leaf: Leaf, fields: tuple[SearchedField, ...]) -> list[list[Atom]]:
    chats = tuple(field for field in fields if field.is_chat)
    found: list[list[Atom]] = []
    if leaf.kind == "prefix":
        prefix = lowered(leaf.text)
        if any(words(leaf.text + end) == [prefix + end] for end in ("", "a", "0")):
            found.append([Atom("prefix", fields, (prefix,))])
        return [*found, *([[Atom("role_prefix", chats, (leaf.text,))]] if chats else [])]
    tokens = tuple(words(leaf.text))[: LONGEST_NEAR if leaf.slop else MOST_WORDS]
    if leaf.kind == "phrase" and len(tokens) > 1:
        found.append([Atom("near" if leaf.slop else "phrase", fields, tokens, leaf.slop)])
    elif len(tokens) == 1:
        found.append([Atom("phrase", fields, tokens)])
    elif tokens:
        found.extend([Atom("phrase", (each,), (token,)) for token in dict.fromkeys(tokens)] for each in fields)
    return [*found, *([[Atom("role", chats, (leaf.text,))]] if chats else [])]


def _all(parts: list[Match], dialect: Dialect) -> Match:
    wanted = [part for part in parts if not part.negated]
    unwanted = [part.expression for part in parts if part.negated and part.expression is not None]
    if any(part.expression is None for part in wanted):
        return Match(None, False)
    either = dialect.both("or", unwanted) if unwanted else None
    if not wanted:
        return Match(either, True)
    together = dialect.both("and", [part.expression for part in wanted if part.expression is not None])
    return Match(dialect.without(together, either) if either is not None else together, False)


def _any(parts: list[Match], dialect: Dialect) -> Match:
    turned = _all([Match(part.expression, not part.negated) for part in parts], dialect)
    return Match(turned.expression, not turned.negated)


class Fts5:
    """SQLite's: columns `c0`, `c1`, ...; each token is quoted, so that nothing in it is an operator."""

    def atom(self, atom: Atom) -> str:
        columns = "{" + " ".join(f"c{field.place}" for field in atom.fields) + "}"
        if atom.kind in ("role", "role_prefix"):
            return f'{columns} : "{role_token(atom.tokens[0])}"' + ("*" if atom.kind == "role_prefix" else "")
        tokens = [stored_token(token) for token in atom.tokens]
        if atom.kind == "near":
            return f"{columns} : NEAR(" + " ".join(f'"{token}"' for token in tokens) + f", {atom.slop})"
        return f'{columns} : "{" ".join(tokens)}"' + ("*" if atom.kind == "prefix" else "")

    def both(self, operator: Literal["and", "or"], parts: Iterable[str]) -> str:
        listed = list(dict.fromkeys(parts))
        return "(" + f" {operator.upper()} ".join(listed) + ")" if len(listed) > 1 else listed[0]

    def without(self, wanted: str, unwanted: str) -> str:
        return f"({wanted} NOT {unwanted})"


class TsQuery:
    """PostgreSQL's: every lexeme begins with its field's place, so a phrase stays within a field."""

    def atom(self, atom: Atom) -> str:
        return self.both("or", [self._within(atom, field.place) for field in atom.fields])

    def both(self, operator: Literal["and", "or"], parts: Iterable[str]) -> str:
        listed = list(dict.fromkeys(parts))
        return "(" + (" & " if operator == "and" else " | ").join(listed) + ")" if len(listed) > 1 else listed[0]

    def without(self, wanted: str, unwanted: str) -> str:
        return f"({wanted} & !({unwanted}))"

    def _within(self, atom: Atom, place: int) -> str:
        if atom.kind in ("role", "role_prefix"):
            return _lexeme(f"{place}={atom.tokens[0]}") + (":*" if atom.kind == "role_prefix" else "")
        lexemes = [_lexeme(f"{place}:{token}") for token in atom.tokens]
        if atom.kind == "prefix":
            return lexemes[0] + ":*"
        if atom.kind == "near":
            return self._near(lexemes, atom.slop)
        return "(" + " <-> ".join(lexemes) + ")" if len(lexemes) > 1 else lexemes[0]

    def _near(self, lexemes: list[str], slop: int) -> str:
        """Allow up to ten words between neighbours of two or more, in either order; farther apart counts as apart."""
        gaps = range(1, min(slop, 10) + 2)
        pairs = []
        for first, second in pairwise(lexemes):
            orders = [f"({a} <{gap}> {b})" for a, b in ((first, second), (second, first)) for gap in gaps]
            pairs.append(self.both("or", orders))
        return self.both("and", pairs)


# What joins a word stands in the index as a letter of private use, because SQLite's tokenizer would cut there.
PRIVATE_JOINER, PRIVATE_ROLE, PRIVATE_EMOJI = 0xE010, 0xE001, 0xE002


def stored_token(token: str) -> str:
    """Spell a token as SQLite's index holds it."""
    out = ""
    for character in token:
        if character in JOINERS:
            out += chr(PRIVATE_JOINER + JOINERS.index(character))
        elif kind(character) == "emoji":
            out += f"{chr(PRIVATE_EMOJI)}{ord(character):x}"
        else:
            out += character
    return out


def role_token(role: str) -> str:
    """Spell a message's role, which is searched exactly as it is written, as one token."""
    return chr(PRIVATE_ROLE) + role.encode("utf-8", "replace").hex()


def _lexeme(text: str) -> str:
    cleaned = text.replace("\0", "").encode("utf-8", "replace").decode()[:400]
    return "'" + cleaned.replace("\\", "\\\\").replace("'", "''") + "'"
