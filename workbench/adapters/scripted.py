"""The shipped test double: a model that says what it is told to, and fails when it is told to."""

from __future__ import annotations

import asyncio
import hashlib

from workbench.models import Fault, Output, OutputFailure, Request, ScriptedSpec, Usage


class ScriptedModel:
    """Answers from a script. Which requests fail depends on sample and repeat alone, not on order or time."""

    def __init__(self, spec: ScriptedSpec) -> None:
        self.spec = spec
        self.concurrency = spec.concurrency

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Answer one request, after the script's latency. Costs nothing: `attempts` is 0."""
        if self.spec.latency:
            await asyncio.sleep(self.spec.latency)
        usage = Usage(latency=self.spec.latency)
        for fault in self.spec.faults:
            if strikes(fault, request):
                return OutputFailure(kind=fault.kind, message=f"scripted fault, one in {fault.every}", usage=usage)
        text = self.spec.replies.get(request.sample_id)
        if text is None and self.spec.default == "missing":
            return OutputFailure(
                kind="missing", message=f"the script has no reply for sample '{request.sample_id}'", usage=usage
            )
        if text is None:
            text = _last_question(request) if self.spec.default == "echo" else ""
        return Output(text=text, model="scripted", usage=usage)

    async def aclose(self) -> None:
        """Do nothing: nothing was opened."""


def strikes(fault: Fault, request: Request) -> bool:
    """Return whether a fault hits this request: one in `every`, by a stable hash of kind, sample and repeat."""
    key = f"{fault.kind}\n{request.sample_id}\n{request.repeat}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(key).digest()[:8], "big") % fault.every == 0


def _last_question(request: Request) -> str:
    return next((m.content for m in reversed(request.messages) if m.role == "user"), "")
