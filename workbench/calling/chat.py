"""The OpenAI chat protocol as data: the body to send, and what a reply means.

| reply | becomes | asked again |
|---|---|---|
| 200 with text | `Output` | |
| 200 with a refusal, or stopped by a content filter | `refusal` | no |
| 200 cut at the token limit · without text · of another model | `truncated` · `empty` · `wrong_model` | no |
| 200 that is cut, no JSON, no chat completion, or has no choices | `malformed` | yes |
| 200 whose body is an error · 409, 5xx | `server_error` | yes |
| 408, no reply in time · 429 · connection lost | `timeout` · `rate_limited` · `connection` | yes |
| 400, 413, 422 | `rejected`, or `too_long` for a prompt over the context window | no |
| 400 over a sampling parameter, 401, 403, 404, 3xx, other 4xx, quota spent | the run stops | no |
| a web page, or no connection at all, from a server that never answered | the run stops | a few times |
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import orjson

from workbench.calling.retry import TRANSIENT
from workbench.calling.secrets import LONGEST, one_line, redact, repeats
from workbench.errors import IncompleteRun, ModelError
from workbench.models import EndpointSpec, OutputFailureKind, Request
from workbench.nouns import canonical_bytes
from workbench.records import Passage

PARAMETERS = ("temperature", "top_p", "seed", "max_tokens", "max_completion_tokens", "response_format")
"""Settings of a spec that a server may refuse outright, for every sample alike."""

_UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecognized|unknown|unexpected|only the default|extra.{0,10}(forbidden|not permitted)"
)
_TOO_LONG = re.compile(
    r"context.{0,10}(length|window|size)|maximum context|prompt is too long|too many tokens|reduce the length"
)
ALTERNATIVES = 20
"""Log-probabilities a token that are asked for, where levels are: the most that the protocol has."""
TOO_MANY = 2**53
"""No server has counted so many tokens; they would fit into no column once those of all attempts are added."""
REPEATED_KEY = "the answer repeats the API key; it was not kept"

_DATED = re.compile(r"[-@:](?:[0-9][0-9.\-]*|latest)")
_SURROGATE = re.compile(rb"\\ud[89a-f]", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """What came back over HTTP, read to its end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    key: str = field(default="", repr=False)
    """The key that was sent, which must not go any further; empty when there is none."""


@dataclass(frozen=True)
class Answer:
    """A usable answer."""

    text: str
    finish_reason: str
    model: str
    levels: dict[str, float] = field(default_factory=dict)
    """Log-probabilities of whole numbers where the answer's last one stands."""
    contexts: tuple[Passage, ...] = ()
    """The passages that came with it, where a pipeline answers."""


@dataclass(frozen=True)
class Trouble:
    """Why there is no usable answer."""

    kind: OutputFailureKind
    message: str
    """In our words and the server's."""
    again: bool = False
    """Whether asking again may help."""
    text: str = ""
    """The part of an answer that did arrive."""
    hint: str = ""
    """What to do when this comes from a server that never answered: the address is probably wrong."""


@dataclass(frozen=True)
class Sent:
    """One HTTP request."""

    url: str
    body: bytes = b""
    method: Literal["POST", "GET"] = "POST"

    @property
    def size(self) -> int:
        """Bytes of what is asked, from which tokens are estimated."""
        return len(self.body) or len(self.url)


class Dialect(Protocol):
    """What is said to a server, and how its reply is read; retries, limits, cache and budget are the client's."""

    @property
    def max_tokens(self) -> int:
        """Longest answer in tokens."""
        ...

    @property
    def marks(self) -> str:
        """What can change an answer besides the spec and the request; part of the cache key where it is not empty."""
        ...

    def sent(self, request: Request) -> Sent:
        """Return the HTTP request."""
        ...

    def read(self, reply: Reply, payload: dict[str, Any] | None) -> Answer | Trouble:
        """Say what a reply means. Raises `ModelError`, `IncompleteRun` for the whole run."""
        ...


@dataclass(frozen=True)
class Chat:
    """The chat protocol."""

    spec: EndpointSpec
    marks: str = ""

    @property
    def max_tokens(self) -> int:
        """Longest answer in tokens."""
        return self.spec.sampling.max_tokens

    def sent(self, request: Request) -> Sent:
        """Return a chat completion request."""
        return Sent(
            f"{self.spec.base_url.rstrip('/')}/chat/completions", canonical_bytes(request_body(self.spec, request))
        )

    def read(self, reply: Reply, payload: dict[str, Any] | None) -> Answer | Trouble:
        """Say what a reply means."""
        return read(reply, payload, self.spec)


