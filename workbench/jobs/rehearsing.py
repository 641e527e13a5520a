"""What a judged scorer would ask of one answer: it is run with a stand-in that notes each request and calls nobody."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.adapters.ragas_metrics import RagasMetrics
from workbench.adapters.trulens_feedback import TruLensFeedback
from workbench.datasets import Sample
from workbench.models import Output, OutputFailure, Request
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Scorer
from workbench.scoring.ragas import Ragas
from workbench.scoring.trulens import TruLens

CLAIMS = 5
"""Items of each list that the stand-in replies with: claims that a metric finds in an answer."""
CLAIM = "The answer claims something that is as long as a short sentence usually is."
DEEPEST = 4
"""Lists and objects within each other in a reply; deeper ones are left empty."""


@dataclass
class Rehearsal:
    """The `Tools` of a scorer that is to be priced."""

    asked: list[tuple[str, Request]] = field(default_factory=list)
    """The judge and the request of every call."""
    ragas: RagasMetrics = field(default_factory=RagasMetrics)
    trulens: TruLensFeedback = field(default_factory=TruLensFeedback)

    async def ask(self, judge: str, request: Request) -> Output | OutputFailure:
        """Note the request; reply in the wanted form, with words that say nothing.

        Log-probabilities are refused, as by a server that has none: the verdicts drawn in their place cost more.
        """
        if request.levels:
            return OutputFailure(kind="rejected", message="a rehearsal has no log-probabilities")
        self.asked.append((judge, request))
        if request.json_schema is None:
            return Output(text="\n".join([CLAIM] * CLAIMS))
        return Output(text=json.dumps(stand_in(request.json_schema, request.json_schema)))

    def kept(self, judge: str, requests: Sequence[Request]) -> Sequence[bytes | None]:
        """Return nothing: no reply is known."""
        return [None] * len(requests)

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """Return one vector for all."""
        return [[1.0, 0.0] for _ in texts]

    async def measure(self, scorer: Scorer, sample: Sample, output: Output) -> Score | ScoreFailure:
        """Let the other project ask."""
        if isinstance(scorer, Ragas):
            return await self.ragas.measure(scorer, sample, output, self)
        if isinstance(scorer, TruLens):
            return await self.trulens.measure(scorer, sample, output, self)
        raise TypeError(f"no other project judges for a scorer of kind {scorer.info().kind}")

    async def aclose(self) -> None:
        """End the threads of TruLens."""
        await self.trulens.aclose()


def stand_in(schema: dict[str, Any], root: dict[str, Any], depth: int = 0) -> Any:
    """Return a value that fits a JSON Schema of pydantic's: lists of five, short sentences, the least numbers."""
    if "$ref" in schema:
        return stand_in(root["$defs"][schema["$ref"].rpartition("/")[2]], root, depth)
    if "enum" in schema:
        return schema["enum"][0]
    if choices := schema.get("anyOf", schema.get("allOf")):
        return stand_in(choices[0], root, depth)
    match schema.get("type"):
        case "object":
            inner = schema.get("properties", {}) if depth < DEEPEST else {}
            return {name: stand_in(part, root, depth + 1) for name, part in inner.items()}
        case "array":
            return [stand_in(schema.get("items", {}), root, depth + 1) for _ in range(CLAIMS if depth < DEEPEST else 0)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
    return CLAIM
