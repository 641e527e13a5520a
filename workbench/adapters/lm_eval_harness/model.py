"""A model that answers lm-eval's prompts: here through lm-eval's own `hf`, or by endpoint through our client.

| model of workbench.yaml | text | log-likelihoods |
|---|---|---|
| `local` | lm-eval's `hf` in this process | the same |
| `endpoint` | chat completions, with the task's stop texts | completions with `echo` and `logprobs`, if there are |
| any other | by its own `generate` | refused |
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from workbench.adapters.lm_eval_harness.tasks import ChatTemplate, LmEvalTasks, Prompts, write_responses
from workbench.datasets import Sample
from workbench.errors import ModelError
from workbench.models import LocalSpec, Output, OutputFailure, Request, Usage
from workbench.nouns import fingerprint
from workbench.store.cache import ResponseCache, answer_key, keep_answer, kept_json

AT_ONCE = 256
"""Documents that a local model is given together."""
GATHER = 0.02
"""Seconds a local model waits for more of them."""
SMALL = 64 * 2**20
"""Bytes of weights below which torch's threads wait for each other longer than they compute."""


class Asker(Protocol):
    """Answers lm-eval's instances."""

    concurrency: int

    async def ask(self, prompts: Prompts, request: Request) -> tuple[list[list[Any]], Usage] | OutputFailure:
        """Return the answers to each prompt, and what they consumed."""
        ...

    async def template(self) -> ChatTemplate:
        """Return what makes a prompt of messages."""
        ...

    async def aclose(self) -> None:
        """Release what was opened."""
        ...


class LmEvalModel:
    """Puts each sample to a model as its task wants it; a `Model`."""

    def __init__(
        self, tasks: LmEvalTasks, asker: Asker, system: str | None, cache: ResponseCache | None, identity: str
    ):
        """`cache` keeps whole answers, for models that keep none themselves; `identity` is the model's."""
        self.concurrency = asker.concurrency
        self._tasks = tasks
        self._asker = asker
        self._system = system
        self._cache = cache
        self._identity = fingerprint([identity, tasks.set.fingerprint()])

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Answer one sample. Raises `ModelError` for what concerns every sample."""
        sample = Sample(id=request.sample_id, messages=request.messages)
        template = await self._asker.template() if self._tasks.set.spec.chat_template else None
        prompts = await asyncio.to_thread(self._tasks.prompts, template, self._system, sample)
        answered = await self._asker.ask(prompts, request)
        if isinstance(answered, OutputFailure):
            return answered
        responses, usage = answered
        choices = [str(one.args[1]) for one in prompts.requests]
        output = Output(text=write_responses(self._tasks.output_type(prompts.task), responses, choices), usage=usage)
        if self._cache is not None:
            await keep_answer(self._cache, self._key(request), output)
        return output

    def kept(self, requests: Sequence[Request]) -> Sequence[bytes | None]:
        """Return the answers that are in the cache."""
        if self._cache is None:
            return [None] * len(requests)
        return kept_json(self._cache, [self._key(request) for request in requests])

    async def aclose(self) -> None:
        """Release the model."""
        await self._asker.aclose()

    def _key(self, request: Request) -> bytes:
        """Return the key of an answer. The id counts: two tasks may put one text, and want other things of it."""
        return answer_key(fingerprint([self._identity, request.sample_id]), request)


# ---------------------------------------------------------------- on this machine


@dataclass
class _Waiting:
    prompts: Prompts
    future: asyncio.Future[tuple[list[list[Any]], Usage]]


class LocalAsker:
    """lm-eval's `hf`, loaded at the first question, in a thread. What waits is computed together."""

    concurrency = AT_ONCE

    def __init__(self, spec: LocalSpec, folder: Callable[[Path], Path], batch_size: int) -> None:
        """`folder` makes, inside another, the folder that is loaded: safetensors, configs and tokenizer, no code."""
        self._spec = spec
        self._folder = folder
        self._batch_size = batch_size
        self._loading: asyncio.Task[Any] | None = None
        self._turn = asyncio.Lock()
        self._waiting: list[_Waiting] = []

    async def ask(self, prompts: Prompts, request: Request) -> tuple[list[list[Any]], Usage] | OutputFailure:
        """Answer with whatever else waits."""
        model = await self._model()
        mine = _Waiting(prompts, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        async with self._turn:
            if not mine.future.done():
                await asyncio.sleep(GATHER)
                together, self._waiting = self._waiting, []
                began = perf_counter()
                answers = await asyncio.to_thread(_computed, model, [one.prompts for one in together])
                usage = Usage(latency=(perf_counter() - began) / len(together))
                for one, responses in zip(together, answers, strict=True):
                    one.future.set_result((responses, usage))
        return await mine.future

    async def template(self) -> ChatTemplate:
        """Return the model's own."""
        found: ChatTemplate = (await self._model()).apply_chat_template
        return found

    async def aclose(self) -> None:
        """Let the model go."""
        self._loading = None

    async def _model(self) -> Any:
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._loaded))
        return await asyncio.shield(self._loading)

    def _loaded(self) -> Any:
        import torch
        from lm_eval.models.huggingface import HFLM
        from transformers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()
        torch.manual_seed(1234)  # as lm-eval's `simple_evaluate` does
        device = self._spec.device if self._spec.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        try:
            with tempfile.TemporaryDirectory(prefix="workbench-lm-eval-") as within:
                folder = str(self._folder(Path(within)))
                if _size(Path(folder)) < SMALL and "OMP_NUM_THREADS" not in os.environ:
                    torch.set_num_threads(1)
                return HFLM(pretrained=folder, device=device, dtype=self._spec.dtype, batch_size=self._batch_size)
        except (OSError, ValueError, RuntimeError) as exc:
            raise ModelError(f"lm-eval cannot load {self._spec.base}: {type(exc).__name__}: {exc}"[:500]) from exc


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def _computed(model: Any, asked: Sequence[Prompts]) -> list[list[list[Any]]]:
    """Return for each document, prompt and repeat what the model says. Raises `ModelError`."""
    given = [request for prompts in asked for request in prompts.requests for _ in range(prompts.repeats)]
    said: dict[int, Any] = {}
    try:
        for kind in dict.fromkeys(one.request_type for one in given):
            mine = [at for at, one in enumerate(given) if one.request_type == kind]
            answers = getattr(model, kind)([given[at] for at in mine], disable_tqdm=True)
            said |= dict(zip(mine, answers, strict=True))
    except (RuntimeError, AssertionError, ValueError) as exc:
        fix = "lower batch_size or max_gen_toks, or shorten the prompts"
        raise ModelError(f"lm-eval's hf model stopped: {type(exc).__name__}: {exc}"[:500] + f"; {fix}") from exc
    flat = iter(said[at] for at in range(len(given)))
    return [[[next(flat) for _ in range(p.repeats)] for _ in p.requests] for p in asked]
