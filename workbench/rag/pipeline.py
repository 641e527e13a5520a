"""A RAG pipeline as a model: it searches, puts the passages before a generator, and its answer carries them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from workbench.models import Model, Output, OutputFailure, RagSpec, Request, searched_for
from workbench.rag.fusing import fused
from workbench.rag.splitting import Chunk
from workbench.records import Message, Passage


class Index(Protocol):
    """Chunks that can be searched."""

    async def search(self, query: str, how: str, k: int, where: Mapping[str, str]) -> Sequence[Found]:
        """Return at most k chunks, best first; `how` is vector, keyword or hybrid."""
        ...

    async def nearness(self, query: str) -> float:
        """Return how near a question is to what the index is about; higher is nearer."""
        ...


class Found(Chunk):
    """A chunk with the score of one search, in that search's unit; higher is nearer."""

    score: float


class Reranker(Protocol):
    """Orders passages by a closer look."""

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return a score for each text; higher is nearer."""
        ...


class RagPipeline:
    """Search, order, prompt, generate; a `Model`."""

    def __init__(
        self, spec: RagSpec, indexes: Sequence[Index], generator: Model, reranker: Reranker | None = None
    ) -> None:
        self.spec = spec
        self.concurrency = generator.concurrency
        self._indexes = indexes
        self._generator = generator
        self._reranker = reranker

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Answer from what is found. The generator's failure is the pipeline's."""
        return (await self.answer(request))[1]

    async def answer(self, request: Request) -> tuple[list[Found], Output | OutputFailure]:
        """Return what is found and what is answered from it."""
        found = await self.retrieve(searched_for(request.messages[-1].content, self.spec.question_after))
        asked = request.model_copy(update={"messages": self.messages(request, found)})
        answer = await self._generator.generate(asked)
        if isinstance(answer, OutputFailure):
            return found, answer
        passages = tuple(Passage(id=chunk.id, text=chunk.text, score=chunk.score) for chunk in found)
        return found, answer.model_copy(update={"contexts": passages})

    async def retrieve(self, query: str) -> list[Found]:
        """Return the passages for a question, as they are put before the generator."""
        spec = self.spec
        k = max(spec.top_k, spec.rerank_from) if self._reranker else spec.top_k
        indexes = await self._routed(query)
        lists = await asyncio.gather(*(index.search(query, spec.search, k, spec.where) for index in indexes))
        found = list(lists[0]) if len(lists) == 1 else fused(lists)
        if self._reranker is not None and found:
            scores = await self._reranker.rerank(query, [chunk.text for chunk in found])
            scored = [chunk.model_copy(update={"score": s}) for chunk, s in zip(found, scores, strict=True)]
            found = sorted(scored, key=lambda chunk: -chunk.score)
        found = found[: spec.top_k]
        return sorted(found, key=lambda c: (c.document, c.place)) if spec.order == "document" else found

    def messages(self, request: Request, found: Sequence[Found]) -> tuple[Message, ...]:
        """Return the prompt: the system prompt, earlier turns, then passages and question."""
        *earlier, last = request.messages
        passages = "\n".join(f"[{n}] {chunk.text}" for n, chunk in enumerate(found, 1)) or "(no passages)"
        # One pass over the template, so that a passage that holds "{question}" is not filled in.
        before, _, rest = self.spec.prompt.partition("{passages}")
        filled = [part.replace("{question}", last.content) for part in (before, rest)]
        turns = [m for m in earlier if m.role != "system"]
        system = [Message(role="system", content=self.spec.system)] if self.spec.system else []
        return (*system, *turns, Message(role="user", content=passages.join(filled)))

    async def aclose(self) -> None:
        """Close the generator; indexes are files."""
        await self._generator.aclose()

    async def _routed(self, query: str) -> Sequence[Index]:
        if self.spec.route == "all" or len(self._indexes) == 1:
            return self._indexes
        near = await asyncio.gather(*(index.nearness(query) for index in self._indexes))
        return [self._indexes[max(range(len(near)), key=lambda at: near[at])]]
