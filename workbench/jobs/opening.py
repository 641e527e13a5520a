"""Open the models that a run names: each kind from its own adapter, behind one protocol, closed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from workbench.adapters.openai_endpoint import OpenAIEndpoint
from workbench.adapters.recorded import RecordedModel
from workbench.adapters.scripted import ScriptedModel
from workbench.adapters.sentence_transformers import Embedder
from workbench.adapters.transformers_serve import Prepared, Served, prepare, serve
from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.identities import identity
from workbench.models import (
    EndpointSpec,
    LocalSpec,
    Model,
    Output,
    OutputFailure,
    Price,
    RecordedSpec,
    Request,
    ScriptedSpec,
)
from workbench.store.cache import ResponseCache, answer_key, keep_answer, kept_answer

Say = Callable[[str], None]
FREE = Price(input=0, output=0)


@dataclass
class Opened:
    """Models and embedders that are open; the `Tools` of scorers."""

    models: dict[str, Model] = field(default_factory=dict)
    embedders: dict[str, Embedder] = field(default_factory=dict)

    async def ask(self, judge: str, request: Request) -> Output | OutputFailure:
        """Put a request to a judge."""
        return await self.models[judge].generate(request)

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """Return one unit-length vector a text; the model is loaded at the first call."""
        if model not in self.embedders:
            self.embedders[model] = Embedder(model)
        return await self.embedders[model].embed(texts)


@asynccontextmanager
async def open_models(bench: Workbench, names: Sequence[str], budget: Budget, say: Say) -> AsyncIterator[Opened]:
    """Open models of workbench.yaml by name; close them, and stop what was started for them, when the block ends.

    Everything that can be checked is checked here, before the first question; a local server is started at the first
    question that the response cache cannot answer.
    """
    cache = ResponseCache(bench.home.cache / "answers.sqlite")
    opened = Opened()
    async with AsyncExitStack() as stack:
        stack.callback(cache.close)
        server = LocalServer(bench, stack, budget, say)
        for name in names:
            model = _open(bench, name, cache, budget, server)
            stack.push_async_callback(model.aclose)
            opened.models[name] = model
        try:
            yield opened
        finally:
            for embedder in opened.embedders.values():
                await embedder.aclose()


def _open(bench: Workbench, name: str, cache: ResponseCache, budget: Budget, server: LocalServer) -> Model:
    spec = bench.model(name)
    match spec:
        case EndpointSpec():
            return OpenAIEndpoint(spec, cache, budget, identity(bench, name))
        case LocalSpec():
            return LocalModel(
                name, server.add(name, spec), cache if spec.cache else None, identity(bench, name), server
            )
        case RecordedSpec():
            from workbench.reading.recorded import RecordedAnswers

            return RecordedModel(RecordedAnswers.open(bench.path(spec.path), spec, bench.home.root))
        case ScriptedSpec():
            return ScriptedModel(spec)


class LocalServer:
    """One `transformers serve` for all local models of a run, started when the first of them is really asked."""

    def __init__(self, bench: Workbench, stack: AsyncExitStack, budget: Budget, say: Say) -> None:
        self._bench = bench
        self._stack = stack
        self._budget = budget
        self._say = say
        self._prepared: dict[str, Prepared] = {}
        self._starting: asyncio.Task[dict[str, Served]] | None = None
        self._endpoints: dict[str, OpenAIEndpoint] = {}

    def add(self, name: str, spec: LocalSpec) -> LocalSpec:
        """Check a model's files now; return its spec with paths that hold from anywhere."""
        here = {
            key: str(self._bench.path(value)) if value and self._bench.path(value).is_dir() else value
            for key, value in (("base", spec.base), ("adapter", spec.adapter))
        }
        found = spec.model_copy(update=here)
        self._prepared[name] = prepare(found, self._bench.home.cache / "weights.json")
        return found

    async def served(self, name: str) -> Served:
        """Return how a model is served; the first caller starts the server, the others wait for it."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        return (await asyncio.shield(self._starting))[name]

    async def _start(self) -> dict[str, Served]:
        return await self._stack.enter_async_context(serve(self._prepared, self._bench.home.logs, self._say))

    async def ask(self, name: str, request: Request) -> tuple[Output | OutputFailure, int | None]:
        """Return a model's answer and its context window."""
        served = await self.served(name)
        if name not in self._endpoints:
            # The server is ours: tokens cost nothing, and the cache is asked before it, by a key without port and path.
            spec = served.endpoint.model_copy(update={"price": FREE})
            self._endpoints[name] = OpenAIEndpoint(spec, None, self._budget, served.identity)
            self._stack.push_async_callback(self._endpoints[name].aclose)
        return await self._endpoints[name].generate(request), served.context


class LocalModel:
    """A model on this machine; a `Model`."""

    def __init__(
        self, name: str, spec: LocalSpec, cache: ResponseCache | None, identity: str, server: LocalServer
    ) -> None:
        self.concurrency = spec.limits.concurrency
        self._name = name
        self._cache = cache
        self._identity = identity
        self._server = server

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Answer from the cache, else from the server, which is started when nobody did."""
        key = answer_key(self._identity, request)
        if self._cache is not None and (kept := kept_answer(self._cache, key)) is not None:
            return kept
        answer, context = await self._server.ask(self._name, request)
        if not isinstance(answer, Output):
            return answer
        used = (answer.usage.input_tokens or 0) + (answer.usage.output_tokens or 0)
        if context is not None and used > context:
            # transformers serve goes on past the window, where the model's words mean nothing.
            message = f"prompt and answer take {used} tokens; the model's window holds {context}"
            return OutputFailure(kind="too_long", message=message, text=answer.text, usage=answer.usage)
        if self._cache is not None:
            keep_answer(self._cache, key, answer)
        return answer

    async def aclose(self) -> None:
        """Do nothing: the server ends with the run."""
