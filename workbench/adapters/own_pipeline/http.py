"""A user's own pipeline behind HTTP: a question goes out as JSON, an answer with its passages comes back.

What is sent and where the answer stands is data of workbench.yaml; limits, retries, cache, budget and the rules for
addresses are those of every endpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from workbench.calling.chat import Answer, Reply, Sent, Trouble, read_payload, whole_text, without_key
from workbench.errors import ModelError
from workbench.models import EndpointSpec, HttpSpec, Request, searched_for
from workbench.nouns import canonical_bytes
from workbench.records import Passage

HIGHEST = 1e300
"""Size of a score beyond which it is none."""


def as_endpoint(spec: HttpSpec) -> EndpointSpec:
    """Return the pipeline's address, key, limits and price as those of an endpoint, whose client asks it."""
    return EndpointSpec(
        kind="endpoint", base_url=spec.url, model=spec.model_name, api_key_env=spec.api_key_env, limits=spec.limits,
        price=spec.price, cache=spec.cache, check_model=False,
    )  # fmt: skip


@dataclass(frozen=True)
class Pipeline:
    """The fields of one pipeline's requests and replies; a `Dialect`."""

    spec: HttpSpec
    marks: str = ""
    max_tokens: int = 1024
    """What a reply is thought to have where the server does not count."""

    def sent(self, request: Request) -> Sent:
        """Return the HTTP request: JSON in the body, or fields in the address for `GET`."""
        spec, body = self.spec, {**self.spec.fixed}
        question = searched_for(request.messages[-1].content, spec.question_after)
        body = put(body, spec.question, question)
        if spec.messages:
            said = [{"role": message.role, "content": message.content} for message in request.messages]
            body = put(body, spec.messages, said)
        if spec.repeat:
            body = put(body, spec.repeat, request.repeat)
        if spec.method == "GET":
            return Sent(f"{spec.url}?{urlencode({name: str(value) for name, value in body.items()})}", b"", "GET")
        return Sent(spec.url, canonical_bytes(body))

    def read(self, reply: Reply, payload: dict[str, Any] | None) -> Answer | Trouble:
        """Return the answer with its passages. A reply without them where they belong is `malformed`."""
        if reply.status == 404:
            raise ModelError(f"{self.spec.url}: status 404, nothing answers there; check url")
        found = read_payload(reply, payload, as_endpoint(self.spec))
        if isinstance(found, Trouble):
            return found
        spec = self.spec
        text = at(found, spec.answer)
        if not isinstance(text, str):
            return Trouble("malformed", f"the reply has no text at {spec.answer!r}")
        passages = _passages(at(found, spec.contexts), spec) if spec.contexts else ()
        if passages is None:
            return Trouble(
                "malformed", f"the reply has no list of passages at {spec.contexts!r}", text=whole_text(text)
            )
        if not text:
            return Trouble("empty", "an answer without text")
        return without_key(Answer(whole_text(text), "stop", spec.model_name, contexts=passages), reply)


def put(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of nested objects with a value at a path such as `input.question`."""
    name, _, rest = path.partition(".")
    inner = body.get(name)
    return {**body, name: put(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}


def at(value: Any, path: str) -> Any:
    """Return what stands at a path such as `choices.0.text`; `None` where nothing does."""
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit():
            value = value[int(part)] if int(part) < len(value) else None
        else:
            return None
    return value


def passages(given: Sequence[Any], text: str, id: str, score: str) -> tuple[Passage, ...] | None:
    """Return passages of texts, or of objects with these fields; `None` where one has no text. Ids are made unique."""
    made: dict[str, Passage] = {}
    for number, one in enumerate(given, 1):
        words = one if isinstance(one, str) else at(one, text)
        if not isinstance(words, str):
            return None
        named = at(one, id) if isinstance(one, dict) else None
        name = whole_text(str(named)) if isinstance(named, str | int) and str(named) else f"#{number}"
        while name in made:
            name = f"{name}#{number}"
        value = at(one, score) if isinstance(one, dict) else None
        told = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        near = float(told) if told is not None and -HIGHEST < told < HIGHEST else None
        made[name] = Passage(id=name, text=whole_text(words), score=near)
    return tuple(made.values())


def _passages(given: Any, spec: HttpSpec) -> tuple[Passage, ...] | None:
    if not isinstance(given, list) or len(given) > spec.most_contexts:
        return None
    return passages(given, spec.context_text, spec.context_id, spec.context_score)
