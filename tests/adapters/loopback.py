"""A judge over loopback, a sample to judge, and an embedding model that needs no file."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import load_workbench
from workbench.datasets import Sample
from workbench.jobs.opening import Opened, open_models
from workbench.records import Message, Passage
from workbench.simulated.endpoint import SimulatedEndpoint, simulated_endpoint
from workbench.simulated.plan import Plan

QUESTION, ANSWER, REFERENCE = "When was it built?", "It was built in 1889. It is red.", "It was built in 1889."
CONTEXTS = ("Built in 1889 for the fair.", "Painted brown since 1968.")


class Lettered:
    """An embedding model that counts letters."""

    async def embed(self, texts: list[str]) -> list[list[float]]:
        return [vector(text) for text in texts]

    async def aclose(self) -> None:
        pass


def vector(text: str) -> list[float]:
    counts = [float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"]
    return [count / math.hypot(*counts) for count in counts]


@dataclass
class Stage:
    """An endpoint and the tools that reach it."""

    server: SimulatedEndpoint
    tools: Opened


@asynccontextmanager
async def staged(folder: Path, plan: Plan) -> AsyncIterator[Stage]:
    async with simulated_endpoint(plan) as server, reached(folder, server) as tools:
        yield Stage(server, tools)


@asynccontextmanager
async def reached(folder: Path, server: SimulatedEndpoint) -> AsyncIterator[Opened]:
    (folder / "workbench.yaml").write_text(
        f"models:\n  j: {{kind: endpoint, base_url: '{server.base_url}', model: simulated, structured: json_schema,\n"
        "    price: {input: 1.0, output: 2.0}, limits: {attempts: 1, concurrency: 8}}\ncandidate: j\n"
    )
    async with open_models(load_workbench(folder / "workbench.yaml"), ["j"], Budget(None), print) as opened:
        opened.embedders["all-MiniLM-L6-v2"] = Lettered()  # type: ignore[assignment]
        yield opened


def sample(number: int = 0) -> Sample:
    question = f"{QUESTION} ({number})" if number else QUESTION
    contexts = tuple(Passage(id=text[:5], text=text) for text in CONTEXTS)
    return Sample(
        id=f"s{number}",
        messages=(Message(role="user", content=question),),
        references=(REFERENCE,),
        contexts=contexts,
    )
