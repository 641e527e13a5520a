"""A model that answers lm-eval's prompts: here through lm-eval's own `hf`, or by endpoint through our client.

| model of workbench.yaml | text | log-likelihoods |
|---|---|---|
| `local` | lm-eval's `hf` in this process | the same |
| `endpoint` | chat completions, with the task's stop texts | completions with `echo` and `logprobs`, if there are |
| any other | by its own `generate` | refused |
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from workbench.adapters.lm_eval_tasks import ChatTemplate, LmEvalTasks, Prompts, write_responses
from workbench.calling.chat import (
    Answer,
    Chat,
    Reply,
    Sent,
    Trouble,
    first_choice,
    read_payload,
    request_body,
    without_key,
)
from workbench.datasets import Sample
from workbench.errors import ConfigError, ModelError, Problem
from workbench.models import EndpointSpec, LocalSpec, Model, Output, OutputFailure, Request, Usage
from workbench.nouns import canonical_bytes, fingerprint
from workbench.records import Message
from workbench.scoring.harness import total
from workbench.store.cache import ResponseCache, answer_key, keep_answer, kept_json

AT_ONCE = 256
"""Documents that a local model is given together."""
GATHER = 0.02
"""Seconds a local model waits for more of them."""
LONGEST_ANSWER = 256
"""Tokens of an answer where a task says nothing: lm-eval's default."""
SMALL = 64 * 2**20
"""Bytes of weights below which torch's threads wait for each other longer than they compute."""
STOPS = 4
"""Stop texts that the chat protocol takes."""


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
            keep_answer(self._cache, self._key(request), output)
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


# ---------------------------------------------------------------- by endpoint


class Speaker(Protocol):
    """A client that speaks more than one dialect."""

    concurrency: int

    async def ask(self, request: Request, dialect: Any) -> Output | OutputFailure: ...

    async def aclose(self) -> None: ...


class EndpointAsker:
    """Our client, with its limits, cache, budget and retries."""

    def __init__(self, spec: EndpointSpec, client: Speaker) -> None:
        self.concurrency = spec.limits.concurrency
        self._spec = spec
        self._client = client

    async def ask(self, prompts: Prompts, request: Request) -> tuple[list[list[Any]], Usage] | OutputFailure:
        """Ask each prompt as often as the task wants."""
        asked = [
            self._one(one, request, repeat) for one in prompts.requests for repeat in _repeats(prompts, request.repeat)
        ]
        return _together(await asyncio.gather(*asked), prompts, self._heard)

    async def template(self) -> ChatTemplate:
        """Return messages as JSON: the server has the template."""
        return _as_json

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _one(self, one: Any, request: Request, repeat: int) -> Output | OutputFailure:
        prompt, more = one.args[0], one.args[1]
        asked = Request(messages=_messages(prompt), sample_id=request.sample_id, repeat=repeat)
        if one.request_type == "generate_until":
            return await self._client.ask(asked, Until.of(self._spec, more))
        return await self._client.ask(asked, Likelihood(self._spec, prompt, more))

    def _heard(self, output: Output) -> Any:
        return tuple(json.loads(output.text)) if output.finish_reason == LIKELIHOOD else output.text


class ModelAsker:
    """Any other model: it is asked for text by its own rules, which is cut where the task says."""

    def __init__(self, model: Model) -> None:
        self.concurrency = model.concurrency
        self._model = model

    async def ask(self, prompts: Prompts, request: Request) -> tuple[list[list[Any]], Usage] | OutputFailure:
        """Ask each prompt as often as the task wants."""
        asked = [
            self._one(one, request, repeat) for one in prompts.requests for repeat in _repeats(prompts, request.repeat)
        ]
        return _together(await asyncio.gather(*asked), prompts, lambda output: output.text)

    async def template(self) -> ChatTemplate:
        """Return messages as JSON: the model has the template."""
        return _as_json

    async def aclose(self) -> None:
        """Close the model."""
        await self._model.aclose()

    async def _one(self, one: Any, request: Request, repeat: int) -> Output | OutputFailure:
        asked = Request(messages=_messages(one.args[0]), sample_id=request.sample_id, repeat=repeat)
        answer = await self._model.generate(asked)
        if isinstance(answer, OutputFailure):
            return answer
        return answer.model_copy(update={"text": _cut(answer.text, _stops(one.args[1]))})


