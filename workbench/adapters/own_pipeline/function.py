"""A user's own pipeline as a Python function, in processes of its own. JSON goes over pipes; nothing is unpickled.

A process answers one question at a time. One that takes too long is killed and replaced, one that dies is replaced;
what it was asked is a failure of that question alone. It ends with us, however we end: its questions end.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from workbench.adapters.own_pipeline import child
from workbench.adapters.own_pipeline.http import passages
from workbench.calling.budget import Budget
from workbench.calling.chat import whole_text
from workbench.errors import ModelError
from workbench.models import CallableSpec, Output, OutputFailure, Request, Usage, searched_for

LARGEST = 32 * 2**20
"""Bytes of one answer."""
STOP_SECONDS = 2.0


@dataclass
class Worker:
    """One process, ready to answer."""

    process: asyncio.subprocess.Process
    asked: int = 0


class CallablePipeline:
    """Asks the function; a `Model`. Answers are not kept: what else the function reads is not known."""

    def __init__(self, spec: CallableSpec, where: Path | None, log: Path, budget: Budget) -> None:
        """`where` is the file of the function; `None`: an installed package has it. `log` takes what it prints.

        `budget` is charged what the function says that an answer cost.
        """
        self.concurrency = spec.processes
        self._spec = spec
        self._where = where
        self._log = log
        self._budget = budget
        self._slots = asyncio.Semaphore(spec.processes)
        self._idle: list[Worker] = []
        self._all: set[asyncio.subprocess.Process] = set()

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Answer one request. Raises `ModelError` when the function cannot be loaded."""
        async with self._slots:
            self._budget.check()
            worker = self._idle.pop() if self._idle else await self._started()
            began = perf_counter()
            try:
                said = await asyncio.wait_for(_asked(worker, _question(request, self._spec)), self._spec.timeout)
            except TimeoutError:
                await self._end(worker)
                usage = Usage(latency=perf_counter() - began, attempts=1)
                what = f"no answer within {self._spec.timeout:g} s; its process was ended"
                return OutputFailure(kind="timeout", message=what, usage=usage)
            except BaseException:
                await self._end(worker)
                raise
            usage = Usage(latency=perf_counter() - began, attempts=1)
            if said is None:
                await self._end(worker)
                status = worker.process.returncode
                what = f"the function's process ended with status {status}; its log is {self._log}"
                return OutputFailure(kind="server_error", message=what, usage=usage)
            self._idle.append(worker)
            outcome = _read(said, usage)
            self._budget.charge(outcome.usage.charged or 0.0)
            return outcome

    async def aclose(self) -> None:
        """End the processes."""
        for process in tuple(self._all):
            await _stopped(process)
        self._all.clear()

    async def _started(self) -> Worker:
        """Start a process and wait until it has loaded the function. Raises `ModelError`."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        where = "entry point" if self._where is None else str(self._where)
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", str(Path(child.__file__)), where, self._spec.name),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LARGEST,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # Ctrl-C is ours to handle: answers under way still arrive
            )
        self._all.add(process)
        worker = Worker(process)
        try:
            ready = await asyncio.wait_for(_line(process), self._spec.startup_timeout)
        except TimeoutError:
            await self._end(worker)
            what = f"{self._spec.function or self._spec.entry_point} was not loaded within"
            raise ModelError(f"{what} {self._spec.startup_timeout:g} s; raise startup_timeout") from None
        if ready is None or "ready" not in ready:
            await self._end(worker)
            why = (ready or {}).get("broken", "its process ended")
            what = f"{self._spec.function or self._spec.entry_point} cannot be loaded: {why}"
            raise ModelError(f"{what}; its log is {self._log}")
        return worker

    async def _end(self, worker: Worker) -> None:
        await _stopped(worker.process)
        self._all.discard(worker.process)


async def _asked(worker: Worker, asked: dict[str, Any]) -> dict[str, Any] | None:
    """Return the answer to a question; `None` when the process is gone, or speaks otherwise than agreed."""
    worker.asked += 1
    stdin = worker.process.stdin
    assert stdin is not None
    try:
        stdin.write(json.dumps({"id": worker.asked, "asked": asked}).encode() + b"\n")
        await stdin.drain()
        said = await _line(worker.process)
    except ConnectionError:
        return None
    return said if said is not None and said.get("id") == worker.asked else None


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any] | None:
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        found = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:  # no JSON, or a line longer than LARGEST
        return None
    return found if isinstance(found, dict) else None


async def _stopped(process: asyncio.subprocess.Process) -> None:
    """End a process and what it started: asked first, then killed."""
    if process.stdin is not None:
        process.stdin.close()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _question(request: Request, spec: CallableSpec) -> dict[str, Any]:
    said = [{"role": message.role, "content": message.content} for message in request.messages]
    question = searched_for(request.messages[-1].content, spec.question_after)
    return {"question": question, "messages": said, "repeat": request.repeat}


def _read(said: dict[str, Any], usage: Usage) -> Output | OutputFailure:
    """Return what an answer means: a text, or an object with `answer`, `contexts` and what it cost."""
    if "failed" in said:
        return OutputFailure(kind="server_error", message=whole_text(str(said["failed"])), usage=usage)
    value = said.get("said")
    found = {"answer": value} if isinstance(value, str) else value
    if not isinstance(found, dict) or not isinstance(found.get("answer"), str):
        what = "the function returned neither a text nor an object with the text `answer`"
        return OutputFailure(kind="malformed", message=what, usage=usage)
    text = whole_text(found["answer"])
    given = found.get("contexts", [])
    contexts = passages(given, "text", "id", "score") if isinstance(given, list) else None
    usage = usage.model_copy(update=_counted(found))
    if contexts is None:
        what = "`contexts` is no list of texts or of objects with the text `text`"
        return OutputFailure(kind="malformed", message=what, text=text, usage=usage)
    if not text:
        return OutputFailure(kind="empty", message="an answer without text", usage=usage)
    return Output(text=text, contexts=contexts, usage=usage)


def _counted(found: dict[str, Any]) -> dict[str, Any]:
    """Return the tokens and the cost that a function tells, as far as they are numbers that can be."""
    counted: dict[str, Any] = {}
    for name in ("input_tokens", "output_tokens"):
        value = found.get(name)
        if type(value) is int and 0 <= value < 2**53:
            counted[name] = value
    cost = found.get("cost")
    if isinstance(cost, int | float) and not isinstance(cost, bool) and math.isfinite(cost) and cost >= 0:
        counted |= {"cost": float(cost), "charged": float(cost)}
    return counted