def request_body(spec: EndpointSpec, request: Request) -> dict[str, Any]:
    """Return the body of a chat completion request; every decoding parameter that the spec declares is explicit."""
    sampling = spec.sampling
    messages = [{"role": m.role, "content": m.content} for m in request.messages]
    if spec.system is not None and not any(m.role == "system" for m in request.messages):
        messages.insert(0, {"role": "system", "content": spec.system})
    body: dict[str, Any] = {"model": spec.model, "messages": messages, sampling.max_tokens_field: sampling.max_tokens}
    if sampling.temperature is not None:
        body["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        body["top_p"] = sampling.top_p
    if sampling.seed is not None:
        body["seed"] = sampling.seed + request.repeat
    if request.levels:
        body |= {"logprobs": True, "top_logprobs": ALTERNATIVES}
    if request.json_schema is not None and spec.structured != "none":
        body["response_format"] = _response_format(spec.structured, request.json_schema)
    return body


def _response_format(structured: str, schema: dict[str, Any]) -> dict[str, Any]:
    if structured == "json_object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


def parse(body: bytes) -> dict[str, Any] | None:
    """Return a body's JSON object, `None` when it is none. NaN is no JSON; lone surrogates are let through."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        if not _SURROGATE.search(body):
            return None
        value = _parse_with_surrogates(body)
    return value if isinstance(value, dict) else None


def _parse_with_surrogates(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def counted_tokens(payload: dict[str, Any] | None) -> tuple[int | None, int | None]:
    """Return prompt and answer tokens as the server counted them, `None` where it did not."""
    usage = payload.get("usage") if payload is not None else None
    if not isinstance(usage, dict):
        return None, None
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < TOO_MANY else None


def read(reply: Reply, payload: dict[str, Any] | None, spec: EndpointSpec) -> Answer | Trouble:
    """Say what a reply means; `payload` is its parsed body. Raises `ModelError`, `IncompleteRun` for the whole run."""
    found = read_payload(reply, payload, spec)
    if isinstance(found, Trouble):
        return found
    choice = first_choice(found)
    message = choice.get("message")
    if not isinstance(message, dict):
        return Trouble("malformed", "status 200 without a choice to read", again=True)
    return without_key(_read_choice(found, choice, message, spec), reply)


def read_payload(reply: Reply, payload: dict[str, Any] | None, spec: EndpointSpec) -> dict[str, Any] | Trouble:
    """Return the JSON object of a reply that succeeded, or the trouble. Raises as `read` does."""
    if reply.status != 200:
        return _read_status(reply, payload, spec)
    if payload is None:
        return _not_json(reply.body)
    if payload.get("error"):
        return Trouble("server_error", f"status 200 with an error inside: {_error_text(reply, payload)}", again=True)
    return payload


def first_choice(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the first of the choices; empty when there is none."""
    choices = payload.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) else {}


def without_key(outcome: Answer | Trouble, reply: Reply) -> Answer | Trouble:
    """Return the outcome, unless it repeats the key that was sent."""
    said = [words for words in vars(outcome).values() if isinstance(words, str)]
    if isinstance(outcome, Answer):
        said += [words for passage in outcome.contexts for words in (passage.id, passage.text)]
    return Trouble("malformed", REPEATED_KEY) if any(repeats(words, reply.key) for words in said) else outcome


def _read_choice(
    payload: dict[str, Any], choice: dict[str, Any], message: dict[str, Any], spec: EndpointSpec
) -> Answer | Trouble:
    content, served = message.get("content"), payload.get("model")
    text = whole_text(content) if isinstance(content, str) else ""
    served = whole_text(served) if isinstance(served, str) else ""
    reason = choice.get("finish_reason")
    reason = whole_text(reason) if isinstance(reason, str) else "stop"
    if spec.check_model and served and not same_model(spec.model, served):
        return Trouble(
            "wrong_model",
            f"asked for {spec.model!r}, answered by {one_line(served)!r}; correct `model`, or set check_model: false",
        )
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        return Trouble("refusal", "the model declined to answer", text=whole_text(refusal))
    if reason == "content_filter":
        return Trouble("refusal", "the server's content filter stopped the answer", text=text)
    if reason == "length":
        return Trouble("truncated", f"cut at {spec.sampling.max_tokens} tokens (sampling.max_tokens)", text=text)
    if not text:
        return Trouble("empty", f"an answer without text (finish_reason {one_line(reason)!r})")
    return Answer(text, reason, served, _levels(choice.get("logprobs")))


