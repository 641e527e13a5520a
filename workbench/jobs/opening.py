"""Open the models that a run names: each kind from its own adapter, behind one protocol, closed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from workbench.adapters.lm_eval_harness.tasks import LmEvalTasks
from workbench.adapters.openai_endpoint import OpenAIEndpoint
from workbench.adapters.own_pipeline.function import CallablePipeline
from workbench.adapters.own_pipeline.http import Pipeline, as_endpoint
from workbench.adapters.ragas_metrics import RagasMetrics
from workbench.adapters.recorded import RecordedModel
from workbench.adapters.scripted import ScriptedModel
from workbench.adapters.sentence_transformers import Embedder
from workbench.adapters.transformers_serve import LocalModel, Prepared, Served, prepare, serve
from workbench.adapters.trulens_feedback import TruLensFeedback
from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.datasets import Sample
from workbench.jobs.few_shot import FewShotModel, shown
from workbench.jobs.identities import identity, open_answers, resolved
from workbench.jobs.pipelines import function_file
from workbench.jobs.rag import open_pipeline
from workbench.jobs.trained_judges import open_encoder
from workbench.models import (
    CallableSpec,
    EncoderSpec,
    EndpointSpec,
    FewShotSpec,
    HttpSpec,
    LocalSpec,
    Model,
    Output,
    OutputFailure,
    Price,
    RagSpec,
    RecordedSpec,
    Request,
    ScriptedSpec,
    kept,
)
from workbench.nouns import fingerprint
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Scorer
from workbench.scoring.lm_eval import LmEval
from workbench.scoring.ragas import Ragas
from workbench.scoring.trulens import TruLens
from workbench.store.cache import ResponseCache, answer_key, keep_answer, kept_json
from workbench.store.shared_numbers import SharedNumbers

Say = Callable[[str], None]
FREE = Price(input=0, output=0)


@dataclass
class Opened:
    """Models and embedders that are open; the `Tools` of scorers."""

    models: dict[str, Model] = field(default_factory=dict)
    embedders: dict[str, Embedder] = field(default_factory=dict)
    ragas: RagasMetrics = field(default_factory=RagasMetrics)
    trulens: TruLensFeedback = field(default_factory=TruLensFeedback)
    lm_eval: LmEvalTasks | None = None
    """Tasks of the run under way, where lm-eval gives its samples."""
    cache: ResponseCache | None = None
    """Answers that were paid for once; `None`: none are kept."""

    async def ask(self, judge: str, request: Request) -> Output | OutputFailure:
        """Put a request to a judge."""
        return await self.models[judge].generate(request)

    def kept(self, judge: str, requests: Sequence[Request]) -> Sequence[bytes | None]:
        """Return the replies that a judge gave before."""
        return kept(self.models[judge], requests)

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """Return one unit-length vector a text; the model is loaded at the first call."""
        if model not in self.embedders:
            self.embedders[model] = Embedder(model)
        return await self.embedders[model].embed(texts)

    async def measure(self, scorer: Scorer, sample: Sample, output: Output) -> Score | ScoreFailure:
        """Let ragas, TruLens or lm-eval judge one output, by these tools."""
        if isinstance(scorer, Ragas):
            return await self.ragas.measure(scorer, sample, output, self)
        if isinstance(scorer, TruLens):
            return await self.trulens.measure(scorer, sample, output, self)
        if isinstance(scorer, LmEval) and self.lm_eval is not None:
            return self.lm_eval.measure(scorer, sample, output)
        raise TypeError(f"no other project judges for a scorer of kind {scorer.info().kind}")


@asynccontextmanager
async def open_models(
    bench: Workbench, names: Sequence[str], budget: Budget, say: Say, use_cache: bool = True
) -> AsyncIterator[Opened]:
    """Open models of workbench.yaml by name; close them, and stop what was started for them, when the block ends.

    Everything that can be checked is checked here, before the first question; a local server is started at the first
    question that the response cache cannot answer.
    """
    cache = ResponseCache(bench.home.cache / "answers.sqlite")
    opened = Opened(cache=cache if use_cache else None)
    async with AsyncExitStack() as stack:
        stack.callback(cache.close)
        server = LocalServer(bench, stack, budget, say)
        opening = _Opening(bench, cache if use_cache else None, budget, server, stack, opened)
        for name in names:
            model = opening.open(name)
            stack.push_async_callback(model.aclose)
            opened.models[name] = model
        try:
            yield opened
        finally:
            for embedder in opened.embedders.values():
                await embedder.aclose()
            await opened.trulens.aclose()


@dataclass(frozen=True)
class _Opening:
    """What models need to be opened."""

    bench: Workbench
    cache: ResponseCache | None
    budget: Budget
    server: LocalServer
    stack: AsyncExitStack
    opened: Opened

    def open(self, name: str) -> Model:
        """Open a model of workbench.yaml; a pipeline's generator with it."""
        bench, spec = self.bench, self.bench.model(name)
        match spec:
            case EndpointSpec():
                return OpenAIEndpoint(spec, self.cache, self.budget, identity(bench, name), shared=self._pace(spec))
            case LocalSpec():
                self.server.add(name, spec)
                kept = self.cache if spec.cache else None
                return WaitingModel(name, spec.limits.concurrency, kept, identity(bench, name), self.server)
            case RagSpec():
                return open_pipeline(bench, spec, self.open(spec.generator), self.opened.embed)
            case HttpSpec():
                asked = as_endpoint(spec)
                pace = self._pace(asked)
                print_of = identity(bench, name)
                return OpenAIEndpoint(asked, self.cache, self.budget, print_of, shared=pace, dialect=Pipeline(spec))
            case CallableSpec():
                log = bench.home.logs / f"callable-{name}.log"
                return CallablePipeline(spec, function_file(bench, spec), log, self.budget)
            case FewShotSpec():
                return FewShotModel(shown(bench, spec), self.open(spec.model))
            case EncoderSpec():
                return open_encoder(bench, spec)
            case RecordedSpec():
                return RecordedModel(open_answers(bench, spec))
            case ScriptedSpec():
                return ScriptedModel(spec)

    def _pace(self, spec: EndpointSpec) -> SharedNumbers | None:
        """Return what all processes of the home share to keep a server's limits; nothing where it has none."""
        if spec.limits.requests_per_minute is None and spec.limits.tokens_per_minute is None:
            return None
        # Servers count by account and model: whatever else differs, the allowance is one.
        server = fingerprint([spec.base_url.rstrip("/"), spec.model, spec.api_key_env])
        pace = SharedNumbers(self.bench.home.cache / "pace" / server)
        self.stack.callback(pace.close)
        return pace


