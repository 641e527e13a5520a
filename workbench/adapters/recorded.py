"""A model whose answers already exist, such as a production log. Nothing is generated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from workbench.models import Output, OutputFailure, Request


class Answers(Protocol):
    """Recorded answers, looked up by sample and repeat."""

    def find(self, wanted: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Output]:
        """Return the answers that there are."""
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...


class RecordedModel:
    """Gives back what was recorded; a sample without an answer is a failure of kind `missing`."""

    concurrency = 64

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Look one answer up."""
        return self.kept([request])[0]

    def kept(self, requests: Sequence[Request]) -> Sequence[Output | OutputFailure]:
        """Look all answers up at once."""
        found = self._answers.find([(r.sample_id, r.repeat) for r in requests])
        return [found.get((r.sample_id, r.repeat)) or _missing(r) for r in requests]

    async def aclose(self) -> None:
        """Close the answers."""
        self._answers.close()


def _missing(request: Request) -> OutputFailure:
    which = f"sample '{request.sample_id}'" + (f", repeat {request.repeat}" if request.repeat else "")
    return OutputFailure(kind="missing", message=f"there is no recorded output for {which}")
