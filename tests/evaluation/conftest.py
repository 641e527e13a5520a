"""A small dataset and a model that answers from a dict, for the engine's own tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from workbench.models import Output, OutputFailure, Request, Usage
from workbench.reading.samples import store_dataset
from workbench.reading.stored import StoredDataset


@dataclass
class Answers:
    """Answers by sample id; counts what it was asked. A missing id times out."""

    answers: dict[str, str]
    cost: float = 0.001
    concurrency: int = 4
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def generate(self, request: Request) -> Output | OutputFailure:
        self.asked.append((request.sample_id, request.repeat))
        usage = Usage(input_tokens=10, output_tokens=2, cost=self.cost, latency=0.01, attempts=1)
        text = self.answers.get(request.sample_id)
        if text is None:
            return OutputFailure(kind="timeout", message="no answer within 1 s", usage=usage)
        return Output(text=text, model="answers", usage=usage)

    async def aclose(self) -> None:
        pass


class NoTools:
    """For scorers that call nobody."""

    async def ask(self, judge: str, request: Request) -> Output | OutputFailure:
        raise AssertionError("no judge here")

    def kept(self, judge: str, requests: Sequence[Request]) -> Sequence[bytes | None]:
        raise AssertionError("no judge here")

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        raise AssertionError("no embedder here")


def write_samples(path: Path, n: int, groups: int | None = None) -> Path:
    rows = [
        {
            "id": f"s{i}",
            "group": f"g{i % (groups or n)}",
            "messages": [{"role": "user", "content": f"What is {i}?"}],
            "references": [] if i % 10 == 9 else [f"it is {i}"],
            "tags": {"parity": "even" if i % 2 == 0 else "odd"},
        }
        for i in range(n)
    ]
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


@pytest.fixture
def rows(tmp_path: Path) -> StoredDataset:
    """40 samples in 20 families; each tenth has no reference."""
    source = write_samples(tmp_path / "samples.jsonl", 40, groups=20)
    return store_dataset(source, name="numbers", use="dev", split=None, home=tmp_path / "home")