def _repeats(prompts: Prompts, repeat: int) -> range:
    return range(repeat * prompts.repeats, (repeat + 1) * prompts.repeats)


def _together(
    outputs: Sequence[Output | OutputFailure], prompts: Prompts, heard: Callable[[Output], Any]
) -> tuple[list[list[Any]], Usage] | OutputFailure:
    """Return all answers by prompt; one that failed is the sample's failure, with what all of them consumed."""
    usage = total([output.usage for output in outputs])
    for output in outputs:
        if isinstance(output, OutputFailure):
            return output.model_copy(update={"usage": usage})
    flat = iter([heard(output) for output in outputs if isinstance(output, Output)])
    return [[next(flat) for _ in range(prompts.repeats)] for _ in prompts.requests], usage


def _as_json(messages: Sequence[dict[str, str]], add_generation_prompt: bool = True) -> str:
    return json.dumps(list(messages))


def _messages(prompt: str) -> tuple[Message, ...]:
    """Return the messages of a prompt: those that it holds as JSON, else itself as the user's."""
    found = json.loads(prompt) if prompt.startswith('[{"role"') else [{"role": "user", "content": prompt}]
    return tuple(Message.model_validate({"role": one["role"], "content": one["content"]}) for one in found)


def _stops(told: dict[str, Any]) -> list[str]:
    until = told.get("until") or []
    return [until] if isinstance(until, str) else list(until)


def _cut(text: str, stops: Sequence[str]) -> str:
    for stop in stops:
        text = text.split(stop)[0] if stop else text
    return text


@dataclass(frozen=True)
class Until:
    """The chat protocol with a task's own decoding. A cut or empty answer is what the model says: lm-eval scores it."""

    spec: EndpointSpec
    """With the task's sampling."""
    stop: tuple[str, ...]

    @classmethod
    def of(cls, spec: EndpointSpec, told: dict[str, Any]) -> Until:
        """Return the dialect of a task's `generation_kwargs`."""
        sampling = {
            "temperature": float(told.get("temperature") or 0.0) if told.get("do_sample") else 0.0,
            "max_tokens": int(told.get("max_gen_toks") or LONGEST_ANSWER),
            "top_p": told.get("top_p") if told.get("do_sample") else None,
        }
        own = spec.sampling.model_copy(update=sampling)
        return cls(spec.model_copy(update={"sampling": own}), tuple(_stops(told)))

    @property
    def max_tokens(self) -> int:
        """Longest answer in tokens."""
        return self.spec.sampling.max_tokens

    @property
    def marks(self) -> str:
        """The task's decoding."""
        return fingerprint(["lm-eval", self.spec.sampling.model_dump(mode="json"), list(self.stop)])

    def sent(self, request: Request) -> Sent:
        """Return a chat completion request with stop texts."""
        body = request_body(self.spec, request)
        if self.stop:
            body["stop"] = list(self.stop[:STOPS])
        return Sent(f"{self.spec.base_url.rstrip('/')}/chat/completions", canonical_bytes(body))

    def read(self, reply: Reply, payload: dict[str, Any] | None) -> Answer | Trouble:
        """Say what a reply means."""
        found = Chat(self.spec).read(reply, payload)
        if isinstance(found, Trouble) and found.kind in ("truncated", "empty"):
            reason = "length" if found.kind == "truncated" else "stop"
            return Answer(_cut(found.text, self.stop), reason, self.spec.model)
        return (
            found
            if isinstance(found, Trouble)
            else Answer(_cut(found.text, self.stop), found.finish_reason, found.model)
        )


