"""lm-eval's prompts put to an endpoint, in two dialects of its protocol, or to any other model by its own rules."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workbench.adapters.lm_eval_harness.tasks import ChatTemplate, LmEvalTasks, Prompts
from workbench.calling.chat import (
    Answer,
    Chat,
    Dialect,
    Reply,
    Sent,
    Trouble,
    first_choice,
    read_payload,
    request_body,
    without_key,
)
from workbench.errors import ConfigError, ModelError, Problem
from workbench.models import EndpointSpec, Model, Output, OutputFailure, Request, Usage
from workbench.nouns import canonical_bytes, fingerprint
from workbench.records import Message
from workbench.scoring.harness import total

LONGEST_ANSWER = 256
"""Tokens of an answer where a task says nothing: lm-eval's default."""
STOPS = 4
"""Stop texts that the chat protocol takes."""


class Speaker(Protocol):
    """A client that speaks more than one dialect."""

    concurrency: int

    async def ask(self, request: Request, dialect: Dialect) -> Output | OutputFailure: ...

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
