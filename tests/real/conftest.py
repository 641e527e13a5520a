"""Real data where it is there, a word where it is not, and the measured figures below the test run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.real.conversions import ABSENT, Recorded, data_folder, read_rows
from workbench.models import Output
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Tools
from workbench.scoring.specs import ScorerSpec

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def rows() -> Callable[[str], list[dict[str, Any]]]:
    """Return a reader of extracts; the test is skipped, with a word, where they are absent."""

    def read(name: str) -> list[dict[str, Any]]:
        folder = data_folder()
        if folder is None or not (folder / f"{name}.jsonl").is_file():
            pytest.skip(ABSENT)
        return read_rows(folder, name)

    return read


@pytest.fixture(scope="session")
def score_all() -> Callable[..., list[Score | ScoreFailure]]:
    """Return a function that scores recorded outputs with the scorer of the given fields."""

    def run(fields: dict[str, Any], recorded: Recorded, tools: Tools | None = None) -> list[Score | ScoreFailure]:
        scorer = TypeAdapter(ScorerSpec).validate_python(fields)

        async def all_of_them() -> list[Score | ScoreFailure]:
            pairs = zip(recorded.samples, recorded.outputs, strict=True)
            return [await scorer.score(sample, Output(text=text), tools) for sample, text in pairs]

        return asyncio.run(all_of_them())

    return run


@pytest.fixture
def figure(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Return a function that keeps a measured figure for the end of the test run."""
    return pytestconfig.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show the figures."""
    if figures := config.stash.get(FIGURES, []):
        terminalreporter.section("measured on real data")
        for line in figures:
            terminalreporter.write_line(line)
