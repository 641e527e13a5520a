"""ragas 0.4: its metrics, with our judge and our embeddings behind its own interfaces. Nothing of it calls out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from types import ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from workbench.datasets import Sample
from workbench.errors import WorkbenchError
from workbench.models import Output
from workbench.records import Message
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Tools
from workbench.scoring.harness import Calls, Unanswered, closed, installed
from workbench.scoring.ragas import Ragas
from workbench.scoring.verdicts import last_object

Reply = TypeVar("Reply", bound=BaseModel)
Vector = list[float]


class RagasMetrics:
    """ragas, loaded once, in a thread: its import takes seconds."""

    def __init__(self) -> None:
        self._loading: asyncio.Task[ModuleType] | None = None

    async def measure(self, scorer: Ragas, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Measure one output. Raises `MissingExtra`, and what concerns the whole run."""
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(load))
        metrics = await asyncio.shield(self._loading)
        calls = Calls(tools, scorer.judge, sample.id)
        given = scorer.inputs(sample, output)
        texts = [str(given["reference"]), output.text] if scorer.metric == "semantic_similarity" else []
        vectors = await Vectors.of(tools, scorer.model, texts)
        try:
            result = await _metric(scorer, metrics, Judge(calls), vectors).ascore(**given)
        except Unanswered as exc:
            return calls.failed(exc.failure)
        except WorkbenchError:
            raise  # concerns the whole run
        except Exception as exc:  # ragas raises whatever numpy and pydantic do on replies of the wrong length
            message = f"ragas {scorer.metric}: {type(exc).__name__}: {exc}"[:500]
            return calls.failed(ScoreFailure(kind="scorer_error", message=message))
        return calls.checked(result.value, str(result.reason or ""), scorer.info())


def load() -> ModuleType:
    """Import ragas with its telemetry off and return its metrics. Raises `MissingExtra`."""
    installed("ragas")
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"  # read at its first call, and then never again
    from ragas.embeddings.base import BaseRagasEmbedding
    from ragas.llms.base import InstructorBaseRagasLLM
    from ragas.metrics import collections

    # It asks `isinstance`; its base classes bring nothing that ours need.
    InstructorBaseRagasLLM.register(Judge)
    BaseRagasEmbedding.register(Vectors)
    found: ModuleType = collections
    return found


class Judge:
    """What ragas takes for its language model: each prompt is a request to the run's judge."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def agenerate(self, prompt: str, response_model: type[Reply]) -> Reply:
        """Return the judge's reply in the wanted form. Raises `Unanswered`."""
        schema = closed(response_model.model_json_schema())
        text = await self._calls.ask((Message(role="user", content=prompt),), schema)
        found = last_object(text)
        if isinstance(found, ScoreFailure):
            raise Unanswered(found.model_copy(update={"text": text}))
        try:
            return response_model.model_validate(found)
        except ValidationError as exc:
            first = exc.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            message = f"the judge's reply is no {response_model.__name__}: {field}: {first['msg']}"
            raise Unanswered(ScoreFailure(kind="unparsable", message=message[:500], text=text)) from exc


class Vectors:
    """What ragas takes for its embedding model: ours, and beforehand for the metric that does not wait."""

    def __init__(self, tools: Tools, model: str, known: dict[str, Vector]) -> None:
        self._tools = tools
        self._model = model
        self._known = known

    @classmethod
    async def of(cls, tools: Tools, model: str, texts: list[str]) -> Vectors:
        """Return vectors that know some texts already."""
        found = await tools.embed(model, texts) if texts else []
        return cls(tools, model, dict(zip(texts, found, strict=True)))

    def embed_text(self, text: str) -> Vector:
        """Return the vector of a text that is known."""
        return self._known[text]

    async def aembed_text(self, text: str) -> Vector:
        """Return the vector of a text."""
        return (await self.aembed_texts([text]))[0]

    async def aembed_texts(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector a text."""
        return await self._tools.embed(self._model, list(texts))


def _metric(scorer: Ragas, metrics: ModuleType, judge: Judge, vectors: Vectors) -> Any:
    """Return a metric of ragas, one for each measurement: they keep state."""
    match scorer.metric:
        case "faithfulness":
            return metrics.Faithfulness(llm=judge)
        case "answer_relevancy":
            return metrics.AnswerRelevancy(llm=judge, embeddings=vectors, strictness=scorer.questions)
        case "context_precision":
            return metrics.ContextPrecision(llm=judge)
        case "context_recall":
            return metrics.ContextRecall(llm=judge)
        case "noise_sensitivity":
            return metrics.NoiseSensitivity(llm=judge, mode=scorer.passages)
        case "factual_correctness":
            return metrics.FactualCorrectness(llm=judge, mode=scorer.of, beta=scorer.beta)
        case "semantic_similarity":
            return metrics.SemanticSimilarity(embeddings=vectors)
        case "rubrics":
            words = {f"score{step}_description": text for step, text in enumerate(scorer.rubrics, 1)}
            return metrics.DomainSpecificRubrics(llm=judge, rubrics=words or None)
