"""Read a query the way Lucene's SimpleQueryParser does: leniently, so that every string means something.

`a b` and `a + b`: both; `a | b`: either; `-a`: not; `"a b"`: the phrase; `"a b"~2`: within two words; `a*`: begins
with; `( )`: first; `\\`: the next character is only a character. Operators bind from left to right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

MOST_WORDS = 1024  # Elasticsearch's own bound on clauses; words beyond it are not looked at
DEEPEST = 24  # parentheses and changes of operator beyond it are not looked at
SPACES = " \t\n\r"
TOKEN_ENDS = '"|+()' + SPACES


@dataclass(frozen=True)
class Leaf:
    """A word, a prefix or a phrase, as it was typed."""

    kind: Literal["word", "prefix", "phrase"]
    text: str
    slop: int = 0


@dataclass(frozen=True)
class Not:
    """What the branch does not match."""

    branch: "Node"


@dataclass(frozen=True)
class Both:
    """What every branch matches (`and`) or any of them (`or`)."""

    operator: Literal["and", "or"]
    branches: tuple["Node", ...]


@dataclass(frozen=True)
class Everything:
    """The query `*`."""


Node = Leaf | Not | Both | Everything


def parse(text: str, meaningful: Callable[[Leaf], bool]) -> Node | None:
    """Read a query, leaving out what has no meaning, as `!!!` where only words do; None where nothing is left."""
    if text.strip() == "*":
        return Everything()
    return _Reader(text, _closings(text), meaningful).read(0, len(text), 0)


@dataclass
class _State:
    """What has been read of one parenthesis."""

    at: int
    end: int
    depth: int
    top: Node | None = None
    operator: Literal["and", "or"] | None = None
    before: Literal["and", "or"] | None = None
    negations: int = 0


@dataclass
class _Reader:
    text: str
    closings: dict[int, int]
    meaningful: Callable[[Leaf], bool]
    words: int = 0

    def read(self, start: int, end: int, depth: int) -> Node | None:
        state = _State(start, end, depth)
        while state.at < state.end and self.words < MOST_WORDS:
            character = self.text[state.at]
            if character == "-":
                state.negations += 1
                state.at += 1
                continue
            self._step(state, character)
            state.negations = 0
        return state.top

    def _step(self, state: _State, character: str) -> None:
        if character == "(":
            self._subquery(state)
        elif character == '"':
            self._phrase(state)
        elif character in "+|":
            if state.operator is None and state.top is not None:
                state.operator = "and" if character == "+" else "or"
            state.at += 1
        elif character == ")" or character in SPACES:
            state.at += 1
        else:
            self._token(state)

    def _subquery(self, state: _State) -> None:
        start = state.at + 1
        close = self.closings.get(state.at, state.end)
        if close >= state.end or state.depth >= DEEPEST:
            state.at = start
        elif close == start:
            state.operator = None
            state.at = start + 1
        else:
            self._add(state, self.read(start, close, state.depth + 1))
            state.at = close + 1

    def _phrase(self, state: _State) -> None:
        start, copied, at = state.at + 1, "", state.at + 1
        while at < state.end and self.text[at] != '"':
            at += self.text[at] == "\\"
            copied += self.text[at : min(at + 1, state.end)]
            at += 1
        if at >= state.end:
            state.at = start
        elif at == start:
            state.operator = None
            state.at = at + 1
        else:
            state.at = at + 1
            slop = self._distance(state) if self._follows(state, "~") else 0
            self._add(state, Leaf("phrase", copied, slop))

    def _token(self, state: _State) -> None:
        copied, prefix = "", False
        while state.at < state.end:
            character = self.text[state.at]
            if character == "\\":
                prefix = False
                state.at += 1
                copied += self.text[state.at : min(state.at + 1, state.end)]
                state.at += 1
                continue
            if character in TOKEN_ENDS:
                break
            if character == "~" and copied:
                self._distance(state)
                prefix = False
                break
            prefix = bool(copied) and character == "*"
            copied += character
            state.at += 1
        if copied:
            self._add(state, Leaf("prefix", copied[:-1]) if prefix else Leaf("word", copied))

    def _follows(self, state: _State, character: str) -> bool:
        return state.at < state.end and self.text[state.at] == character

    def _distance(self, state: _State) -> int:
        """Read what follows `~`, up to the token's end; what is no number is 0, nothing is 2."""
        start = state.at = state.at + 1
        while state.at < state.end and self.text[state.at] not in TOKEN_ENDS:
            state.at += 1
        digits = self.text[start : state.at]
        if not digits:
            return 2
        return min(int(digits), 1000) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0

    def _add(self, state: _State, branch: Node | None) -> None:
        if branch is None or (isinstance(branch, Leaf) and not self.meaningful(branch)):
            return
        self.words += isinstance(branch, Leaf)
        if state.negations % 2:
            branch = Not(branch)
        if state.top is None:
            state.top = branch
        else:
            operator = state.operator or "and"
            if state.before is not None and state.before != operator:
                state.depth += 1
            state.top = self._joined(state, operator, branch)
        state.operator = None

    def _joined(self, state: _State, operator: Literal["and", "or"], branch: Node) -> Node:
        assert state.top is not None
        if state.depth > DEEPEST and state.before is not None:
            operator = state.before
        grows = state.before == operator and isinstance(state.top, Both)
        state.before = operator
        if grows and isinstance(state.top, Both):
            return Both(operator, (*state.top.branches, branch))
        return Both(operator, (state.top, branch))


def _closings(text: str) -> dict[int, int]:
    """Find each parenthesis' closing one, in one pass."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    escaped = False
    for at, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "(":
            waiting.append(at)
        elif character == ")" and waiting:
            found[waiting.pop()] = at
    return found
