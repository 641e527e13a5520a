"""A model whose answers already exist, such as a production log. Nothing is generated."""

from __future__ import annotations

from typing import Protocol

from workbench.models import Output, OutputFailure, Request


class Answers(Protocol):
    """Recorded answers, looked up by sample and repeat."""

    def get(self, sample_id: str, repeat: int) -> Output | None:
        """Return the answer, or `None` when there is none."""
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
        output = self._answers.get(request.sample_id, request.repeat)
        if output is not None:
            return output
        which = f"sample '{request.sample_id}'" + (f", repeat {request.repeat}" if request.repeat else "")
        return OutputFailure(kind="missing", message=f"there is no recorded output for {which}")

    async def aclose(self) -> None:
        """Close the answers."""
        self._answers.close()
