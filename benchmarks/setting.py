"""What every benchmark is given: how many rounds, how large, where to write, and how to say what is running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sizes:
    """How much a benchmark does."""

    judgements: int
    """Judge calls of one run."""
    latencies_ms: tuple[int, int]
    """Of the endpoint: a quick server and a slow one."""
    in_flight: int
    """Requests at once."""
    many: int
    """Judgements of a large run: all cached, or half done."""
    few_samples: int
    many_samples: int
    """Samples of the two runs whose memory is compared."""
    runs: int
    """Run folders behind the tables."""
    samples_per_run: int
    scorers: int
    """Scores a sample."""
    texts: int
    """Texts among which near-duplicates are looked for."""
    import_mb: int
    """MB of JSONL that are imported."""


FULL = Sizes(
    judgements=1000,
    latencies_ms=(50, 500),
    in_flight=64,
    many=10_000,
    few_samples=1000,
    many_samples=100_000,
    runs=50,
    samples_per_run=2000,
    scorers=10,
    texts=200_000,
    import_mb=1000,
)
QUICK = Sizes(
    judgements=24,
    latencies_ms=(5, 20),
    in_flight=8,
    many=80,
    few_samples=20,
    many_samples=200,
    runs=3,
    samples_per_run=60,
    scorers=4,
    texts=400,
    import_mb=1,
)
"""Enough to see that everything runs; says nothing about speed."""


@dataclass(frozen=True)
class Setting:
    """Where and how a benchmark is made."""

    sizes: Sizes
    rounds: int
    folder: Path
    """Empty; for everything the benchmark writes."""
    say: Callable[[str], None]

    def each_round(self) -> Iterator[int]:
        """Yield the rounds from 1: everything that is compared runs once in each."""
        yield from range(1, self.rounds + 1)

    def log(self) -> Path:
        """Return where the output of the command under way goes."""
        return self.folder / "output.log"