def _levels(logprobs: Any) -> dict[str, float]:
    """Return the log-probabilities of the whole numbers that might stand where the last one does; empty without any."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    for token in reversed(tokens if isinstance(tokens, list) else []):
        if isinstance(token, dict) and _whole_number(token.get("token")):
            top = token.get("top_logprobs")
            found = [t for t in (top if isinstance(top, list) else []) if isinstance(t, dict)]
            return {
                n: float(value)
                for n, value in ((_whole_number(t.get("token")), t.get("logprob")) for t in reversed(found))
                if n and isinstance(value, int | float) and value <= 0
            }
    return {}


def _whole_number(token: Any) -> str:
    """Return the number that a token is, in ASCII digits; empty for any other token."""
    text = token.strip() if isinstance(token, str) else ""
    return text if text.isascii() and text.removeprefix("-").isdigit() else ""


def whole_text(text: str) -> str:
    """Escape lone surrogates, which no file can hold."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def same_model(asked: str, served: str) -> bool:
    """Whether a served model is the one asked for: its own name, or its alias with a date or version behind it."""
    alias = asked.removesuffix("-latest").removesuffix(":latest")
    return served in (asked, alias) or (served.startswith(alias) and _DATED.fullmatch(served[len(alias) :]) is not None)


def _not_json(body: bytes) -> Trouble:
    if body.lstrip()[:200].lower().startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        hint = "a web page answers there, perhaps a sign-in page or a proxy; put the API's own address into base_url"
        return Trouble("malformed", "a web page instead of an API answer", again=True, hint=hint)
    return Trouble("malformed", f"status 200 with {len(body)} bytes that are not one JSON object", again=True)


def _read_status(reply: Reply, payload: dict[str, Any] | None, spec: EndpointSpec) -> Trouble:
    said = f"status {reply.status}: {_error_text(reply, payload)}"
    if _error(payload).get("code") == "insufficient_quota":
        raise IncompleteRun(
            f"{spec.base_url}: the account's quota is spent ({said}); top it up, then run the same command again"
        )
    if reply.status in TRANSIENT:
        kinds: dict[int, OutputFailureKind] = {408: "timeout", 429: "rate_limited"}
        return Trouble(kinds.get(reply.status, "server_error"), said, again=True)
    if reply.status in (400, 413, 422):
        return _read_rejection(said, _error(payload), spec)
    raise ModelError(f"{spec.base_url}: {said}; {_advice(reply, said, spec)}")


def _read_rejection(said: str, error: dict[str, Any], spec: EndpointSpec) -> Trouble:
    words = said.lower()
    if error.get("code") == "context_length_exceeded" or _TOO_LONG.search(words):
        return Trouble("too_long", said)
    refused = (
        error.get("param") if error.get("param") in PARAMETERS else next((p for p in PARAMETERS if p in words), None)
    )
    if refused and (error.get("code") in ("unsupported_parameter", "unsupported_value") or _UNSUPPORTED.search(words)):
        raise ModelError(f"{spec.base_url}: model {spec.model!r} refuses {refused!r} ({said}); {_without(refused)}")
    return Trouble("rejected", said)


def _without(parameter: str) -> str:
    """Return what to write into a spec so that a parameter is not sent."""
    if parameter == "response_format":
        return "set structured: none"
    if parameter == "max_tokens":
        return "set sampling.max_tokens_field: max_completion_tokens"
    if parameter == "max_completion_tokens":
        return "set sampling.max_tokens_field: max_tokens"
    return f"set sampling.{parameter}: null to leave it out, on purpose and for every sample"


def _advice(reply: Reply, said: str, spec: EndpointSpec) -> str:
    if reply.status in (401, 403):
        source = (
            f"the key in ${spec.api_key_env}" if spec.api_key_env else "whether the server wants a key (api_key_env)"
        )
        return f"check {source}"
    if reply.status == 404:
        if "model" in said.lower():
            return (
                f"the server does not know the model {spec.model!r}; see {spec.base_url}/models for the names it knows"
            )
        return "does base_url end in /v1?" if not spec.base_url.rstrip("/").endswith("/v1") else "check base_url"
    if 300 <= reply.status < 400:
        target = _shown(reply.headers.get("location", "?"), reply)
        return f"redirects are not followed; put the final address into base_url (it points to {target})"
    return "is this an OpenAI-compatible server? Check base_url"


def _error(payload: dict[str, Any] | None) -> dict[str, Any]:
    """Return the error object of a body; servers wrap it as `error`, `detail`, or not at all."""
    error = payload.get("error", payload) if payload is not None else {}
    return error if isinstance(error, dict) else {"message": error}


def _error_text(reply: Reply, payload: dict[str, Any] | None) -> str:
    error = _error(payload)
    for name in ("message", "detail", "error"):
        if words := error.get(name):
            return _shown(words if isinstance(words, str) else _told(words), reply)
    return _shown(reply.body[:LONGEST].decode("utf-8", "replace"), reply) or "no explanation"


def _told(value: Any) -> str:
    try:
        return str(value)
    except RecursionError:
        return "an error nested too deeply to be shown"


def _shown(words: str, reply: Reply) -> str:
    """Return a server's words fit for a message."""
    return one_line(redact(words, reply.key))
