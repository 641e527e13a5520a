"""A model whose answers already exist, such as a production log. Nothing is generated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from workbench.models import Output, OutputFailure, Request


class Answers(Protocol):
    """Recorded answers, looked up by sample and repeat."""

    def find(self, wanted: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], bytes]:
        """Return the answers that there are, as JSON of an `Output`."""
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
        found = self.recorded([(request.sample_id, request.repeat)])[0]
        return Output.model_validate_json(found) if isinstance(found, bytes) else found

    def recorded(self, wanted: Sequence[tuple[str, int]]) -> Sequence[bytes | OutputFailure]:
        """Look all answers up at once."""
        found = self._answers.find(wanted)
        return [found.get(each) or _missing(*each) for each in wanted]

    async def aclose(self) -> None:
        """Close the answers."""
        self._answers.close()


def _missing(sample_id: str, repeat: int) -> OutputFailure:
    which = f"sample '{sample_id}'" + (f", repeat {repeat}" if repeat else "")
    return OutputFailure(kind="missing", message=f"there is no recorded output for {which}")
