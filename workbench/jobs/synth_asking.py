"""Who answers distilabel's tasks: models of workbench.yaml, with a journal in which every reply is kept at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.adapters import distilabel_pipeline
from workbench.adapters.distilabel_pipeline import Answering, Rated
from workbench.errors import WorkbenchError
from workbench.evaluation.engine import FAILURE, SUCCESS, Halt, Progress, encode
from workbench.models import Model, Output, OutputFailure, Request
from workbench.store.cache import Kept, answer_key

AT_ONCE = 256
"""Requests that one batch of a task holds."""


class Halted(Exception):
    """The recipe ends early; what was answered is kept."""


@dataclass
class Asker:
    """Puts requests to models through distilabel; its methods block and are called from a thread of their own."""

    models: Mapping[str, Model]
    identities: Mapping[str, str]
    """Content hash of each model."""
    journal: Kept
    halt: Halt
    watch: Callable[[Progress], None]
    loop: asyncio.AbstractEventLoop
    retry_failed: bool = False
    """Whether what failed before is asked again."""
    progress: Progress = field(default_factory=lambda: Progress(total=0))
    failures: dict[str, str] = field(default_factory=dict)
    """Why a request has no answer, by its name."""

    def chat(self, model: str, requests: Sequence[Request]) -> list[str | None]:
        """Return one text a request, `None` where it failed. Raises `Halted`."""
        self._expect(len(requests))
        found: list[str | None] = []
        for begin in range(0, len(requests), AT_ONCE):
            some = requests[begin : begin + AT_ONCE]
            found += distilabel_pipeline.chat(some, self._answering(model), model)
        return found

    def rate(self, model: str, rows: Sequence[Rated], aspect: str) -> list[tuple[int, ...] | None]:
        """Return one rating an answer for each row, `None` where it failed or could not be read. Raises `Halted`."""
        self._expect(len(rows))
        found: list[tuple[int, ...] | None] = []
        for begin in range(0, len(rows), AT_ONCE):
            found += distilabel_pipeline.rate(rows[begin : begin + AT_ONCE], aspect, self._answering(model), model)
        return found

    def why(self, id: str) -> str:
        """Return why a request has no answer."""
        return self.failures.get(id, "no answer")

    def _expect(self, n: int) -> None:
        self.progress.total = max(self.progress.total, self.progress.done + n)

    def _answering(self, model: str) -> Answering:
        def answering(requests: Sequence[Request]) -> Sequence[Output | OutputFailure]:
            return asyncio.run_coroutine_threadsafe(self._all(model, requests), self.loop).result()

        return answering

    async def _all(self, model: str, requests: Sequence[Request]) -> Sequence[Output | OutputFailure]:
        # Twice the requests that the model takes, so that one is on the wire while another is written down.
        slots = asyncio.Semaphore(2 * self.models[model].concurrency)
        found = await asyncio.gather(*(self._one(model, request, slots) for request in requests))
        if self.halt.event.is_set():
            raise Halted
        return [one for one in found if one is not None]

    async def _one(self, model: str, request: Request, slots: asyncio.Semaphore) -> Output | OutputFailure | None:
        async with slots:
            if self.halt.event.is_set():
                return None
            key = self._key(model, request)
            answer = self._kept(key)
            if answer is not None:
                self.progress.reused += 1
            else:
                try:
                    answer = await self.models[model].generate(request)
                    self.journal.keep([(key, encode(answer))])
                except WorkbenchError as exc:
                    self.halt.because(exc)
                    return None
                self._heard(answer)
        self.progress.done += 1
        if isinstance(answer, OutputFailure):
            self.progress.failed += 1
            self.failures[request.sample_id] = f"{answer.kind}: {answer.message}"
        self.watch(self.progress)
        return answer

    def _heard(self, answer: Output | OutputFailure) -> None:
        self.progress.cost += answer.usage.cost or 0.0
        if answer.usage.attempts:
            self.halt.heard(not (isinstance(answer, OutputFailure) and answer.kind == "connection"))

    def _kept(self, key: bytes) -> Output | OutputFailure | None:
        payload = self.journal.find([key]).get(key)
        if payload is None:
            return None
        if payload.startswith(SUCCESS):
            return Output.model_validate_json(payload[len(SUCCESS) : -1])
        return None if self.retry_failed else OutputFailure.model_validate_json(payload[len(FAILURE) : -1])

    def _key(self, model: str, request: Request) -> bytes:
        """Return the key of a reply; unlike the cache's it has the request's name, which scripted models answer by."""
        name = request.sample_id.encode("utf-8", "surrogatepass")
        return hashlib.sha256(answer_key(self.identities[model], request) + name).digest()