class LocalServer:
    """One `transformers serve` for all local models of a run, started when the first of them is really asked."""

    def __init__(self, bench: Workbench, stack: AsyncExitStack, budget: Budget, say: Say) -> None:
        self._bench = bench
        self._stack = stack
        self._budget = budget
        self._say = say
        self._prepared: dict[str, Prepared] = {}
        self._starting: asyncio.Task[dict[str, Served]] | None = None
        self._models: dict[str, LocalModel] = {}

    def add(self, name: str, spec: LocalSpec) -> None:
        """Check a model's files, now; it will be served with the others."""
        self._prepared[name] = prepare(resolved(self._bench, spec), self._bench.home.cache / "weights.json")

    async def served(self, name: str) -> Served:
        """Return how a model is served; the first caller starts the server, the others wait for it."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        return (await asyncio.shield(self._starting))[name]

    async def _start(self) -> dict[str, Served]:
        return await self._stack.enter_async_context(serve(self._prepared, self._bench.home.logs, self._say))

    async def model(self, name: str) -> LocalModel:
        """Return a model that answers."""
        served = await self.served(name)
        if name not in self._models:
            # The server is ours: tokens cost nothing. The cache has been asked already, by a key without port and path.
            spec = served.endpoint.model_copy(update={"price": FREE})
            self._models[name] = LocalModel(OpenAIEndpoint(spec, None, self._budget, served.identity), served)
            self._stack.push_async_callback(self._models[name].aclose)
        return self._models[name]


class WaitingModel:
    """A local model whose server is started by the first question that the cache cannot answer; a `Model`."""

    def __init__(
        self, name: str, concurrency: int, cache: ResponseCache | None, identity: str, server: LocalServer
    ) -> None:
        self.concurrency = concurrency
        self._name = name
        self._cache = cache
        self._identity = identity
        self._server = server

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Answer from the cache, else from the server."""
        if (known := self.kept([request])[0]) is not None:
            return Output.model_validate_json(known)
        model = await self._server.model(self._name)
        answer = await model.generate(request)
        if self._cache is not None and isinstance(answer, Output):
            await keep_answer(self._cache, answer_key(self._identity, request), answer)
        return answer

    def kept(self, requests: Sequence[Request]) -> Sequence[bytes | None]:
        """Return the answers that are in the cache."""
        if self._cache is None:
            return [None] * len(requests)
        return kept_json(self._cache, [answer_key(self._identity, request) for request in requests])

    async def aclose(self) -> None:
        """Do nothing: the server ends with the run."""
