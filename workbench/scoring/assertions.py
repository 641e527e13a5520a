"""Named assertions: level-1 tests of an answer, each a yes or no, together a share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from workbench.datasets import Sample
from workbench.models import Output
from workbench.nouns import Many, Noun
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Scorer, Tools
from workbench.scoring.patterns import Pattern, compiled, encodable
from workbench.scoring.strict_json import loads
from workbench.scoring.text import holds

Text = Annotated[str, Field(min_length=1)]


class _Assertion(Noun):
    """What all assertions have."""

    name: str = Field(min_length=1, max_length=80)
    """What the assertion says, such as `names the plan`; unique in its list."""


class TextAssertion(_Assertion):
    """The answer contains, does not contain, begins with or ends with a string."""

    kind: Literal["contains", "not_contains", "starts_with", "ends_with"]
    text: Text
    """The string."""
    ignore_case: bool = True
    """Whether case, width and spacing do not count (for `contains` and `not_contains`), or case alone."""

    def holds(self, answer: str) -> bool:
        """Return whether the answer is as asserted; spaces around the answer do not count."""
        if self.kind in ("contains", "not_contains"):
            return holds(answer, self.text, self.ignore_case) == (self.kind == "contains")
        answer, text = answer.strip(), self.text.strip()
        if self.ignore_case:
            answer, text = answer.casefold(), text.casefold()
        return answer.startswith(text) if self.kind == "starts_with" else answer.endswith(text)


class PatternAssertion(_Assertion):
    """The answer matches, or does not match, a regular expression somewhere."""

    kind: Literal["regex", "not_regex"]
    pattern: Pattern
    """Expression in RE2's syntax."""

    def holds(self, answer: str) -> bool:
        """Return whether the answer is as asserted."""
        return (compiled(self.pattern).search(encodable(answer)) is not None) == (self.kind == "regex")


class CountAssertion(_Assertion):
    """The answer has at least, or at most, so many words, characters or lines."""

    kind: Literal["min_words", "max_words", "min_characters", "max_characters", "max_lines"]
    n: int = Field(ge=0)
    """The limit, included."""

    def holds(self, answer: str) -> bool:
        """Return whether the answer is as asserted."""
        end, unit = self.kind.split("_")
        counted = {"words": len(answer.split()), "characters": len(answer), "lines": answer.strip().count("\n") + 1}
        return counted[unit] >= self.n if end == "min" else counted[unit] <= self.n


class JsonAssertion(_Assertion):
    """The whole answer is JSON by the standard."""

    kind: Literal["is_json"]

    def holds(self, answer: str) -> bool:
        """Return whether the answer is as asserted."""
        try:
            loads(answer)
        except ValueError:
            return False
        return True


Assertion = Annotated[
    TextAssertion | PatternAssertion | CountAssertion | JsonAssertion,
    Field(discriminator="kind"),
]


class Assertions(Scorer):
    """The share of named assertions that hold; the label names those that do not."""

    kind: Literal["assertions"]
    assertions: Many[Assertion] = Field(min_length=1)
    """What must hold."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Assertions:
        names = [a.name for a in self.assertions]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"assertion names are given twice: {', '.join(twice)}")
        return self

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Test each; label `all pass`, or `failed: ` and the names."""
        failed = [a.name for a in self.assertions if not a.holds(output.text)]
        label = "failed: " + ", ".join(failed) if failed else "all pass"
        return Score(value=1 - len(failed) / len(self.assertions), label=label)
