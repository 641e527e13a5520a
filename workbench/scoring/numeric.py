"""The numeric scorer: find the number that an answer gives, and compare it exactly."""

from __future__ import annotations

import re
from collections import deque
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from workbench.datasets import Sample
from workbench.models import Output
from workbench.nouns import Noun
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Scorer, Tools, not_applicable
from workbench.scoring.patterns import Pattern, compiled, encodable
from workbench.scoring.text import NO_REFERENCES, passed

# A run of digits of any script, with what people write inside numbers; what it is worth is decided by WRITTEN.
# A sign belongs to the number unless something that can be subtracted from stands before it.
NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>(?<![\w)\]%])[-−+])?(?P<money>[$€£¥])?(?P<inner>(?<=[$€£¥])[-−+])?"
    r"(?P<body>\.?\d(?:[\d_]|[.,'’٫٬](?=\d))*(?:[eE][-+]?\d+)?)"
)
WRITTEN = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
JOINED_BEFORE = re.compile(r"\d[/:^–−-]$")
JOINED_AFTER = re.compile(r"[/:^–−-]\d|[⁰¹²³⁴-⁹¼-¾⅐-⅞]")
MAX_DIGITS = 400


class FoundNumber(Noun):
    """One place in a text where a number stands."""

    written: str
    """As it stands there."""
    problem: str = ""
    """Why it has no definite value; empty when it has."""

    def value(self) -> Fraction:
        """Return its exact value."""
        return Fraction(self.written.replace(",", "").replace("−", "-").strip("+"))


class Numeric(Scorer):
    """1 if the number in the answer equals the number in a reference within a tolerance, else 0."""

    binary: ClassVar[bool] = True

    kind: Literal["numeric"]
    extract: Literal["last", "first", "only", "pattern"] = "last"
    """Which number of the answer counts. `only`: an answer with several numbers fails. `pattern`: the last number
    in the pattern's last match."""
    pattern: Pattern | None = None
    """Expression in RE2's syntax for `extract: pattern`; its first group counts, or the whole match."""
    absolute: float = Field(0.0, ge=0)
    """Largest difference that still counts as equal."""
    relative: float = Field(0.0, ge=0, lt=1)
    """The same, as a share of the reference's size; the wider of the two holds."""

    @model_validator(mode="after")
    def _pattern_goes_with_extract(self) -> Numeric:
        if (self.extract == "pattern") != (self.pattern is not None):
            raise ValueError("give pattern exactly when extract is 'pattern'")
        return self

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Compare with every reference; `1_000`, Arabic-Indic digits, `1/2` and `3,5` are no definite numbers."""
        if not sample.references:
            return not_applicable(NO_REFERENCES)
        golds = [choose(find_numbers(r), "last") for r in sample.references]
        known = [g for g in golds if g is not None and not g.problem]
        if not known:
            return not_applicable(f"no reference is a number: {sample.references[0][:80]!r}")
        text = output.text if self.pattern is None else matched(self.pattern, output.text)
        found = choose(find_numbers(text), "last" if self.extract == "pattern" else self.extract)
        if found is None:
            return passed(False, "several numbers in the answer" if find_numbers(text) else "no number in the answer")
        if found.problem:
            return passed(False, f"{found.written!r} is no definite number: {found.problem}")
        return passed(any(self._equal(found.value(), g.value()) for g in known), f"found {found.written}")

    def _equal(self, answer: Fraction, gold: Fraction) -> bool:
        """Compare exactly, so that a difference of 0.1 lies within a tolerance of 0.1."""
        tolerance = max(Fraction(str(self.absolute)), Fraction(str(self.relative)) * abs(gold))
        return abs(answer - gold) <= tolerance


def find_numbers(text: str) -> list[FoundNumber]:
    """Return the numbers of a text in order; `$1,234.50`, `-3`, `50%` and `5kg` are read as 1234.5, -3, 50 and 5."""
    found = []
    for match in NUMBER.finditer(text):
        body = match["body"]
        sign = (match["sign"] or "") + (match["inner"] or "")
        around = (text[max(0, match.start() - 2) : match.start()], text[match.end() : match.end() + 2])
        found.append(FoundNumber(written=sign + body, problem=_problem(sign, body, *around)))
    return found


def choose(found: list[FoundNumber], which: Literal["last", "first", "only"]) -> FoundNumber | None:
    """Return the number that counts; `None` when there is none, or when `only` meets several."""
    if not found or (which == "only" and len(found) > 1):
        return None
    return found[0] if which == "first" else found[-1]


def matched(pattern: str, text: str) -> str:
    """Return the first group of the pattern's last match, or the whole match; empty without a match."""
    last = next(iter(deque(compiled(pattern).finditer(encodable(text)), maxlen=1)), None)
    if last is None:
        return ""
    return (last.group(1) if last.re.groups else last.group(0)) or ""


def _problem(sign: str, body: str, before: str, after: str) -> str:
    """Return why a number has no definite value."""
    if not body.isascii():
        return "digits other than 0 to 9"
    if "_" in body:
        return "underscores are not thousands separators"
    if len(body) > MAX_DIGITS:
        return f"longer than {MAX_DIGITS} digits"
    if not WRITTEN.fullmatch(body) or len(sign) > 1:
        return "write thousands as 1,000 and decimals as 0.5"
    if JOINED_BEFORE.search(before) or JOINED_AFTER.match(after):
        return "part of a fraction, a power, a ratio, a range or a date"
    return ""
