"""A sample, an output and tools that answer as told: what every scorer test needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import TypeAdapter

from workbench.datasets import Sample
from workbench.models import Output, OutputFailure, Request
from workbench.records import Message
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Scorer
from workbench.scoring.specs import ScorerSpec

SPECS: TypeAdapter[Scorer] = TypeAdapter(ScorerSpec)


@dataclass
class ToldTools:
    """Tools that give the same reply to every judge's question and look vectors up; they remember what was asked."""

    reply: Output | OutputFailure | None = None
    vectors: dict[str, list[float]] = field(default_factory=dict)
    asked: list[tuple[str, Request]] = field(default_factory=list)

    async def ask(self, judge: str, request: Request) -> Output | OutputFailure:
        self.asked.append((judge, request))
        assert self.reply is not None, "no judge should be called here"
        return self.reply

    def kept(self, judge: str, requests: Sequence[Request]) -> Sequence[bytes | None]:
        return [None] * len(requests)

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        return [self.vectors[text] for text in texts]

    async def measure(self, scorer: Scorer, sample: Sample, output: Output) -> Score | ScoreFailure:
        raise AssertionError("no other project judges here")


@pytest.fixture(scope="session")
def spec() -> Callable[..., Scorer]:
    """Return a spec made from YAML-like fields, as the config does it."""

    def make(kind: str, **fields: Any) -> Scorer:
        return SPECS.validate_python({"kind": kind, **fields})

    return make


@pytest.fixture(scope="session")
def sample() -> Callable[..., Sample]:
    """Return a sample with the given references and fields."""

    def make(*references: str, question: str = "What is it?", **fields: Any) -> Sample:
        return Sample(id="s1", messages=(Message(role="user", content=question),), references=references, **fields)

    return make


@pytest.fixture(scope="session")
def told() -> type[ToldTools]:
    """Return the class of the tools."""
    return ToldTools


@pytest.fixture(scope="session")
def score(sample: Callable[..., Sample]) -> Callable[..., Score | ScoreFailure]:
    """Return a function that scores a text or an output against references, or against a sample."""

    def run(
        scorer: Scorer,
        answer: str | Output,
        *references: str,
        on: Sample | None = None,
        tools: ToldTools | None = None,
    ) -> Score | ScoreFailure:
        output = Output(text=answer) if isinstance(answer, str) else answer
        return asyncio.run(scorer.score(on or sample(*references), output, tools or ToldTools()))

    return run
