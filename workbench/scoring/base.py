"""What a scorer is: frozen data from YAML with one method that judges a saved output."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from pydantic import Field

from workbench.datasets import Sample
from workbench.models import Output, OutputFailure, Request
from workbench.nouns import Noun
from workbench.runs import Score, ScoreFailure, ScorerInfo


class Tools(Protocol):
    """What a scorer may call beyond its own arithmetic; given to it, never fetched by it."""

    async def ask(self, judge: str, request: Request) -> Output | OutputFailure:
        """Put a request to the judge of that name in workbench.yaml."""
        ...

    def kept(self, judge: str, requests: Sequence[Request]) -> Sequence[bytes | None]:
        """Return the replies that the judge gave before, as JSON of an `Output`; `None`: it must be asked."""
        ...

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """Return one unit-length vector a text, from the embedding model of that name or path."""
        ...

    async def measure(self, scorer: Scorer, sample: Sample, output: Output) -> Score | ScoreFailure:
        """Let the other project whose metric a scorer names judge one output, by these same tools."""
        ...


class Scorer(Noun):
    """Base of all scorer specs. A subclass adds a `kind` literal, its settings and `score`."""

    version: ClassVar[str] = "1"
    """Bumped when the rule changes, so that scores made under different rules are not compared."""
    low: ClassVar[float | None] = 0.0
    high: ClassVar[float | None] = 1.0
    binary: ClassVar[bool] = False
    alone: ClassVar[bool] = True
    """Whether `score` is arithmetic that calls no tool, and so never waits."""

    name: str = Field("", max_length=80, pattern=r"^[A-Za-z0-9_.\-]*$")
    """Name of the metric in tables; the kind's name when left empty. Unique within an evalset."""

    better: Literal["higher", "lower"] = "higher"
    """Which direction is good: `lower` where the scorer finds what should not be there, such as a forbidden word.
    A rubric says it itself, in its front matter."""

    def info(self) -> ScorerInfo:
        """Return name, version and declared range, as saved beside the scores."""
        kind: str = self.kind  # type: ignore[attr-defined]  # every subclass declares its literal
        return ScorerInfo(
            name=self.name or kind,
            kind=kind,
            version=self.version,
            low=self.low,
            high=self.high,
            better=self.better,
            binary=self.binary,
        )

    def resolve(self, folder: Path) -> Scorer:
        """Return a copy that holds the files it names, read from inside `folder`, so that a saved spec is complete.

        Raises `ConfigError` with file, line and field.
        """
        return self

    def judges(self) -> tuple[str, ...]:
        """Return the names of the models this scorer calls."""
        return ()

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Judge one output. Raises nothing for a single sample: what cannot be scored is a `ScoreFailure`."""
        raise NotImplementedError


class Asking(Scorer):
    """A scorer that puts one question to a judge. What it asks and how it reads the reply are apart, so that the
    questions of many samples can be looked up together.
    """

    alone: ClassVar[bool] = False

    @abstractmethod
    def settled(self, sample: Sample, output: Output) -> Score | ScoreFailure | None:
        """Return the score of an output for which no judge is needed."""

    @abstractmethod
    def request(self, sample: Sample, output: Output) -> Request:
        """Return what the judge is asked about one output."""

    @abstractmethod
    def read(self, reply: Output | OutputFailure, output: Output) -> Score | ScoreFailure:
        """Return what a judge's reply says of an output."""

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Settle what needs no judge; put the rest to it."""
        if (score := self.settled(sample, output)) is not None:
            return score
        return self.read(await tools.ask(self.judges()[0], self.request(sample, output)), output)


def not_applicable(what: str) -> ScoreFailure:
    """Return the failure of a sample that lacks what the scorer needs; it is counted apart from real failures."""
    return ScoreFailure(kind="not_applicable", message=what)