LIKELIHOOD = "likelihood"
"""Stands as the reason why an answer ended that is none, but a log-likelihood."""


@dataclass(frozen=True)
class Likelihood:
    """The completions protocol with `echo`: the log-likelihood of a continuation after a prompt."""

    spec: EndpointSpec
    prompt: str
    continuation: str
    max_tokens: int = 1

    @property
    def marks(self) -> str:
        """Prompt and continuation: the request does not tell where one ends."""
        return fingerprint(["lm-eval", "likelihood", self.prompt, self.continuation])

    def sent(self, request: Request) -> Sent:
        """Return a completion request that wants the prompt back with its tokens' log-probabilities."""
        body = {
            "model": self.spec.model, "prompt": self.prompt + self.continuation, "max_tokens": self.max_tokens,
            "temperature": 0, "logprobs": 1, "echo": True,
        }  # fmt: skip
        return Sent(f"{self.spec.base_url.rstrip('/')}/completions", canonical_bytes(body))

    def read(self, reply: Reply, payload: dict[str, Any] | None) -> Answer | Trouble:
        """Return (sum, whether greedy) as JSON. Raises `ModelError` for a server that does not tell."""
        if reply.status in (404, 405, 501):
            raise self._untold(f"it has no /completions (status {reply.status})")
        found = read_payload(reply, payload, self.spec)
        if isinstance(found, Trouble):
            return found
        told = first_choice(found).get("logprobs")
        if not isinstance(told, dict):
            raise self._untold("its completions carry no `logprobs`")
        value = self._summed(told)
        if isinstance(value, Trouble):
            return value
        served = found.get("model")
        return without_key(Answer(json.dumps(value), LIKELIHOOD, served if isinstance(served, str) else ""), reply)

    def _summed(self, told: dict[str, Any]) -> tuple[float, bool] | Trouble:
        """Add up the continuation's tokens, which begin where the prompt ends, trailing blanks excepted."""
        offsets, values, best = (told.get(name) for name in ("text_offset", "token_logprobs", "top_logprobs"))
        tokens = told.get("tokens")
        if not (isinstance(offsets, list) and isinstance(values, list) and isinstance(tokens, list)):
            raise self._untold("its `logprobs` lack tokens, offsets or values")
        start, end = len(self.prompt.rstrip()), len(self.prompt + self.continuation)
        mine = [at for at, offset in enumerate(offsets) if start <= offset < end]
        if not mine or any(not isinstance(values[at], int | float) for at in mine):
            raise self._untold("it does not echo the prompt's tokens")
        if not math.isfinite(summed := math.fsum(values[at] for at in mine)):
            return Trouble("malformed", f"a log-likelihood of {summed}")
        return summed, all(_greedy(best, at, tokens[at]) for at in mine)

    def _untold(self, why: str) -> ModelError:
        fix = "ask tasks of output_type generate_until, or evaluate the model as `kind: local`"
        return ModelError(f"{self.spec.base_url} gives no log-likelihoods: {why}; {fix}")


def _greedy(best: Any, at: int, token: str) -> bool:
    """Return whether a token is the likeliest at its place."""
    here = best[at] if isinstance(best, list) and at < len(best) else None
    return isinstance(here, dict) and bool(here) and max(here, key=lambda one: here[one]) == token


def refuse_likelihoods(tasks: LmEvalTasks, what: str) -> None:
    """Raise `ConfigError` for tasks that ask for log-likelihoods of a model that has none."""
    if kinds := sorted(tasks.kinds() - {"generate_until"}):
        fix = "evaluate a model of `kind: local`, or of `kind: endpoint` whose server has /completions with echo"
        why = f"a model of kind '{what}' gives no log-likelihoods"
        raise ConfigError(Problem("LM_EVAL_TASK", why, field="harness.tasks", got=", ".join(kinds), fix=fix))
